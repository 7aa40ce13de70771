// @ts-check
/** The same tasks for workerpool, which wants them registered. */
import workerpool from "workerpool";
import { busy, busyInTurns, endless, hold, meet, nothing, nothings, spin, spins } from "./work.mjs";

/**
 * Told by an abort listener, after which the thread is kept.
 *
 * @this {{ worker: { addAbortListener: (listener: () => Promise<void>) => void } }}
 * @param {SharedArrayBuffer} buffer
 */
async function told(buffer) {
  let isTold = false;
  this.worker.addAbortListener(async () => {
    isTold = true;
  });
  await busyInTurns(buffer, () => isTold);
}

workerpool.worker({
  busy: (/** @type {SharedArrayBuffer} */ buffer) => busy(buffer),
  busyInTurns: told,
  endless,
  hold,
  meet,
  nothing,
  nothings,
  spin,
  spins,
});
