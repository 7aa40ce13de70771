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

/** How far a task has got, in the three low bits of its `claim`: moved by compare-exchange only, from both sides. */
export const OFFERED = 1;
export const STARTED = 2;
export const DONE = 3;
export const DROPPED = 4;
export const KILLING = 5;
/** As STARTED; the function has not returned, and what it does can be cut off. */
export const GUARDED = 6;
/** The main thread is about to cut it off. */
export const INTERRUPTING = 7;
export type Claim =
  | typeof OFFERED
  | typeof STARTED
  | typeof DONE
  | typeof DROPPED
  | typeof KILLING
  | typeof GUARDED
  | typeof INTERRUPTING;

const NOTICE_BITS = 3;
const CLAIM_BITS = 3;

/** Epochs run from 1 to this and start over: with their bits they fill a word. */
const LAST_EPOCH = 2 ** (32 - 1 - CLAIM_BITS) - 1;

/** Which envelope a word speaks of: a lane counts them, so that a word of an earlier one is never mistaken. */
export function nextEpoch(epoch: number): number {
  return epoch >= LAST_EPOCH ? 1 : epoch + 1;
}

/** The word `notice` holds for this task and message. */
export function noticeWord(epoch: number, notice: Notice): number {
  return (epoch << NOTICE_BITS) | notice;
}

/** Which epoch a notice speaks of. */
export function readEpoch(word: number): number {
  return word >> NOTICE_BITS;
}

/** What a notice says to a task of `epoch`. A lane that has moved on says CANCELED: no longer yours to run. */
export function readNotice(word: number, epoch: number): Notice {
  return word >> NOTICE_BITS === epoch ? ((word & (2 ** NOTICE_BITS - 1)) as Notice) : CANCELED;
}

/** How a task that is DONE ended, and where its value is. */
export const UNDEFINED = 0;
export const NULL = 1;
export const FALSE = 2;
export const TRUE = 3;
/** The value lies in the lane. */
export const NUMBER = 4;
/** The value lies in the port, as a Parcel. */
export const POSTED = 5;
/** The value is the envelope's reply: a string or a bigint, of its last task. */
export const REPLIED = 6;
/** It threw; the error lies in the port. */
export const FAILED = 7;
/** Its value could not be posted; why lies in the port. */
export const UNCLONEABLE = 8;
/** It gave up because its context had ended; with STOPPED_EXPIRED, by its deadline. */
export const STOPPED = 9;
export const STOPPED_EXPIRED = 10;
/** It was cut off, by the pool or by the thread's own watchdog. */
export const INTERRUPTED = 11;
export type Ended =
  | typeof UNDEFINED
  | typeof NULL
  | typeof FALSE
  | typeof TRUE
  | typeof NUMBER
  | typeof POSTED
  | typeof REPLIED
  | typeof FAILED
  | typeof UNCLONEABLE
  | typeof STOPPED
  | typeof STOPPED_EXPIRED
  | typeof INTERRUPTED;

/** Tasks that one envelope may hold. What a hand-over costs is 0.1 µs for each of them then (bench/throughput). */
export const PLACES = 1024;

// A cache line is 64 bytes on the processors Node runs on; what different threads write lies on different ones, and
// none is shared with a neighbour of the buffer, whose start the allocator aligns to 16 bytes only.
const LINE = 64;
const WORDS = PLACES * Int32Array.BYTES_PER_ELEMENT;
const NOTICES_AT = LINE;
const CLAIMS_AT = NOTICES_AT + WORDS + LINE;
const PROGRESS_AT = CLAIMS_AT + WORDS + LINE;
const AWAITS_AT = PROGRESS_AT + WORDS;
const ENDED_AT = AWAITS_AT + WORDS;
const TOOK_AT = ENDED_AT + WORDS;
const NUMBERS_AT = TOOK_AT + WORDS;
const LANE_BYTES = NUMBERS_AT + PLACES * Float64Array.BYTES_PER_ELEMENT + LINE;

/** `progress` is a fraction of this. */
const PROGRESS_ONE = 2 ** 30;

/**
 * Where the tasks of one envelope stand, a place for each. A thread has one lane for its whole life, which no other thread
 * ever gets; it runs one task at a time, in the order of the places.
 */
export class Lane {
  readonly buffer: SharedArrayBuffer;
  /** Written by the main thread. */
  readonly #notices: Int32Array;
  /** One view for each place that was ever asked for: a poll reads `[0]`, whichever place it is at. */
  readonly #views: Int32Array[] = [];
  readonly #claims: Int32Array;
  // Written by the worker.
  readonly #progress: Int32Array;
  readonly #awaits: Int32Array;
  readonly #ended: Int32Array;
  readonly #took: Float32Array;
  readonly #numbers: Float64Array;

  constructor(buffer = new SharedArrayBuffer(LANE_BYTES)) {
    this.buffer = buffer;
    this.#notices = new Int32Array(buffer, NOTICES_AT, PLACES);
    this.#claims = new Int32Array(buffer, CLAIMS_AT, PLACES);
    this.#progress = new Int32Array(buffer, PROGRESS_AT, PLACES);
    this.#awaits = new Int32Array(buffer, AWAITS_AT, PLACES);
    this.#ended = new Int32Array(buffer, ENDED_AT, PLACES);
    this.#took = new Float32Array(buffer, TOOK_AT, PLACES);
    this.#numbers = new Float64Array(buffer, NUMBERS_AT, PLACES);
  }

  /** Main thread, before the hand-over: the first `count` places are this envelope's from now on. */
  offer(epoch: number, count: number): void {
    if (count === 1) {
      this.#progress[0] = 0;
      this.#notices[0] = noticeWord(epoch, LIVE);
    } else {
      this.#progress.fill(0, 0, count);
      this.#notices.fill(noticeWord(epoch, LIVE), 0, count);
      this.#claims.fill((epoch << CLAIM_BITS) | OFFERED, 1, count);
    }
    // The last store, and an ordered one: what lies before it is seen by whoever sees it.
    Atomics.store(this.#claims, 0, (epoch << CLAIM_BITS) | OFFERED);
  }

  /** What a loop in the task at `place` reads. */
  notice(place: number): Int32Array {
    const view = this.#views[place];
    if (view !== undefined) return view;
    // In order, so that the array has no holes.
    for (let at = this.#views.length; at <= place; at++)
      this.#views.push(new Int32Array(this.buffer, NOTICES_AT + at * Int32Array.BYTES_PER_ELEMENT, 1));
    return this.#views[place] as Int32Array;
  }

  /** Main thread: what a loop sees at its next poll. */
  post(epoch: number, place: number, notice: Notice): void {
    Atomics.store(this.#notices, place, noticeWord(epoch, notice));
  }

  /** Moves the claim of a task on; false when it was not there, that is, when the other side was quicker. */
  move(epoch: number, place: number, from: Claim, to: Claim): boolean {
    const was = (epoch << CLAIM_BITS) | from;
    return Atomics.compareExchange(this.#claims, place, was, (epoch << CLAIM_BITS) | to) === was;
  }

  /** Whether the claim of this task stands at `state`. */
  stands(epoch: number, place: number, state: Claim): boolean {
    return Atomics.load(this.#claims, place) === ((epoch << CLAIM_BITS) | state);
  }

  /** Worker: sleeps as long as the claim of this task stands at `state`. */
  sleepWhile(epoch: number, place: number, state: Claim): void {
    const word = (epoch << CLAIM_BITS) | state;
    while (Atomics.load(this.#claims, place) === word) Atomics.wait(this.#claims, place, word);
  }

  /** Worker: a plain store, 1 to 2 ns, cheap enough for an inner loop. */
  setProgress(place: number, fraction: number): void {
    this.#progress[place] = fraction * PROGRESS_ONE;
  }

  progress(place: number): number {
    return Atomics.load(this.#progress, place) / PROGRESS_ONE;
  }

  /**
   * Worker: the task has returned a promise, so from now on a message can wake it. Look at the notice after this: main
   * stores the notice and looks here, so at least one of the two sees what the other did.
   */
  awaits(epoch: number, place: number): void {
    Atomics.store(this.#awaits, place, epoch);
  }

  /** Main thread, after storing the notice: whether the task may be waiting for a message. */
  isAwaiting(epoch: number, place: number): boolean {
    return Atomics.load(this.#awaits, place) === epoch;
  }

  /** Worker, before the claim moves to DONE: how the task ended, its value if that is a number, and how long it took, ms. */
  report(place: number, ended: Ended, value: number, took: number): void {
    this.#ended[place] = ended;
    this.#numbers[place] = value;
    this.#took[place] = took;
  }

  /** Main thread, once the claim stands at DONE. */
  ended(place: number): Ended {
    return this.#ended[place] as Ended;
  }

  number(place: number): number {
    return this.#numbers[place] as number;
  }

  took(place: number): number {
    return this.#took[place] as number;
  }
}
