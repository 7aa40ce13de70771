// @ts-check
/** Time that stands still, and passes when it is told to; in place of the platform's while a program runs. */

// The platform's own: they are what comes back.
const { setTimeout, clearTimeout, setImmediate } = globalThis;
const wallNow = Date.now;

/** A whole turn of the event loop: every microtask has run, and those they queued. @returns {Promise<void>} */
export function turn() {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Where both clocks begin; whole, so that sums are exact. */
const ORIGIN = 1_000_000;
const EPOCH = 1_700_000_000_000;

export class Clock {
  #at = 0;
  /** @type {Set<{ at: number, fn: () => void, unref: () => void }>} */
  #timers = new Set();

  /** In place of the platform's from now on. */
  install() {
    const fake = {
      setTimeout: (/** @type {() => void} */ fn, ms = 0) => {
        // As Node: what is too long fires at once.
        const timer = { at: this.#at + (ms > 2 ** 31 - 1 ? 1 : Math.max(1, ms)), fn, unref() {} };
        this.#timers.add(timer);
        return timer;
      },
      clearTimeout: (/** @type {any} */ timer) => {
        this.#timers.delete(timer);
      },
    };
    Object.assign(globalThis, fake);
    performance.now = () => ORIGIN + this.#at;
    Date.now = () => EPOCH + this.#at;
  }

  uninstall() {
    Object.assign(globalThis, { setTimeout, clearTimeout });
    Reflect.deleteProperty(performance, "now");
    Date.now = wallNow;
  }

  /** Timers that are set. */
  get size() {
    return this.#timers.size;
  }

  /** The system's time `ms` after the start. @param {number} ms */
  wall(ms) {
    return EPOCH + ms;
  }

  /** Time passes: timers fire when it is their time, and what each sets off is over before the next. @param {number} ms */
  async pass(ms) {
    const until = this.#at + ms;
    for (;;) {
      await turn();
      const next = [...this.#timers].reduce(
        (first, timer) => (first === undefined || timer.at < first.at ? timer : first),
        /** @type {{ at: number, fn: () => void } | undefined} */ (undefined),
      );
      if (next === undefined || next.at > until) break;
      this.#at = next.at;
      this.#timers.delete(/** @type {any} */ (next));
      next.fn();
    }
    this.#at = until;
  }
}
