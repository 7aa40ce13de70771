/** What a context brings along to another thread, seen from the one it comes from. */
import { DeadlineWatch } from "../context/deadline.js";
import type { Ending } from "../context/ending.js";
import type { Watch } from "../context/watch.js";
import { type Carried, carry } from "./carry.js";
import {
  CANCELED,
  CANCELED_WITH_CAUSE,
  EXPIRED,
  EXPIRED_WITH_CAUSE,
  type LIVE,
  type Notice,
} from "./lane.js";
import { sharedNow } from "./shared-clock.js";

/** A deadline as the other thread has it. */
export interface Deadline {
  /** On the clock all threads share, ms. */
  readonly when: number;
  /** Milliseconds since the epoch. */
  readonly wall: number;
  /** Undefined for none. */
  readonly cause: Carried | undefined;
}

type End = Exclude<Notice, typeof LIVE>;

/** The cause a context will have when its own deadline passes: the other thread is told beforehand. */
function announcedCause(watch: Watch | null): unknown {
  return watch instanceof DeadlineWatch ? watch.cause : undefined;
}

/** What is left until the deadline that the watch knows of; undefined without one. */
export function deadlineOf(watch: Watch | null): Deadline | undefined {
  if (watch === null) return undefined;
  const left = watch.remaining();
  if (left === Number.POSITIVE_INFINITY) return undefined;
  const given = announcedCause(watch);
  return {
    when: sharedNow() + left,
    wall: watch.deadline() ?? Date.now() + left,
    cause: given === undefined ? undefined : carry(given),
  };
}

/** The notice that says so, and whether a cause has to go with it: that of its own deadline was announced. */
export function noticeOf(ending: Ending, watch: Watch | null): End {
  const given = ending.given();
  if (given === undefined || (ending.expired && given === announcedCause(watch)))
    return ending.expired ? EXPIRED : CANCELED;
  return ending.expired ? EXPIRED_WITH_CAUSE : CANCELED_WITH_CAUSE;
}

/** Causes made ready to be posted, once for all that ends together. */
export class Causes {
  #last: { readonly ending: Ending; readonly cause: Carried } | undefined;

  /** Undefined where the notice says that there is none to be sent. */
  of(ending: Ending, notice: End): Carried | undefined {
    if (notice !== CANCELED_WITH_CAUSE && notice !== EXPIRED_WITH_CAUSE) return undefined;
    if (this.#last?.ending !== ending) this.#last = { ending, cause: carry(ending.given()) };
    return this.#last.cause;
  }
}
