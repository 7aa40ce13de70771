// @ts-check
/**
 * piscina: one AbortSignal for all tasks that are to be cancelled together. It is the root's own copy, found further up:
 * lifeguard runs on the same one.
 */
import { Piscina } from "piscina";
import { THREADS } from "../support/pool.mjs";

/** @returns {Promise<import("../support/pool.mjs").AnyPool>} */
export async function open() {
  const piscina = new Piscina({
    filename: new URL("../tasks/work.mjs", import.meta.url).href,
    minThreads: THREADS,
    maxThreads: THREADS,
    idleTimeout: Number.POSITIVE_INFINITY,
  });
  return {
    run: (task, input) => piscina.run(input, { name: task }),
    together: () => {
      const controller = new AbortController();
      const { signal } = controller;
      return {
        run: (task, input) => piscina.run(input, { name: task, signal }),
        cancel: () => {
          controller.abort();
        },
      };
    },
  };
}
