/**
 * Working through an envelope: one task after the other, and how each ended, told in the lane. Everything a task does
 * wrong ends here: nothing is thrown at piscina, which would lose the error or the thread.
 */
import type { MessagePort } from "node:worker_threads";
import { now } from "../context/clock.js";
import type { Context } from "../context/context.js";
import { prepareEnding } from "../context/ending.js";
import { cause } from "../context/with-cancel.js";
import { carry } from "./carry.js";
import {
  DONE,
  DROPPED,
  type Ended,
  FAILED,
  FALSE,
  KILLING,
  type Lane,
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
} from "./lane.js";
import type { Mailbox } from "./mailbox.js";
import { BY_LETTER, type Envelope, type Parcel, type Reply, type Terms } from "./messages.js";
import type { Place } from "./place.js";
import { dueOf, TaskNode, valuesOf } from "./task-context.js";
import { transfersOf } from "./transfer.js";

export type TaskFunction = (ctx: Context, ...args: readonly unknown[]) => unknown;

/** What a thread has for its whole life. */
export interface Seat {
  readonly lane: Lane;
  readonly mailbox: Mailbox;
  readonly tasks: Map<string, TaskFunction>;
  current: TaskNode | undefined;
}

/** What tasks under the same terms have in common. */
interface Common {
  readonly terms: Terms;
  readonly values: Context;
  readonly when: number;
}

export class Work {
  readonly #seat: Seat;
  readonly #envelope: Envelope;
  readonly #common: readonly Common[];
  /** The place of the next task, and where in the calls it begins. */
  #at = 0;
  #cursor = 0;
  /** When the last task ended, on this thread's clock: read once a task. */
  #since = now();
  #reply: Reply = true;

  constructor(seat: Seat, envelope: Envelope) {
    this.#seat = seat;
    this.#envelope = envelope;
    this.#common = envelope.terms.map((terms) => ({
      terms,
      values: valuesOf(terms.values),
      when: dueOf(terms),
    }));
  }

  /** Runs the tasks that are left; the answer waits for those that return a promise. */
  proceed(): Reply | Promise<Reply> {
    while (this.#at < this.#envelope.count) {
      const pending = this.#runNext();
      if (pending !== undefined) return pending.then(() => this.proceed());
    }
    this.#seat.mailbox.clear();
    return this.#reply;
  }

  #runNext(): Promise<void> | undefined {
    const { lane, mailbox, tasks } = this.#seat;
    const { epoch, names, calls } = this.#envelope;
    const at = this.#at++;
    const name = names[calls[this.#cursor++] as number] as string;
    const common = this.#common[calls[this.#cursor++] as number] as Common;
    const count = calls[this.#cursor++] as number;
    const first = this.#cursor;
    if (count !== BY_LETTER) this.#cursor += count;
    if (this.#since >= common.when) lane.move(epoch, at, OFFERED, DROPPED);
    // Dropped, or taken back: not ours to run.
    if (!lane.move(epoch, at, OFFERED, STARTED)) return undefined;
    const letter = count === BY_LETTER ? openLetter(mailbox, epoch, at) : undefined;
    const values = letter === undefined ? common.values : valuesOf(letter.values);
    const place: Place = { lane, mailbox, epoch, at, isLeft: false };
    const task = new TaskNode(place, common.terms, values, common.when);
    this.#seat.current = task;
    try {
      const fn = tasks.get(name) as TaskFunction;
      const args = letter === undefined ? calls.slice(first, this.#cursor) : letter.args();
      // The first one does not count what it took this thread to wake up.
      if (at === 0) this.#since = now();
      const result = fn(task, ...args);
      if (!isThenable(result)) return this.#finish(task, place, this.#reportValue(place, result), result);
      task.awaits();
      return Promise.resolve(result).then(
        (value) => this.#finish(task, place, this.#reportValue(place, value), value),
        (error: unknown) => this.#finish(task, place, this.#reportError(task, place, error), error),
      );
    } catch (error) {
      return this.#finish(task, place, this.#reportError(task, place, error), error);
    }
  }

  /**
   * Tells how the task ended and lets go of its place. Whatever could be posted is by now: cloning a result may take long
   * and runs getters of the user's, so the claim moves to DONE, and the task out of the reach of a hard stop, only here.
   */
  #finish(task: TaskNode, place: Place, ended: Ended, value: unknown): Promise<void> | undefined {
    const { lane, epoch, at } = place;
    const since = this.#since;
    this.#since = now();
    lane.report(at, ended, ended === NUMBER ? (value as number) : 0, this.#since - since);
    if (!lane.move(epoch, at, STARTED, DONE)) {
      // KILLING: the pool was quicker, and this thread is about to end. It must not take another task.
      if (lane.stands(epoch, at, KILLING)) return new Promise(() => {});
    }
    this.#seat.current = undefined;
    const { ending } = task;
    task.over();
    // When the report is on its way: making an error takes longer than posting one.
    if (ending !== null) setImmediate(prepareEnding);
    return undefined;
  }

  #reportValue(place: Place, value: unknown): Ended {
    switch (typeof value) {
      case "undefined":
        return UNDEFINED;
      case "boolean":
        return value ? TRUE : FALSE;
      case "number":
        return NUMBER;
      case "string":
      case "bigint":
        // Sure to be cloneable, so it may go in the reply, if no other task can take the thread down before that is sent.
        if (place.at === this.#envelope.count - 1) {
          this.#reply = value;
          return REPLIED;
        }
        break;
      default:
        if (value === null) return NULL;
    }
    try {
      this.#post(place, value, transfersOf(value));
      return POSTED;
    } catch (error) {
      this.#post(place, carry(error));
      return UNCLONEABLE;
    }
  }

  #reportError(task: TaskNode, place: Place, error: unknown): Ended {
    const ending = task.poll();
    if (ending !== null && isGivingUp(task, error)) return ending.expired ? STOPPED_EXPIRED : STOPPED;
    this.#post(place, carry(error));
    return FAILED;
  }

  #post({ mailbox, epoch, at }: Place, value: unknown, transfers?: readonly object[]): void {
    const parcel: Parcel = { epoch, place: at, value };
    mailbox.port.postMessage(parcel, transfers as Parameters<MessagePort["postMessage"]>[1]);
  }
}

interface Opened {
  readonly values: Terms["values"];
  /** Throws why they are not there. */
  args(): readonly unknown[];
}

function openLetter(mailbox: Mailbox, epoch: number, at: number): Opened {
  try {
    const letter = mailbox.letter(epoch, at);
    if (letter === undefined) throw new Error("the arguments did not arrive");
    return { values: letter.values, args: () => letter.args };
  } catch (error) {
    // Something in it could be cloned on the other side, and not on this one.
    return {
      values: undefined,
      args: () => {
        throw error;
      },
    };
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === "object" || typeof value === "function") &&
    value !== null &&
    typeof (value as { then?: unknown }).then === "function"
  );
}

/** Whether `error` is the end of the context, its cause, or an abort error caused by either, as Node's own functions throw. */
function isGivingUp(task: Context, error: unknown): boolean {
  const reasons = [task.err(), cause(task)];
  if (reasons.includes(error)) return true;
  try {
    const { code, cause: why } = error as { code?: unknown; cause?: unknown };
    return code === "ABORT_ERR" && reasons.includes(why);
  } catch {
    return false;
  }
}
