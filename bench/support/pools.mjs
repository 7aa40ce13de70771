// @ts-check
/** The pools under comparison, over the same tasks. */
import { Pool } from "lifeguard";
import { Piscina } from "piscina";

/** @typedef {typeof import("../tasks/lifeguard-tasks.mjs")} Tasks */

/**
 * @param {import("lifeguard").PoolOptions} options
 * @returns {Promise<Pool<Tasks>>}
 */
export async function lifeguardPool(options) {
  /** @type {Pool<Tasks>} */
  const pool = new Pool(new URL("../tasks/lifeguard-tasks.mjs", import.meta.url), options);
  await pool.ready();
  return pool;
}

/**
 * As many threads as asked for, all of them up.
 *
 * @param {number} threads
 * @param {"sync" | "async"} [atomics] "sync" is piscina's own default
 */
export async function piscinaPool(threads, atomics = "sync") {
  const piscina = new Piscina({
    filename: new URL("../tasks/piscina-tasks.mjs", import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    idleTimeout: Number.POSITIVE_INFINITY,
    atomics,
  });
  await Promise.all(Array.from({ length: threads }, () => piscina.run(undefined, { name: "nothing" })));
  return piscina;
}
