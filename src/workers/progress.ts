/** How far a task has got, told through its lane. */
import type { Context } from "../context/context.js";
import { checkContext } from "../context/derive.js";
import { invalidArg } from "../context/invalid.js";
import { type Place, placeKey } from "./place.js";

let last: { readonly ctx: Context; readonly place: Place | undefined } | undefined;

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
    last = { ctx, place: ctx.value(placeKey) };
  }
  if (typeof fraction !== "number" || Number.isNaN(fraction))
    throw invalidArg("progress: fraction", "a number from 0 to 1", fraction);
  const { place } = last;
  if (place !== undefined && !place.isLeft)
    place.lane.setProgress(place.at, Math.min(Math.max(fraction, 0), 1));
}
