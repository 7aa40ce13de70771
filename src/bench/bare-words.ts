/** What a bare thread and its other end share. */
export interface BareData {
  readonly words: Int32Array;
  readonly stamps: Float64Array;
  /** It spins from the beginning, to keep a processor busy. */
  readonly burns: boolean;
}

// Apart from each other, so that the one who waits does not slow down the one who works.
export const FLAG = 0;
export const RUNNING = 32;
export const WORDS = 64;
