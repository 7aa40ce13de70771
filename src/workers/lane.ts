/**
 * The shared words of a lane: where they lie, what they say, who moves them. Both sides of the thread boundary speak
 * through this file; docs/protocol.md explains it word by word.
 */

/** The main thread's word to the worker about the task, in the three low bits of `notice`. */
export const LIVE = 0;
export const CANCELED = 1;
/** As CANCELED; the cause lies in the port, posted before this was stored. */
export const CANCELED_WITH_CAUSE = 2;
/** The deadline has passed; the cause is the one announced with the task. */
export const EXPIRED = 3;
/** As EXPIRED, with another cause, which lies in the port. */
export const EXPIRED_WITH_CAUSE = 4;
export type Notice =
  | typeof LIVE
  | typeof CANCELED
  | typeof CANCELED_WITH_CAUSE
  | typeof EXPIRED
  | typeof EXPIRED_WITH_CAUSE;

/** How far the task has got, in the three low bits of `claim`: moved by compare-exchange only, from both sides. */
export const OFFERED = 1;
export const STARTED = 2;
export const DONE = 3;
export const DROPPED = 4;
export const KILLING = 5;
export type Claim = typeof OFFERED | typeof STARTED | typeof DONE | typeof DROPPED | typeof KILLING;

const NOTICE_BITS = 3;
const CLAIM_BITS = 3;

/** Epochs run from 1 to this and start over: with their bits they fill a word. */
const LAST_EPOCH = 2 ** (32 - 1 - CLAIM_BITS) - 1;

/** Which task a word speaks of: a lane counts its tasks, so that a word of an earlier one is never mistaken. */
export function nextEpoch(epoch: number): number {
  return epoch >= LAST_EPOCH ? 1 : epoch + 1;
}

/** The word `notice` holds for this task and message. */
export function noticeWord(epoch: number, notice: Notice): number {
  return (epoch << NOTICE_BITS) | notice;
}

/** What a notice says to the task of `epoch`. A lane that has moved on says CANCELED: no longer yours to run. */
export function readNotice(word: number, epoch: number): Notice {
  return word >> NOTICE_BITS === epoch ? ((word & (2 ** NOTICE_BITS - 1)) as Notice) : CANCELED;
}

// A cache line is 64 bytes on the processors Node runs on; what different threads write lies on different ones, and
// none is shared with a neighbour of the buffer, whose start the allocator aligns to 16 bytes only.
const LINE = 64;
const NOTICE_AT = LINE;
const CLAIM_AT = 2 * LINE;
const WORKER_AT = 3 * LINE;
const LANE_BYTES = 5 * LINE;

// Of the worker's words.
const PROGRESS = 0;
const AWAITS = 1;

/** `progress` is a fraction of this. */
const PROGRESS_ONE = 2 ** 30;

/** The place of one running task. A thread has one for its whole life, which no other thread ever gets. */
export class Lane {
  readonly buffer: SharedArrayBuffer;
  /** Written by the main thread, read by the worker at every poll. */
  readonly notice: Int32Array;
  readonly #claim: Int32Array;
  /** Written by the worker: how far its task has got, and the epoch of the task that awaits something, if one does. */
  readonly #worker: Int32Array;

  constructor(buffer = new SharedArrayBuffer(LANE_BYTES)) {
    this.buffer = buffer;
    this.notice = new Int32Array(buffer, NOTICE_AT, 1);
    this.#claim = new Int32Array(buffer, CLAIM_AT, 1);
    this.#worker = new Int32Array(buffer, WORKER_AT, 2);
  }

  /** Main thread, before the hand-over: the lane is this task's from now on. */
  offer(epoch: number): void {
    this.#worker[PROGRESS] = 0;
    Atomics.store(this.notice, 0, noticeWord(epoch, LIVE));
    Atomics.store(this.#claim, 0, (epoch << CLAIM_BITS) | OFFERED);
  }

  /** Main thread: what a loop sees at its next poll. */
  post(epoch: number, notice: Notice): void {
    Atomics.store(this.notice, 0, noticeWord(epoch, notice));
  }

  /** Moves the claim of this task on; false when it was not there, that is, when the other side was quicker. */
  move(epoch: number, from: Claim, to: Claim): boolean {
    const was = (epoch << CLAIM_BITS) | from;
    return Atomics.compareExchange(this.#claim, 0, was, (epoch << CLAIM_BITS) | to) === was;
  }

  /** Whether the claim of this task stands at `state`. */
  stands(epoch: number, state: Claim): boolean {
    return Atomics.load(this.#claim, 0) === ((epoch << CLAIM_BITS) | state);
  }

  /** Worker: a plain store, 1 to 2 ns, cheap enough for an inner loop. */
  set progress(fraction: number) {
    this.#worker[PROGRESS] = fraction * PROGRESS_ONE;
  }

  get progress(): number {
    return Atomics.load(this.#worker, PROGRESS) / PROGRESS_ONE;
  }

  /**
   * Worker: the task has returned a promise, so from now on a message can wake it. Look at the notice after this: main
   * stores the notice and looks here, so at least one of the two sees what the other did.
   */
  awaits(epoch: number): void {
    Atomics.store(this.#worker, AWAITS, epoch);
  }

  /** Main thread, after storing the notice: whether the task may be waiting for a message. */
  isAwaiting(epoch: number): boolean {
    return Atomics.load(this.#worker, AWAITS) === epoch;
  }
}
