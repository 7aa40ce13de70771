// @ts-check
/** A few shared words between a benchmark and the loop it watches, each on cache lines of its own. */

const LINE = 128;

/** Both sides make one over the same buffer. */
export class Cell {
  buffer;
  /** What a bare loop looks at; 0 while it shall run. */
  flag;
  /** How many loops are running. */
  running;
  /** Where loops leave what they computed, so that nobody can leave the computing out. */
  sink;
  /** When the loop saw it, on the clock of all threads. */
  stamp;
  /** When the function that it was in had nothing left to do: beside the other, the same thread writes both. */
  ended;

  constructor(buffer = new SharedArrayBuffer(5 * LINE)) {
    this.buffer = buffer;
    this.flag = new Int32Array(buffer, LINE, 1);
    this.running = new Int32Array(buffer, 2 * LINE, 1);
    this.sink = new Int32Array(buffer, 3 * LINE, 1);
    this.stamp = new BigInt64Array(buffer, 4 * LINE, 1);
    this.ended = new BigInt64Array(buffer, 4 * LINE + 8, 1);
  }

  reset() {
    Atomics.store(this.flag, 0, 0);
    Atomics.store(this.running, 0, 0);
    Atomics.store(this.stamp, 0, 0n);
    Atomics.store(this.ended, 0, 0n);
  }

  /** @param {bigint} from */
  since(from) {
    return Number(Atomics.load(this.stamp, 0) - from);
  }

  /** @param {bigint} from */
  endedSince(from) {
    return Number(Atomics.load(this.ended, 0) - from);
  }
}

/**
 * The work of every loop here: a step of a random number generator, that is, integers in registers.
 *
 * @param {number} x
 */
export function step(x) {
  return (Math.imul(x, 1103515245) + 12345) | 0;
}
