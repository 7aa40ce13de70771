// @ts-check
/** Has a picture drawn on a thread of its own, and tells how far it came. */
import { Worker } from "node:worker_threads";
import { Comlink, nodeEndpoint } from "./comlink.mjs";

process.stdout.on("error", () => process.exit()); // the reader has gone, as `head` does
const worker = new Worker(new URL("./worker.mjs", import.meta.url));
/** @type {import("comlink").Remote<import("./worker.mjs").Api>} */
const remote = Comlink.wrap(nodeEndpoint(worker));

const began = performance.now();
try {
  const lines = await remote.render({ width: 78, height: 24 });
  console.log(lines.join("\n"));
} catch (error) {
  console.log(`No picture: ${/** @type {Error} */ (error).message}.`);
}
// Answered when the thread is free again.
const drawn = await remote.drawn();
console.log(`${drawn} of 24 lines were drawn, in ${Math.round(performance.now() - began)} ms.`);
await worker.terminate();
