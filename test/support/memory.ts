/** What the garbage collector can tell about things that are private: whether something is still held. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { turn } from "./turn.js";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

/** Bytes in use after a full collection. */
export function heapUsed(): number {
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

/**
 * Whether nothing holds what `make` returns. It has to be made inside `make`: what the caller's own frame
 * can reach is not collectable.
 */
export async function collectable(make: () => object): Promise<boolean> {
  const ref = new WeakRef(make());
  for (let round = 0; round < 10; round++) {
    await turn(); // a WeakRef holds its target until the current job is over
    gc();
    if (ref.deref() === undefined) return true;
  }
  return false;
}

/** By how many bytes the heap grows while `work` is done `times` times, once warmed up. */
export function heapGrowth(times: number, work: () => void): number {
  for (let i = 0; i < 10_000; i++) work();
  const before = heapUsed();
  for (let i = 0; i < times; i++) work();
  return heapUsed() - before;
}
