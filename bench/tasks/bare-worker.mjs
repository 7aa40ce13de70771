// @ts-check
/** What a bare worker thread does. */
import { parentPort } from "node:worker_threads";
import { Cell } from "../support/cell.mjs";
import { countPrimes, meet, spinForever, spinOnFlag, spinRarely } from "./loops.mjs";

/**
 * @typedef {{ readonly type: "nothing" }
 *   | { readonly type: "burn", readonly cell: SharedArrayBuffer }
 *   | { readonly type: "spin", readonly cell: SharedArrayBuffer }
 *   | { readonly type: "spinRarely", readonly cell: SharedArrayBuffer }
 *   | { readonly type: "wait", readonly cell: SharedArrayBuffer }
 *   | { readonly type: "stop" }
 *   | { readonly type: "meet", readonly cell: SharedArrayBuffer, readonly parties: number }
 *   | { readonly type: "primes", readonly from: number, readonly to: number }} Job
 */

const port = /** @type {import("node:worker_threads").MessagePort} */ (parentPort);

/** What a message that says "stop" wakes. */
let wake = nothing;

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
    case "spinRarely": {
      const cell = new Cell(job.cell);
      Atomics.add(cell.running, 0, 1);
      spinRarely(cell, () => cell.flag[0] !== 0);
      cell.ended[0] = process.hrtime.bigint();
      port.postMessage(undefined);
      return;
    }
    case "wait": {
      const cell = new Cell(job.cell);
      wake = () => {
        cell.stamp[0] = process.hrtime.bigint();
        cell.ended[0] = process.hrtime.bigint();
        port.postMessage(undefined);
      };
      Atomics.add(cell.running, 0, 1);
      return;
    }
    case "stop":
      wake();
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

function nothing() {}
