/** Who is let in, while there is more to do than can be done. */
import type { Context } from "../context/context.js";
import { invalidArg } from "../context/invalid.js";
import { remaining } from "../context/with-deadline.js";
import type { PoolEstimate, SubmitOptions } from "../pool/types.js";
import { RequestError } from "./errors.js";

/** What is asked of a pool. */
export interface Estimating {
  estimate(ctx: Context, name: never, options?: Pick<SubmitOptions, "priority">): PoolEstimate;
}

/** Nobody is sent away for longer than this, s: an estimate that far off is worth nothing. */
const LONGEST = 60;

/**
 * Returns if it makes sense to submit a task of that name now. If not, it says so at once, which costs the client less than
 * waiting in vain, and the others nothing: when the pool's queue is full, or the deadline of `ctx` will have passed, by how long
 * tasks have taken lately, before the task is done. While a thread is free, every task is let in.
 *
 * It reserves nothing: submit in the same turn of the event loop.
 *
 * @throws RequestError ERR_OVERLOADED, with `retryAfter`; `ctx.err()` when `ctx` has ended; TypeError ERR_INVALID_ARG
 */
export function admit<P extends Estimating>(
  ctx: Context,
  pool: P,
  name: Parameters<P["estimate"]>[1],
  options?: Pick<SubmitOptions, "priority">,
): void {
  if (typeof (pool as Partial<Estimating> | null | undefined)?.estimate !== "function")
    throw invalidArg("admit: pool", "a Pool", pool);
  const { wait, run, room } = pool.estimate(ctx, name, options);
  ctx.throwIfDone();
  if (room < 1) throw overloaded("the queue is full", wait);
  const left = remaining(ctx);
  if (wait > 0 && wait + run > left)
    throw overloaded(
      `it would take some ${(wait + run).toFixed(0)} ms, and ${left.toFixed(0)} ms are left`,
      wait + run - left,
    );
}

/** @param ms when there may be room */
function overloaded(why: string, ms: number): RequestError {
  const retryAfter = Math.min(Math.max(1, Math.ceil(ms / 1000)), LONGEST);
  return new RequestError("ERR_OVERLOADED", `overloaded: ${why}`, { retryAfter });
}
