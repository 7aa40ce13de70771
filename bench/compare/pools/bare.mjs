// @ts-check
/**
 * Workers without a pool, as one writes it by hand: a queue, a message for each task, and another one back. A task is
 * stopped by a message, which it has to let in, or with its thread, which is then started anew.
 */
import { Worker } from "node:worker_threads";
import { THREADS } from "../support/pool.mjs";

/** @typedef {{ task: string, input: unknown, resolve: (value: unknown) => void, reject: (error: Error) => void }} Job */

const entry = new URL("../tasks/bare.mjs", import.meta.url);

/**
 * @param {{ readonly stop?: "message" | "terminate" }} [options]
 * @returns {Promise<import("../support/pool.mjs").AnyPool>}
 */
export async function open({ stop = "terminate" } = {}) {
  /** @type {Job[]} */
  const queue = [];
  let from = 0;
  /** @type {Worker[]} */
  const idle = [];
  /** @type {Map<Worker, Job>} */
  const running = new Map();

  function start() {
    const worker = new Worker(entry);
    worker.on("message", (value) => {
      const job = running.get(worker);
      running.delete(worker);
      free(worker);
      job?.resolve(value);
    });
    free(worker);
  }

  /** @param {Worker} worker */
  function free(worker) {
    const next = queue[from];
    if (next === undefined) {
      idle.push(worker);
      return;
    }
    from++;
    if (from === queue.length) {
      queue.length = 0;
      from = 0;
    }
    give(worker, next);
  }

  /**
   * @param {Worker} worker
   * @param {Job} job
   */
  function give(worker, job) {
    running.set(worker, job);
    worker.postMessage({ task: job.task, input: job.input });
  }

  /**
   * @param {string} task
   * @param {unknown} input
   * @returns {Promise<unknown>}
   */
  function run(task, input) {
    return new Promise((resolve, reject) => {
      const job = { task, input, resolve, reject };
      const worker = idle.shift();
      if (worker === undefined) queue.push(job);
      else give(worker, job);
    });
  }

  /** Everything, and everybody. */
  function cancel() {
    const error = new Error("cancelled");
    for (const { reject } of queue.splice(0)) reject(error);
    from = 0;
    for (const [worker, job] of running) {
      if (stop === "message") {
        worker.postMessage("stop");
      } else {
        running.delete(worker);
        // Not before the thread has ended, which is when the work has.
        void worker.terminate().then(() => job.reject(error));
        start();
      }
    }
  }

  for (let i = 0; i < THREADS; i++) start();
  return { run, together: () => ({ run, cancel }) };
}
