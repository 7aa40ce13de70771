/** Seeing to it that a thread which was told to end does. */
import { clearTimeout, setTimeout } from "node:timers";
import type { Worker } from "node:worker_threads";

/** How long to wait for a thread that was told to end before it is told again, ms: doubled each time, up to the longest. */
const FIRST = 50;
const LONGEST = 1000;

/**
 * Ends it again and again, until it has gone. V8 may lose the order when it comes while a hook on promises is called, or a promise
 * rejected: the loop goes on, and the thread would never go. Not for a thread that is still loading modules: it cannot lose the order, and
 * V8 would end the process if it came in the middle once more.
 */
export function insist(worker: Worker): void {
  let timer: NodeJS.Timeout;
  const wait = (after: number): void => {
    timer = setTimeout(() => {
      // Each call adds a listener to the worker.
      worker.setMaxListeners(0);
      void worker.terminate();
      wait(Math.min(2 * after, LONGEST));
    }, after);
    timer.unref();
  };
  wait(FIRST);
  worker.once("exit", () => {
    clearTimeout(timer);
  });
}
