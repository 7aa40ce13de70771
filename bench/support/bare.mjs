// @ts-check
/** Worker threads with nothing around them: the peer that shows what the machine allows. */
import { Worker } from "node:worker_threads";
import { Cell } from "./cell.mjs";

const entry = new URL("../tasks/bare-worker.mjs", import.meta.url);

/** One job at a time. */
export class BareWorker {
  #worker = new Worker(entry);

  async ready() {
    await this.run({ type: "nothing" });
  }

  /**
   * @param {import("../tasks/bare-worker.mjs").Job} job
   * @returns {Promise<unknown>}
   */
  run(job) {
    return new Promise((resolve) => {
      this.#worker.once("message", resolve);
      this.#worker.postMessage(job);
    });
  }

  /**
   * Of a job that was posted with `start`, behind another one.
   *
   * @returns {Promise<unknown>}
   */
  reply() {
    return new Promise((resolve) => {
      this.#worker.once("message", resolve);
    });
  }

  async end() {
    await this.#worker.terminate();
  }

  /**
   * Posts a job that has no end, or that somebody awaits otherwise.
   *
   * @param {import("../tasks/bare-worker.mjs").Job} job
   */
  start(job) {
    this.#worker.postMessage(job);
  }
}

/**
 * Threads that do nothing but use the processors.
 *
 * @param {number} count
 * @returns {Promise<BareWorker[]>}
 */
export async function burners(count) {
  const workers = Array.from({ length: count }, () => new BareWorker());
  await Promise.all(workers.map((worker) => worker.ready()));
  for (const worker of workers) worker.start({ type: "burn", cell: new Cell().buffer });
  return workers;
}

/** @param {readonly BareWorker[]} workers */
export async function endAll(workers) {
  await Promise.all(workers.map((worker) => worker.end()));
}
