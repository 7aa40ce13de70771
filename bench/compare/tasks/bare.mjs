// @ts-check
/** The same tasks for Workers without a pool: a message starts one, its result is another, and "stop" is a third. */
import { parentPort } from "node:worker_threads";
import { busy, busyInTurns, endless, hold, meet, nothing, nothings, spin, spins } from "./work.mjs";

const port = /** @type {import("node:worker_threads").MessagePort} */ (parentPort);

let isTold = false;

/** @type {Record<string, (input: any) => unknown>} */
const tasks = {
  busy: (buffer) => busy(buffer),
  busyInTurns: (buffer) => busyInTurns(buffer, () => isTold),
  endless,
  hold,
  meet,
  nothing,
  nothings,
  spin,
  spins,
};

port.on(
  "message",
  async (/** @type {"stop" | { readonly task: string, readonly input: unknown }} */ message) => {
    if (message === "stop") {
      isTold = true;
      return;
    }
    isTold = false;
    port.postMessage(await tasks[message.task]?.(message.input));
  },
);
