// @ts-check
/** What is counted at quiet points. */
import { getEventListeners } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
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
 * @property {number} fds open, modules' files left out; where the system does not tell, 0
 * @property {number} modules files of modules that are open: Node leaves one when a thread is ended in the middle of reading it
 * @property {number} listeners on the process and on the signal that lasts
 * @property {number} contexts of those that were let go, how many something holds, in a thousand
 * @property {Record<string, number>} kinds of the handles
 * @property {Record<string, number>} files that are open, by what they are
 */

setFlagsFromString("--expose-gc");
const gc = /** @type {() => void} */ (runInNewContext("gc"));

const MODULE = /\.(?:[cm]?js|json)$/;

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
  const files = openFiles();
  const modules = Object.entries(files).reduce(
    (sum, [name, count]) => (MODULE.test(name) ? sum + count : sum),
    0,
  );
  return {
    seconds: (performance.now() - soak.startedAt) / 1000,
    tasks: soak.counts.tasks,
    heap: heapUsed,
    external,
    arrayBuffers,
    rss,
    threads: entries("/proc/self/task"),
    handles: Object.values(kinds).reduce((sum, count) => sum + count, 0),
    fds: Object.values(files).reduce((sum, count) => sum + count, 0) - modules,
    modules,
    listeners:
      process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0) +
      getEventListeners(soak.lasting.signal, "abort").length,
    contexts: soak.released.filter((ref) => ref.deref() !== undefined).length,
    kinds,
    files,
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

/** Sockets and the like without their numbers. */
function openFiles() {
  /** @type {Record<string, number>} */
  const files = {};
  try {
    for (const fd of readdirSync("/proc/self/fd")) {
      const name = nameOf(fd);
      files[name] = (files[name] ?? 0) + 1;
    }
  } catch {
    // Not here.
  }
  return files;
}

/** @param {string} fd */
function nameOf(fd) {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).replace(/:\[\d+\]$/, "");
  } catch {
    return "the look itself";
  }
}
