// @ts-check
/** The tasks that lifeguard runs in the benchmarks. */
import { sleep } from "lifeguard/worker";
import { Cell, step } from "../support/cell.mjs";
import * as loops from "./loops.mjs";

/** @typedef {import("lifeguard/worker").Context} Context */

/** @param {Context} _ctx */
export function nothing(_ctx) {
  return undefined;
}

/**
 * Throws, and stamps that: the last thing that a function here does.
 *
 * @param {Context} ctx
 * @param {BigInt64Array} ended
 */
function giveUp(ctx, ended) {
  try {
    ctx.throwIfDone();
  } finally {
    ended[0] = process.hrtime.bigint();
  }
}

/**
 * spinOnFlag, with the context in the flag's place.
 *
 * @param {Context} ctx
 * @param {SharedArrayBuffer} buffer
 */
export function spin(ctx, buffer) {
  const { running, sink, stamp, ended } = new Cell(buffer);
  Atomics.add(running, 0, 1);
  let x = 1;
  while (ctx.err() === undefined) x = step(x);
  stamp[0] = process.hrtime.bigint();
  sink[0] = x;
  giveUp(ctx, ended);
}

/**
 * The same, with a poll every millisecond.
 *
 * @param {Context} ctx
 * @param {SharedArrayBuffer} buffer
 */
export function spinRarely(ctx, buffer) {
  const cell = new Cell(buffer);
  Atomics.add(cell.running, 0, 1);
  loops.spinRarely(cell, () => ctx.err() !== undefined);
  giveUp(ctx, cell.ended);
}

/**
 * Waits in `sleep`, which rejects.
 *
 * @param {Context} ctx
 * @param {SharedArrayBuffer} buffer
 */
export async function waitInSleep(ctx, buffer) {
  const { running, stamp, ended } = new Cell(buffer);
  Atomics.add(running, 0, 1);
  try {
    await sleep(ctx, 3_600_000);
  } finally {
    stamp[0] = process.hrtime.bigint();
    ended[0] = process.hrtime.bigint();
  }
}

/**
 * Waits for `done()`.
 *
 * @param {Context} ctx
 * @param {SharedArrayBuffer} buffer
 */
export async function waitForDone(ctx, buffer) {
  const { running, stamp, ended } = new Cell(buffer);
  Atomics.add(running, 0, 1);
  await ctx.done();
  stamp[0] = process.hrtime.bigint();
  giveUp(ctx, ended);
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

/**
 * So many steps, with a poll before each.
 *
 * @param {Context} ctx
 * @param {number} steps
 */
export function compute(ctx, steps) {
  let x = 1;
  for (let i = 0; i < steps; i++) {
    ctx.throwIfDone();
    x = step(x);
  }
  return x;
}
