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

/**
 * Polls, which the others cannot.
 *
 * @param {Context} ctx
 * @param {SharedArrayBuffer} buffer
 */
export function busy(ctx, buffer) {
  work.busy(buffer, () => {
    ctx.throwIfDone();
  });
}

/**
 * @param {Context} _ctx
 * @param {SharedArrayBuffer} buffer
 */
export function endless(_ctx, buffer) {
  work.endless(buffer);
}
