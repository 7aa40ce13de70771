/** A thread with nothing around it but a flag in shared memory: what the machine allows. Its other end is bare.ts. */
import { parentPort, workerData } from "node:worker_threads";
import { stamp } from "../workers/probe.js";
import { type BareData, FLAG, RUNNING } from "./bare-words.js";

const { words, stamps, burns } = workerData as BareData;

/** Until the flag is raised; then a stamp, and a message back. */
function spin(): void {
  let x = 1;
  Atomics.store(words, RUNNING, 1);
  while (words[FLAG] === 0) x = (Math.imul(x, 31) + 7) | 0;
  stamps[0] = stamp();
  stamps[1] = x;
  parentPort?.postMessage(undefined);
}

if (burns) spin();
else parentPort?.on("message", spin);
