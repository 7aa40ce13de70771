/** How far a task has got, told through its lane. */
import type { Context } from "../context/context.js";
import { checkContext } from "../context/derive.js";
import { invalidArg } from "../context/invalid.js";
import { internalKey } from "../context/keys.js";
import type { Lane } from "./lane.js";

/** Where a task's contexts lead to its lane, until it has ended: a lane has its next task then. */
export interface Reporter {
  lane: Lane | undefined;
}

export const reporterKey = internalKey<Reporter>("reporter");

let last: { readonly ctx: Context; readonly reporter: Reporter | undefined } | undefined;

/**
 * Tells the main thread, which reads it as `task.progress`, how far the task of `ctx` has got. A store into shared
 * memory: call it in the inner loop if that is convenient. Outside a pool, and after the task has ended, it does
 * nothing.
 *
 * @param ctx the task's context, or one derived from it
 * @param fraction 0 to 1; what lies outside is taken to the nearer end
 * @throws TypeError ERR_INVALID_ARG
 */
export function progress(ctx: Context, fraction: number): void {
  if (last === undefined || last.ctx !== ctx) {
    checkContext("progress: ctx", ctx);
    last = { ctx, reporter: ctx.value(reporterKey) };
  }
  if (typeof fraction !== "number" || Number.isNaN(fraction))
    throw invalidArg("progress: fraction", "a number from 0 to 1", fraction);
  const lane = last.reporter?.lane;
  if (lane !== undefined) lane.progress = Math.min(Math.max(fraction, 0), 1);
}
