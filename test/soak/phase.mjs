// @ts-check
/** The time between two quiet points: the load looks whether it is over, and leaves then. */

export class Phase {
  isOver = false;
  #end = () => {};
  /** @type {Promise<void>} */
  #ended = new Promise((resolve) => {
    this.#end = resolve;
  });

  /** @param {number} ms @param {() => boolean} isFull ends it sooner */
  constructor(ms, isFull) {
    const until = performance.now() + ms;
    const timer = setInterval(() => {
      if (performance.now() < until && !isFull()) return;
      clearInterval(timer);
      this.end();
    }, 50);
    this.#clear = () => clearInterval(timer);
  }

  #clear;

  end() {
    this.#clear();
    this.isOver = true;
    this.#end();
  }

  /** No longer than the phase. @param {number} ms */
  async sleep(ms) {
    /** @type {NodeJS.Timeout | undefined} */
    let timer;
    await Promise.race([
      this.#ended,
      new Promise((resolve) => {
        timer = setTimeout(resolve, ms);
      }),
    ]);
    clearTimeout(timer);
  }
}
