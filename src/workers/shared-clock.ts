/** The clock that all threads of a process share, and the way from it to a thread's own. */
import { now } from "../context/clock.js";

// In Node `performance.now()` counts from an origin of each thread's own; `hrtime` is one clock for the process. A page and
// its workers have no such clock, but each knows its origin. Taken when the module loads, so that a test's fake clock on the main
// thread stays there.
const { process } = globalThis as { process?: { hrtime?: { bigint?: () => bigint } } };
const hrtime = process?.hrtime?.bigint?.bind(process.hrtime);

/** Nanoseconds, as finely as there are. */
export const sharedNanos: () => number =
  hrtime === undefined ? () => (performance.timeOrigin + performance.now()) * 1e6 : () => Number(hrtime());

/** Milliseconds with fractions. */
export function sharedNow(): number {
  return sharedNanos() / 1e6;
}

/** A time on the shared clock, told on this thread's own. */
export function toLocal(shared: number): number {
  return now() + (shared - sharedNow());
}
