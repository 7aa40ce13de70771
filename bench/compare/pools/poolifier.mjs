// @ts-check
/** poolifier: one AbortSignal for all tasks that are to be cancelled together. */
import { fileURLToPath } from "node:url";
import { FixedThreadPool, WorkerChoiceStrategies } from "poolifier";
import { THREADS } from "../support/pool.mjs";

/** @returns {Promise<import("../support/pool.mjs").AnyPool>} */
export async function open() {
  const pool = new FixedThreadPool(
    THREADS,
    fileURLToPath(new URL("../tasks/poolifier.mjs", import.meta.url)),
    {
      // Without a queue of its own every task is posted to a thread at once, and none that waits can be cancelled.
      enableTasksQueue: true,
      // With stealing, as is the default, 5.3.2 may go on counting a thread as busy after a long queue has drained: the
      // next task given to that thread waits in its queue and never begins.
      tasksQueueOptions: { taskStealing: false },
      // Two tasks in a row go to two threads, whatever those have done before: what holds all threads needs each of them.
      workerChoiceStrategy: WorkerChoiceStrategies.ROUND_ROBIN,
    },
  );
  return {
    run: (task, input) => pool.execute(input, task),
    together: () => {
      const controller = new AbortController();
      const { signal } = controller;
      return {
        run: (task, input) => pool.execute(input, task, signal),
        cancel: () => {
          controller.abort();
        },
      };
    },
  };
}
