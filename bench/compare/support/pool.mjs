// @ts-check
/** The pools under comparison, seen alike. What is particular to one of them is in its file below pools/. */
import { Cell } from "../../support/cell.mjs";
import { until } from "../../support/sampling.mjs";

/** Of every pool: the machines this is made for have at least two cores. */
export const THREADS = 2;

/** @typedef {"lifeguard" | "piscina" | "tinypool" | "workerpool" | "poolifier" | "bare"} PoolName */

/** lifeguard's peers, in the order in which they are printed. */
export const peers = /** @type {const} */ (["piscina", "tinypool", "workerpool", "poolifier"]);

/** Every pool. */
export const everyone = /** @type {const} */ (["lifeguard", ...peers]);

/** @typedef {keyof typeof import("../tasks/work.mjs")} TaskName */

/**
 * With its threads up.
 *
 * @typedef {object} AnyPool
 * @property {(task: TaskName, input?: unknown) => PromiseLike<unknown>} run without anything that could cancel it
 * @property {() => Cancellable} together tasks that are cancelled together, as that pool's documentation says
 * @property {<T>(task: "nothing" | "spin", inputs: Iterable<T>) => Mapped} [map] only lifeguard has one
 */

/**
 * @typedef {object} Cancellable
 * @property {(task: TaskName, input?: unknown) => PromiseLike<unknown>} run
 * @property {(promises: readonly PromiseLike<unknown>[]) => void} cancel is given what `run` returned
 */

/**
 * A task for each input, as one batch.
 *
 * @typedef {object} Mapped
 * @property {() => AsyncIterable<unknown>} each the results one by one; either this is used, or `results`
 * @property {() => Promise<readonly unknown[]>} results
 * @property {() => number} done how many inputs are done
 * @property {() => void} cancel
 */

/**
 * Loaded by name: who measures a pool does not load the others, and who only lists what there is loads none.
 *
 * @param {PoolName} name
 * @param {object} [options] the pool's own, beyond the number of threads
 * @returns {Promise<AnyPool>}
 */
export async function openPool(name, options) {
  /** @type {unknown} */
  const module = await import(`../pools/${name}.mjs`);
  const pool = await /** @type {{ open: (options?: object) => Promise<AnyPool> }} */ (module).open(options);
  await bothFree(pool);
  return pool;
}

/**
 * Waits until each thread has run a task: two that wait for each other cannot run on one.
 *
 * @param {AnyPool} pool
 * @returns {Promise<bigint>} when the second one began, on the clock of all threads
 */
export async function bothFree(pool) {
  const meeting = new Cell();
  const input = { buffer: meeting.buffer, parties: THREADS };
  await Promise.all(Array.from({ length: THREADS }, () => pool.run("meet", input)));
  return Atomics.load(meeting.stamp, 0);
}

/**
 * Keeps every thread busy, so that what comes next stays in the queue.
 *
 * @param {AnyPool} pool
 * @returns {Promise<() => Promise<void>>} lets them go
 */
export async function holdAll(pool) {
  const cell = new Cell();
  const held = Array.from({ length: THREADS }, () => pool.run("hold", cell.buffer));
  await until(() => Atomics.load(cell.running, 0) === THREADS);
  return async () => {
    Atomics.store(cell.flag, 0, 1);
    Atomics.notify(cell.flag, 0);
    await Promise.all(held);
  };
}
