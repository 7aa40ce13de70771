// @ts-check
/**
 * What the soak is to find, on purpose: with LIFEGUARD_SOAK_BREAK one thing goes wrong behind its back. Only its own test sets that.
 * Nothing of it reaches into the library: pools and the ledger are told lies, or something is left behind.
 */
import { openSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { background, isContextError } from "lifeguard";
import { POOL, poolAt, SLOT, slotAt } from "./words.mjs";

/** @typedef {import("lifeguard").Pool} Pool */
/** @typedef {import("lifeguard").PoolOptions} PoolOptions */
/** @typedef {import("lifeguard").PoolStats} PoolStats */

/** What can be broken, and which invariant is to say so. */
export const BREAKS = /** @type {const} */ ({
  twice: "runs once",
  late: "nothing runs that was dropped",
  lost: "settles in time",
  value: "value",
  outcome: "outcome",
  crowd: "threads at once",
  stats: "statistics",
  order: "queue order",
  capacity: "capacity",
  stray: "over when settled",
  listener: "listeners",
  context: "contexts",
  thread: "threads",
  fd: "file descriptors",
  handle: "handles",
  leak: "heap",
  external: "external memory",
});

/** @typedef {keyof typeof BREAKS} Break */

/** So many tasks go well first. */
const AFTER = 50;

export class Sabotage {
  mode;
  #tasks = 0;
  /** @type {unknown[]} */
  #kept = [];

  /** @param {string | undefined} mode */
  constructor(mode) {
    if (mode !== undefined && !(mode in BREAKS))
      throw new Error(
        `LIFEGUARD_SOAK_BREAK: expected one of ${Object.keys(BREAKS).join(", ")}; got "${mode}"`,
      );
    this.mode = /** @type {Break | undefined} */ (mode);
  }

  /** What a pool is made with, behind the back of who counts its threads. @param {PoolOptions} options @returns {PoolOptions} */
  options({ threads = 1 }) {
    return this.mode === "crowd" ? { threads: threads + 1 } : {};
  }

  /** @template {Pool} P @param {P} pool */
  pool(pool) {
    if (this.mode === "capacity")
      void pool.run(background, "hold", new Int32Array(new SharedArrayBuffer(4))).catch(() => {});
    return pool;
  }

  /**
   * @param {Promise<unknown>} result of a task
   * @param {{ pool: Pool, slot: number, words: Int32Array }} task
   */
  result(result, { pool, slot, words }) {
    if (this.mode === "leak") this.#kept.push(new Array(60).fill(0));
    if (++this.#tasks < AFTER) return result;
    switch (this.mode) {
      case "twice":
        void pool.run(background, "quick", slot).catch(() => {});
        return result;
      case "late":
        return result.catch((/** @type {unknown} */ error) => {
          const at = slotAt(slot) + SLOT.begun;
          // As if a thread had begun it after all.
          if (isContextError(error) && Atomics.load(words, at) === 0)
            setImmediate(() => Atomics.add(words, at, 1));
          throw error;
        });
      case "lost":
        return this.#tasks === AFTER ? new Promise(() => {}) : result;
      case "stray":
        Atomics.add(words, poolAt(1) + POOL.strays, 1);
        return result;
      case "value":
        return result.then(() => "something else");
      default:
        return result;
    }
  }

  /** @template T @param {T} outcome @returns {T | "interrupted"} */
  outcome(outcome) {
    return this.mode === "outcome" && this.#tasks > AFTER ? "interrupted" : outcome;
  }

  /** @param {PoolStats} stats @returns {PoolStats} */
  stats(stats) {
    return this.mode === "stats" && this.#tasks > AFTER
      ? { ...stats, submitted: stats.submitted + 1 }
      : stats;
  }

  /** @template T @param {T[]} order @returns {T[]} */
  order(order) {
    return this.mode === "order" ? [...order].reverse() : order;
  }

  /** @param {object} ctx that nobody is to hold any more */
  released(ctx) {
    if (this.mode === "context") this.#kept.push(ctx);
  }

  /** Once between two quiet points. @param {AbortSignal} lasting */
  phase(lasting) {
    switch (this.mode) {
      case "listener":
        lasting.addEventListener("abort", () => {});
        break;
      case "fd":
        openSync(process.execPath, "r");
        break;
      case "thread":
        new Worker("setInterval(() => {}, 1000)", { eval: true }).unref();
        break;
      case "external":
        this.#kept.push(new ArrayBuffer(4e6));
        break;
      case "handle":
        setInterval(() => {}, 1000);
        break;
      default:
    }
  }
}
