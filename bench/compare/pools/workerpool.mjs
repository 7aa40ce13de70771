// @ts-check
/** workerpool: its promises have a `cancel()` each. */
import { fileURLToPath } from "node:url";
import workerpool from "workerpool";
import { THREADS } from "../support/pool.mjs";

/** @returns {Promise<import("../support/pool.mjs").AnyPool>} */
export async function open() {
  const pool = workerpool.pool(fileURLToPath(new URL("../tasks/workerpool.mjs", import.meta.url)), {
    minWorkers: THREADS,
    maxWorkers: THREADS,
    workerType: "thread",
  });
  /**
   * @param {import("../support/pool.mjs").TaskName} task
   * @param {unknown} [input]
   */
  const run = (task, input) => pool.exec(task, input === undefined ? null : [input]);
  return {
    run,
    together: () => ({
      run,
      cancel: (promises) => {
        for (const promise of /** @type {readonly ReturnType<typeof run>[]} */ (promises)) promise.cancel();
      },
    }),
  };
}
