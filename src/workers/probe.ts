/**
 * What a task that is being measured leaves behind about itself, in words that both sides see. Only what `lifeguard/bench` submits has
 * one; any other task pays a look whether it has.
 */
import type { Context } from "../context/context.js";
import { sharedNanos } from "./shared-clock.js";
import { isThenable } from "./thenable.js";

/** Stamp the begin, the first look that sees the end, and the end: no poll costs more than it does without. */
export const STAMPS = 0;
/** Count the polls as well: only those below a deadline that the task has set itself take some ns more. */
export const COUNT = 1;
/** Measure the time between polls as well: each reads the clock. */
export const GAPS = 2;
export type ProbeMode = typeof STAMPS | typeof COUNT | typeof GAPS;

/** Under this key a probe travels in the options of `submit`. By name: the sources and what is built of them have the same. */
export const probeKey = Symbol.for("lifeguard.probe");

/** Options of a task that is being measured. */
export interface Probed {
  readonly [probeKey]?: SharedArrayBuffer;
}

// Words of 8 bytes.
const MODE = 0;
const BEGAN = 1;
const SEEN = 2;
const ENDED = 3;
const POLLS = 4;
const LAST = 5;
const LONGEST = 6;
const SQUARES = 7;
const HEARD = 8;
const WORDS = 9;

/** ns on the clock that all threads of the process share. 60 ns a call. */
export const stamp = sharedNanos;

export class Probe {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Float64Array;
  /** The moments, once more as ordered words: a 0 or a 1 that may be waited for. */
  readonly #flags: Int32Array;
  readonly mode: ProbeMode;
  /** In the task's thread: the polls since the last that were counted. */
  uncounted: () => number = () => 0;

  /** Given a mode, a new one; given a buffer, the one that is there. */
  constructor(from: ProbeMode | SharedArrayBuffer) {
    this.buffer = typeof from === "number" ? new SharedArrayBuffer(WORDS * 8 + 8) : from;
    this.#words = new Float64Array(this.buffer, 0, WORDS);
    this.#flags = new Int32Array(this.buffer, WORDS * 8, 2);
    if (typeof from === "number") this.#words[MODE] = from;
    this.mode = this.#words[MODE] as ProbeMode;
  }

  // ---- the task's thread

  /** `fn`, which stamps its begin and its end. */
  around<A extends readonly unknown[]>(
    fn: (ctx: Context, ...args: A) => unknown,
  ): (ctx: Context, ...args: A) => unknown {
    return (ctx, ...args) => {
      this.#begin();
      let result: unknown;
      try {
        result = fn(ctx, ...args);
      } catch (error) {
        this.#end();
        throw error;
      }
      if (isThenable(result)) {
        return Promise.resolve(result).finally(() => {
          this.#end();
        });
      }
      this.#end();
      return result;
    };
  }

  #begin(): void {
    const at = stamp();
    this.#words[BEGAN] = at;
    this.#words[LAST] = at;
    Atomics.store(this.#flags, 0, 1);
  }

  #end(): void {
    const at = stamp();
    this.polled(this.uncounted());
    // What it does once it has seen its end is no time without a look.
    if (this.mode === GAPS && this.seen === undefined) this.#gap(at);
    this.#words[ENDED] = at;
    Atomics.store(this.#flags, 1, 1);
  }

  /** The task has looked so many times at its context, or at one derived from it; with GAPS, once. */
  polled(times: number): void {
    if (this.mode === STAMPS || Atomics.load(this.#flags, 1) === 1) return;
    (this.#words[POLLS] as number) += times;
    if (this.mode === GAPS && times > 0) this.#gap(stamp());
  }

  #gap(at: number): void {
    const words = this.#words;
    const gap = at - (words[LAST] as number);
    words[LAST] = at;
    (words[SQUARES] as number) += gap * gap;
    if (gap > (words[LONGEST] as number)) words[LONGEST] = gap;
  }

  /** The context is about to end here, once: by a look, or by a message or a timer, since the task awaits something. */
  saw(isHeard: boolean): void {
    if (Atomics.load(this.#flags, 1) === 1) return;
    this.#words[HEARD] = isHeard ? 1 : 0;
    this.#words[SEEN] = stamp();
  }

  // ---- whoever measures: stamps as of `stamp`

  get hasBegun(): boolean {
    return Atomics.load(this.#flags, 0) === 1;
  }

  get hasEnded(): boolean {
    return Atomics.load(this.#flags, 1) === 1;
  }

  get began(): number {
    return this.#words[BEGAN] as number;
  }

  /** Undefined: its function ended, or was ended, without having looked. */
  get seen(): number | undefined {
    const at = this.#words[SEEN] as number;
    return at === 0 ? undefined : at;
  }

  /** Of one that has seen its end: it was told, and did not have to look. */
  get isHeard(): boolean {
    return this.#words[HEARD] === 1;
  }

  /** Undefined: it did not end by itself. */
  get ended(): number | undefined {
    return this.hasEnded ? this.#words[ENDED] : undefined;
  }

  get polls(): number {
    return this.#words[POLLS] as number;
  }

  /** With GAPS: the times between two looks, from the begin to `until`. */
  gaps(until: number): { readonly longest: number; readonly squares: number } {
    // One that did not end by itself has gone without since its last look.
    const open =
      this.hasEnded || this.seen !== undefined ? 0 : Math.max(0, until - (this.#words[LAST] as number));
    const longest = Math.max(open, this.#words[LONGEST] as number);
    return { longest, squares: (this.#words[SQUARES] as number) + open * open };
  }
}
