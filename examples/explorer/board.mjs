// @ts-check
/**
 * Which thread has begun which task, and when: the threads write it down in shared memory, the main thread reads it. A message
 * for each would do as well, but would come after the fact.
 */

/** Far more than there are tasks at a time: the queue is bounded, and so are the threads. */
const PLACES = 1024;

export class Board {
  #threads;
  #times;

  /** @param {SharedArrayBuffer} memory */
  constructor(memory = new SharedArrayBuffer(PLACES * 12)) {
    this.memory = memory;
    this.#times = new Float64Array(memory, 0, PLACES);
    this.#threads = new Int32Array(memory, PLACES * 8, PLACES);
  }

  /**
   * @param {number} number - of the task
   * @param {number} threadId - 1 or more
   */
  begin(number, threadId) {
    // Each thread's performance.now() has a beginning of its own.
    this.#times[number % PLACES] = performance.timeOrigin + performance.now();
    Atomics.store(this.#threads, number % PLACES, threadId);
  }

  /**
   * What became of it, in the reader's own time.
   *
   * @param {number} number
   * @returns {{ thread: number, began: number } | undefined} undefined: no thread has begun
   */
  read(number) {
    const thread = Atomics.load(this.#threads, number % PLACES);
    if (thread === 0) return undefined;
    return { thread, began: (this.#times[number % PLACES] ?? 0) - performance.timeOrigin };
  }

  /** @param {number} number - a task that has not been submitted yet, or is over */
  clear(number) {
    Atomics.store(this.#threads, number % PLACES, 0);
  }
}
