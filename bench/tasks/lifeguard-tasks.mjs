// @ts-check
/** The tasks that lifeguard runs in the benchmarks. */
import { Cell, step } from "../support/cell.mjs";
import * as loops from "./loops.mjs";

/** @typedef {import("lifeguard/worker").Context} Context */

/** @param {Context} _ctx */
export function nothing(_ctx) {
  return undefined;
}

/**
 * spinOnFlag, with the context in the flag's place.
 *
 * @param {Context} ctx
 * @param {SharedArrayBuffer} buffer
 */
export function spin(ctx, buffer) {
  const { running, sink, stamp } = new Cell(buffer);
  Atomics.add(running, 0, 1);
  let x = 1;
  while (ctx.err() === undefined) x = step(x);
  stamp[0] = process.hrtime.bigint();
  sink[0] = x;
  ctx.throwIfDone();
}

/**
 * @param {Context} _ctx
 * @param {SharedArrayBuffer} buffer
 */
export function spinForever(_ctx, buffer) {
  loops.spinForever(buffer);
}

/**
 * @param {Context} _ctx
 * @param {SharedArrayBuffer} buffer
 * @param {number} parties
 */
export function meet(_ctx, buffer, parties) {
  loops.meet(buffer, parties);
}

/**
 * @param {Context} _ctx
 * @param {SharedArrayBuffer} buffer
 */
export function hold(_ctx, buffer) {
  loops.hold(buffer);
}

/**
 * @param {Context} _ctx
 * @param {number} from
 * @param {number} to
 */
export function primes(_ctx, from, to) {
  return loops.countPrimes(from, to);
}

/**
 * @param {Context} _ctx
 * @param {SharedArrayBuffer} buffer
 */
export function stampForever(_ctx, buffer) {
  loops.stampForever(buffer);
}
