/** The threads of this process, found by what a function tells of its own. */
import { Worker } from "node:worker_threads";
import { until } from "../support/pool.js";

const workers = new Map<number, Worker>();
/** Those that somebody has called `terminate` of. */
const told = new Set<number>();

/** Those that have been started and have not gone. */
export function liveThreads(): number {
  return [...workers.values()].filter(({ threadId }) => threadId !== -1).length;
}

/** To be called before the first of them is started. Returns what stops it. */
export function watchThreads(): () => void {
  const collect = (worker: Worker): void => {
    const { threadId } = worker;
    workers.set(threadId, worker);
    worker.terminate = () => {
      told.add(threadId);
      return Worker.prototype.terminate.call(worker);
    };
    worker.once("exit", () => workers.delete(threadId));
  };
  process.on("worker", collect);
  return () => {
    process.off("worker", collect);
  };
}

/** Word 3 says which: see fixtures/matrix.mjs. */
function threadOf(words: Int32Array): Worker {
  const worker = workers.get(Atomics.load(words, 3));
  if (worker === undefined) throw new Error("no thread has told that it is here");
  return worker;
}

/** Ends the thread behind its pool's back. */
export async function endThread(words: Int32Array): Promise<void> {
  await threadOf(words).terminate();
}

/** The next order to end this thread does not arrive, as it happens in V8. */
export function loseTheOrder(words: Int32Array): void {
  const worker = threadOf(words);
  worker.terminate = () => {
    Reflect.deleteProperty(worker, "terminate");
    return Promise.resolve(0);
  };
}

/** Resolves when the thread has been told to end, or has gone. */
export function toldToEnd(words: Int32Array): Promise<void> {
  const id = Atomics.load(words, 3);
  return until(() => told.has(id) || !workers.has(id));
}
