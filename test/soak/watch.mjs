// @ts-check
/** What is counted at quiet points. */
import { getEventListeners } from "node:events";
import { readdirSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** @typedef {import("./soak.mjs").Soak} Soak */

/**
 * @typedef {object} Sample
 * @property {number} seconds
 * @property {number} tasks so far
 * @property {number} heap bytes in use, after collections, as all that follows
 * @property {number} external bytes
 * @property {number} arrayBuffers bytes of these that ArrayBuffers have
 * @property {number} rss bytes
 * @property {number} threads of the process; where the system does not tell, 0
 * @property {number} handles that Node knows
 * @property {number} fds open; where the system does not tell, 0
 * @property {number} listeners on the process and on the signal that lasts
 * @property {number} contexts of those that were let go, how many something holds, in a thousand
 * @property {Record<string, number>} kinds of the handles
 */

setFlagsFromString("--expose-gc");
const gc = /** @type {() => void} */ (runInNewContext("gc"));

/** Whatever finalizers there are have run. */
export async function collect() {
  for (let round = 0; round < 4; round++) {
    gc();
    await turn();
  }
}

/** @param {Soak} soak @returns {Sample} */
export function sample(soak) {
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
  /** @type {Record<string, number>} */
  const kinds = {};
  for (const kind of process.getActiveResourcesInfo()) kinds[kind] = (kinds[kind] ?? 0) + 1;
  return {
    seconds: (performance.now() - soak.startedAt) / 1000,
    tasks: soak.counts.tasks,
    heap: heapUsed,
    external,
    arrayBuffers,
    rss,
    threads: entries("/proc/self/task"),
    handles: Object.values(kinds).reduce((sum, count) => sum + count, 0),
    fds: entries("/proc/self/fd"),
    listeners:
      process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0) +
      getEventListeners(soak.lasting.signal, "abort").length,
    contexts: soak.released.filter((ref) => ref.deref() !== undefined).length,
    kinds,
  };
}

/** @param {string} folder */
function entries(folder) {
  try {
    return readdirSync(folder).length;
  } catch {
    return 0;
  }
}
