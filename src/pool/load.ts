/**
 * What a thread has been handed: an envelope, on the main thread's side. Owns who of it has been settled; reads the lane to
 * find out how far the thread has got.
 */
import { unpack } from "../workers/carry.js";
import {
  DONE,
  DROPPED,
  FAILED,
  FALSE,
  GUARDED,
  INTERRUPTED,
  INTERRUPTING,
  KILLING,
  NULL,
  NUMBER,
  OFFERED,
  POSTED,
  REPLIED,
  STARTED,
  STOPPED,
  STOPPED_EXPIRED,
  TRUE,
  UNCLONEABLE,
  UNDEFINED,
} from "../workers/lane.js";
import type { Reply } from "../workers/messages.js";
import { notCloneable } from "./hand-over.js";
import type { Job } from "./job.js";
import type { Thread } from "./thread.js";
import type { Outcome } from "./types.js";

/** How a job ended that ran to its end. */
export type Report =
  | { readonly type: "completed"; readonly value: unknown }
  | { readonly type: "failed"; readonly error: unknown }
  /** It gave up because its context had ended: by its deadline, when `expired`. */
  | { readonly type: "stopped"; readonly expired: boolean }
  /** It was cut off. */
  | { readonly type: "interrupted" }
  /** It did not begin, because the thread saw that its deadline had passed. */
  | { readonly type: "expired" }
  /** It ended, and its thread died before the answer was sent. */
  | { readonly type: "lost" };

export interface Finished {
  readonly job: Job;
  readonly report: Report;
  readonly outcome: Outcome;
  /** How long it ran, ms. */
  readonly took: number;
}

/** The claims of a task that has begun and not ended. */
const UNDER_WAY = [STARTED, GUARDED, INTERRUPTING, KILLING] as const;

const nothing: Report = { type: "completed", value: undefined };
const expired: Report = { type: "expired" };

const interrupted: Report = { type: "interrupted" };

export class Load {
  readonly jobs: readonly Job[];
  readonly thread: Thread;
  readonly #epoch: number;
  /** The first place that has not been looked at and found over. The thread goes through them in order. */
  #cursor = 0;
  /** Where the cursor was at the last call of `lingers`. */
  #seen = -1;

  constructor(thread: Thread, jobs: readonly Job[]) {
    this.thread = thread;
    this.#epoch = thread.epoch;
    this.jobs = jobs;
  }

  /**
   * Those that have ended since the last call, in order. Their places are free to be used again after the call.
   *
   * @param reply the thread's answer; undefined while there is none
   * @param isLast there will be none: the thread has gone
   */
  collect(reply?: Reply, isLast = false): Finished[] {
    const { lane } = this.thread;
    const epoch = this.#epoch;
    const finished: Finished[] = [];
    for (; this.#cursor < this.jobs.length; this.#cursor++) {
      const place = this.#cursor;
      const job = this.jobs[place] as Job;
      if (lane.stands(epoch, place, DONE)) {
        if (lane.ended(place) === REPLIED && reply === undefined && !isLast) break;
        const report = this.#report(place, reply);
        finished.push({ job, report, outcome: outcomeOf(report, isLast), took: plausible(lane.took(place)) });
      } else if (!lane.stands(epoch, place, DROPPED)) {
        break;
      } else if (job.outcome === undefined && job.thread === this.thread) {
        // Not dropped from here, nor taken back.
        finished.push({ job, report: expired, outcome: "dropped", took: 0 });
      }
    }
    return finished;
  }

  #report(place: number, reply: Reply | undefined): Report {
    const { lane } = this.thread;
    const ended = lane.ended(place);
    switch (ended) {
      case UNDEFINED:
        return nothing;
      case NULL:
        return { type: "completed", value: null };
      case FALSE:
        return { type: "completed", value: false };
      case TRUE:
        return { type: "completed", value: true };
      case NUMBER:
        return { type: "completed", value: lane.number(place) };
      case REPLIED:
        return reply === undefined ? { type: "lost" } : { type: "completed", value: reply };
      case POSTED:
        return this.#take(place, (value) => ({ type: "completed", value }));
      case FAILED:
        return this.#take(place, (error) => ({ type: "failed", error: unpack(error as never) }));
      case UNCLONEABLE:
        return this.#take(place, (error) => ({
          type: "failed",
          error: notCloneable(this.#resultOf(place), unpack(error as never)),
        }));
      case STOPPED:
      case STOPPED_EXPIRED:
        return { type: "stopped", expired: ended === STOPPED_EXPIRED };
      case INTERRUPTED:
        return interrupted;
      default:
        // Not by anything of ours: code in the thread has written to the lane.
        ended satisfies never;
        return { type: "lost" };
    }
  }

  #take(place: number, report: (value: unknown) => Report): Report {
    try {
      const parcel = this.thread.takeParcel(place);
      return parcel === undefined ? { type: "lost" } : report(parcel.value);
    } catch (error) {
      return { type: "failed", error: notCloneable(this.#resultOf(place), error) };
    }
  }

  #resultOf(place: number): string {
    return `the result of ${(this.jobs[place] as Job).title}`;
  }

  /**
   * Those that have not begun, in order; from now on they cannot.
   *
   * @param from leaves alone those before this place
   */
  takeBack(from = this.#cursor): Job[] {
    const { lane } = this.thread;
    const epoch = this.#epoch;
    const taken: Job[] = [];
    // From the far end: the thread comes from the other one.
    for (let place = this.jobs.length - 1; place >= from; place--) {
      if (lane.move(epoch, place, OFFERED, DROPPED)) taken.push(this.jobs[place] as Job);
    }
    return taken.reverse();
  }

  /** The place after the one that the thread is at, or will be at next. */
  get behind(): number {
    return this.#cursor + 1;
  }

  /** Whether the thread has begun one of those behind `place`. */
  hasBegunBehind(place: number): boolean {
    const { lane } = this.thread;
    for (let at = place + 1; at < this.jobs.length; at++) {
      if (!lane.stands(this.#epoch, at, OFFERED) && !lane.stands(this.#epoch, at, DROPPED)) return true;
    }
    return false;
  }

  /** Whether all of it is over, as it is when the thread has replied. */
  get isThrough(): boolean {
    const { lane } = this.thread;
    for (let place = this.#cursor; place < this.jobs.length; place++) {
      if (!lane.stands(this.#epoch, place, DONE) && !lane.stands(this.#epoch, place, DROPPED)) return false;
    }
    return true;
  }

  /** Whether none of it has begun. */
  get isUnbegun(): boolean {
    const { lane } = this.thread;
    return this.jobs.every(
      (_, place) => lane.stands(this.#epoch, place, OFFERED) || lane.stands(this.#epoch, place, DROPPED),
    );
  }

  /** The thread has not been seen to begin any of it. */
  get isUntouched(): boolean {
    return this.#cursor === 0 && this.current() === undefined;
  }

  /** The job that the thread is at, once `collect` has been called: it has begun and not ended. */
  current(): Job | undefined {
    const { lane } = this.thread;
    const epoch = this.#epoch;
    const place = this.#cursor;
    const isAtIt = UNDER_WAY.some((claim) => lane.stands(epoch, place, claim));
    return isAtIt ? this.jobs[place] : undefined;
  }

  /** Whether the thread is still at the same job as at the last call. */
  lingers(): boolean {
    const lingers = this.#seen === this.#cursor;
    this.#seen = this.#cursor;
    return lingers;
  }
}

/** A thread whose clock somebody has replaced may say anything. */
function plausible(took: number): number {
  return took >= 0 && took < Number.POSITIVE_INFINITY ? took : 0;
}

function outcomeOf({ type }: Report, hasDied: boolean): Outcome {
  if (type === "expired") return "dropped";
  if (type !== "lost") return type;
  return hasDied ? "crashed" : "failed";
}
