/** Waiting for what the threads do, and for a moment to come. */
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { MAX_DELAY, now } from "../context/clock.js";
import type { Context } from "../context/context.js";
import { race } from "../context/race.js";
import { background } from "../context/roots.js";
import { withTimeout } from "../context/with-deadline.js";
import { stamp } from "../workers/probe.js";
import { MeasurementError } from "./errors.js";
import type { Specimen } from "./specimen.js";

/** So long the event loop turns without rest, ms, before it begins to sleep in between. */
const EAGER = 20;

/**
 * Waits until all of it has begun.
 *
 * @returns false when `ctx` has ended before
 * @throws MeasurementError ERR_TASK_NOT_STARTED after `patience` ms, and what its submission or its own failure was
 */
export async function begun(specimen: Specimen, patience: number, ctx: Context): Promise<boolean> {
  const from = now();
  while (!specimen.haveBegun) {
    if (ctx.err() !== undefined) return false;
    const { failure } = specimen;
    if (failure !== undefined) throw failure.reason;
    const waited = now() - from;
    if (waited > patience) throw notStarted(specimen, patience);
    await (waited < EAGER ? turn() : sleep(1));
  }
  return true;
}

function notStarted({ subject: { pool, name } }: Specimen, patience: number): MeasurementError {
  const { threads, idle, queued } = pool.stats();
  const why = `of the pool's ${threads} threads ${idle} are idle, and ${queued} tasks wait: measure on a pool that has nothing else to do`;
  return new MeasurementError(
    "ERR_TASK_NOT_STARTED",
    `measureCancellation: the task ${JSON.stringify(name)} did not begin within ${patience} ms: ${why}`,
  );
}

/**
 * Waits until all of it has settled.
 *
 * @throws MeasurementError ERR_TASK_NOT_STOPPED after `patience` ms
 */
export async function stopped(specimen: Specimen, patience: number): Promise<void> {
  if (await endsWithin(specimen, patience)) return;
  throw new MeasurementError(
    "ERR_TASK_NOT_STOPPED",
    `measureCancellation: the task ${JSON.stringify(specimen.subject.name)} went on for ${patience} ms after it was cancelled: it does not poll, and its grace is longer than that, or it is in native code; give it a shorter grace`,
  );
}

/** Whether all of it settles within so many ms, and before `ctx` ends. */
export async function endsWithin(
  specimen: Specimen,
  ms: number,
  ctx: Context = background,
): Promise<boolean> {
  await within(specimen.over, ms, ctx);
  return specimen.areOver;
}

/** Whether the promise resolves within so many ms, and before `ctx` ends. Rejects as it does. */
export async function within(promise: Promise<unknown>, ms: number, ctx: Context): Promise<boolean> {
  const [limited, cancel] = withTimeout(ctx, ms);
  // A deadline alone does not keep the process alive.
  const awake = setTimeout(() => {}, Math.min(ms, MAX_DELAY));
  try {
    await race(limited, promise);
    return true;
  } catch (error) {
    if (error !== limited.err()) throw error;
    return false;
  } finally {
    cancel();
    clearTimeout(awake);
  }
}

/** From so many ms before the moment on this thread stays awake: one that has just been woken takes µs for its first stamp. */
const AWAKE = 2;

/** Waits for the moment, a stamp; not past the end of `ctx`. */
export async function moment(at: number, ctx: Context): Promise<void> {
  for (let left = at - stamp(); left > 0 && ctx.err() === undefined; left = at - stamp()) {
    const ms = left / 1e6;
    if (ms > AWAKE + 1) await sleep(Math.min(ms - AWAKE, 100));
    else if (ms > 0.1) await turn();
  }
}
