// @ts-check
/** Runs soak.mjs in a process of its own, and shows what it tells along the way. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { isStopping } from "./sampling.mjs";

/** @typedef {import("./soak.mjs").Snapshot} Snapshot */

/**
 * @param {import("./report.mjs").Report} report
 * @param {string} what
 * @param {import("./soak.mjs").Variant} variant
 * @param {number} stops
 * @returns {Promise<Snapshot[]>}
 */
export async function soak(report, what, variant, stops) {
  /** @type {Snapshot[]} */
  const taken = [];
  report.note(`${what}: ${stops.toLocaleString("en")}`);
  await new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL("./soak.mjs", import.meta.url)), [variant, String(stops)], {
      execArgv: ["--expose-gc"],
    });
    child.on("message", (message) => {
      const snapshot = /** @type {Snapshot} */ (message);
      taken.push(snapshot);
      report.note(line(snapshot));
      if (isStopping()) child.kill();
    });
    child.on("error", reject);
    child.on("exit", resolve);
  });
  report.note("");
  return taken;
}

/** @param {Snapshot} snapshot */
function line({ when, stops, seconds, rss, heap, threads, handles, listeners, warnings, kept }) {
  const mb = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  return `    ${(when ?? stops.toLocaleString("en")).padStart(10)} after ${seconds.toFixed(0)} s  rss ${mb(rss)}  heap ${mb(heap)}  threads ${String(threads)}  handles ${String(handles)}  listeners ${String(listeners)}  warnings ${String(warnings)}  kept ${String(kept)}`;
}
