// @ts-check
/** tinypool: one AbortSignal for all tasks that are to be cancelled together. */
import { Tinypool } from "tinypool";
import { THREADS } from "../support/pool.mjs";

/** @returns {Promise<import("../support/pool.mjs").AnyPool>} */
export async function open() {
  const tinypool = new Tinypool({
    filename: new URL("../tasks/work.mjs", import.meta.url).href,
    minThreads: THREADS,
    maxThreads: THREADS,
    idleTimeout: Number.POSITIVE_INFINITY,
  });
  return {
    run: (task, input) => tinypool.run(input, { name: task }),
    together: () => {
      const controller = new AbortController();
      const { signal } = controller;
      return {
        run: (task, input) => tinypool.run(input, { name: task, signal }),
        cancel: () => {
          controller.abort();
        },
      };
    },
  };
}
