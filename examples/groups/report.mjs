// @ts-check
/** What became of each task: printed by all four programs. */
import { afterFunc, isContextError } from "lifeguard";

/** @typedef {{ label: string, task: import("lifeguard").Task<unknown>, note: string }} Row */

export class Report {
  #pool;
  #began = performance.now();
  /** @type {Row[]} */
  #rows = [];

  /** @param {{ stats(): import("lifeguard").PoolStats }} pool */
  constructor(pool) {
    this.#pool = pool;
  }

  /**
   * The result of the task; on the way its end is noted down.
   *
   * @template R
   * @param {string} label
   * @param {import("lifeguard").Task<R>} task
   * @returns {Promise<R>}
   */
  async follow(label, task) {
    const row = { label, task, note: "" };
    this.#rows.push(row);
    let over = 0;
    afterFunc(task.ctx, () => {
      over = performance.now();
    });
    try {
      const value = await task.result;
      row.note = String(value);
      return value;
    } catch (error) {
      const late = performance.now() - over;
      if (!isContextError(error)) row.note = /** @type {Error} */ (error).message;
      else
        row.note = task.outcome === "dropped" ? "never began" : `${late.toFixed(1)} ms after it was told to`;
      throw error;
    }
  }

  /** One line for each task, in the order they were submitted; whether the threads are free again; and how long it took. */
  print() {
    for (const { label, task, note } of this.#rows) {
      console.log(`  ${label.padEnd(31)}  ${(task.outcome ?? task.state).padEnd(9)}  ${note}`);
    }
    const { threads, running, stuck } = this.#pool.stats();
    const free = threads - running - stuck;
    const seconds = ((performance.now() - this.#began) / 1000).toFixed(1);
    console.log(`${free} of ${threads} threads are free again, after ${seconds} s`);
  }
}
