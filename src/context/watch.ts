/**
 * What a poll looks at besides the context's own state: a deadline, a word that another thread writes, a custom
 * parent. A context hands its watch on to what is derived from it, so a poll costs the same at any depth.
 */

import { contextsCannotBeCloned } from "./invalid.js";

/** The word of a watch that no other thread writes to. */
const QUIET = new Int32Array(1);

/**
 * A poll is `words[0] === live` and a countdown; only when one of them says so, `check()` looks closer. The compare
 * is a plain read on purpose: V8 makes one move of it, where `Atomics.load` costs 5 ns and more (bench/polling).
 */
export abstract class Watch {
  /** Where another thread leaves its notice. */
  words: Int32Array = QUIET;
  /** What `words[0]` holds while there is none. */
  live = 0;
  /** Polls until the next closer look. */
  left = 1;
  /** So that contexts below a custom one, whose fields may be anything, are not cloned by accident either. */
  readonly uncloneable = contextsCannotBeCloned;

  /** Whether the clock is read on a stride, as inside a worker; otherwise every poll reads it. */
  readonly paced: boolean;

  constructor(paced: boolean) {
    this.paced = paced;
  }

  /** Looks closely, ends what has to end, and sets `left`. */
  abstract check(): void;
  /** The same on behalf of a watch laid over this one, which knows what time it is: leaves `left` alone. */
  abstract look(at: number): void;
  /** Milliseconds since the epoch, or undefined: see Context.deadline. */
  abstract deadline(): number | undefined;
  /** Milliseconds left, 0 or less when past, Infinity without a deadline. */
  abstract remaining(): number;
  /** When it passes, ms on this thread's clock, Infinity without a deadline. The same at every call, so that deadlines can be put in order. */
  abstract due(): number;
  /** What a deadline laid over this one has to look at as well: what another thread or a custom parent feeds. */
  abstract get source(): Watch | null;
}

/** Nothing to look at. */
class IdleWatch extends Watch {
  override check(): void {
    this.left = 2 ** 30;
  }
  override look(_at: number): void {
    // Nothing.
  }
  override deadline(): undefined {
    return undefined;
  }
  override remaining(): number {
    return Number.POSITIVE_INFINITY;
  }
  override due(): number {
    return Number.POSITIVE_INFINITY;
  }
  override get source(): null {
    return null;
  }
}

export const idle = new IdleWatch(false);

/** How often a watch inside a worker reads the clock, which costs 35 to 40 ns where a poll costs 1. */
export class Stride {
  #last = 0;
  #polls = 0;

  /**
   * Polls until the next look at the clock: as many as came in TARGET ms lately, at most LONGEST, at least 1.
   *
   * The blind spot: when polls suddenly become rare, up to LONGEST of them pass before the clock is read again. It is
   * open only while the main thread is blocked too, since otherwise its own timer writes the notice that every poll sees.
   */
  next(at: number): number {
    const elapsed = at - this.#last;
    this.#last = at;
    const polls = elapsed <= 0 ? Stride.LONGEST : Math.floor((this.#polls * Stride.TARGET) / elapsed);
    this.#polls = Math.max(1, Math.min(polls, Stride.LONGEST));
    return this.#polls;
  }

  /** ms: a twentieth of the lateness that steady polling is allowed. */
  static readonly TARGET = 0.05;
  static readonly LONGEST = 64;
}
