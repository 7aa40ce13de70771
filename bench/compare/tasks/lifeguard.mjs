// @ts-check
/** The same tasks for lifeguard, with a context that the spinning one asks. */
import * as work from "./work.mjs";

/** @typedef {import("lifeguard/worker").Context} Context */

/** @param {Context} _ctx */
export function nothing(_ctx) {
  return undefined;
}

/** @param {Context} ctx */
export function spin(ctx) {
  const end = process.hrtime.bigint() + work.SPIN;
  while (process.hrtime.bigint() < end) ctx.throwIfDone();
}

/**
 * @param {Context} _ctx
 * @param {SharedArrayBuffer} buffer
 */
export function hold(_ctx, buffer) {
  work.hold(buffer);
}

/**
 * @param {Context} _ctx
 * @param {{ buffer: SharedArrayBuffer, parties: number }} argument
 */
export function meet(_ctx, argument) {
  work.meet(argument);
}
