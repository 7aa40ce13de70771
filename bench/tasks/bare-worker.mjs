// @ts-check
/** What a bare worker thread does. */
import { parentPort } from "node:worker_threads";
import { countPrimes, meet, spinForever, spinOnFlag } from "./loops.mjs";

/**
 * @typedef {{ readonly type: "nothing" }
 *   | { readonly type: "burn", readonly cell: SharedArrayBuffer }
 *   | { readonly type: "spin", readonly cell: SharedArrayBuffer }
 *   | { readonly type: "meet", readonly cell: SharedArrayBuffer, readonly parties: number }
 *   | { readonly type: "primes", readonly from: number, readonly to: number }} Job
 */

const port = /** @type {import("node:worker_threads").MessagePort} */ (parentPort);

port.on("message", (/** @type {Job} */ job) => {
  switch (job.type) {
    case "nothing":
      port.postMessage(undefined);
      return;
    case "burn":
      spinForever(job.cell);
      return;
    case "spin":
      spinOnFlag(job.cell);
      port.postMessage(undefined);
      return;
    case "meet":
      meet(job.cell, job.parties);
      port.postMessage(undefined);
      return;
    case "primes":
      port.postMessage(countPrimes(job.from, job.to));
      return;
    default:
      throw new Error("no such job");
  }
});
