// @ts-check
/**
 * The cost of polls, measured on the thread itself: each task runs on a thread of its own, so that its loop meets one
 * kind of context only. Loops are written out because a shared one would be compiled for all of them.
 */
import { withTimeout } from "lifeguard/worker";
import { step } from "../support/cell.mjs";

/** @typedef {import("lifeguard/worker").Context} Context */

/** Steps in one sample: some 5 ms, during which the deadline's stride settles. */
const STEPS = 3_000_000;

const now = process.hrtime.bigint;

let sink = 0;

/** @param {number} steps */
function bareLoop(steps) {
  let x = 1;
  for (let i = 0; i < steps; i++) x = step(x);
  sink = x;
}

/**
 * @param {Context} ctx
 * @param {number} steps
 */
function pollingLoop(ctx, steps) {
  let x = 1;
  for (let i = 0; i < steps; i++) {
    if (ctx.err() !== undefined) break;
    x = step(x);
  }
  sink = x;
}

/**
 * @param {Context} ctx
 * @param {number} steps
 */
function throwingLoop(ctx, steps) {
  let x = 1;
  for (let i = 0; i < steps; i++) {
    ctx.throwIfDone();
    x = step(x);
  }
  sink = x;
}

/**
 * @param {Int32Array} words
 * @param {number} steps
 */
function plainLoop(words, steps) {
  let x = 1;
  for (let i = 0; i < steps; i++) {
    if (words[0] !== 0) break;
    x = step(x);
  }
  sink = x;
}

/**
 * @param {Int32Array} words
 * @param {number} steps
 */
function atomicLoop(words, steps) {
  let x = 1;
  for (let i = 0; i < steps; i++) {
    if (Atomics.load(words, 0) !== 0) break;
    x = step(x);
  }
  sink = x;
}

/**
 * Per step, what `loop` takes over the loop without a poll. Both in turn; the first rounds are the compiler's.
 *
 * @param {() => void} loop
 * @param {number} rounds
 */
function overBare(loop, rounds) {
  /** @type {number[]} */
  const samples = [];
  for (let round = -5; round < rounds; round++) {
    const from = now();
    bareLoop(STEPS);
    const between = now();
    loop();
    const to = now();
    if (round >= 0) samples.push(Number(to - between - (between - from)) / STEPS);
  }
  return { samples, sink };
}

/**
 * @param {Context} ctx
 * @param {number} rounds
 */
export function err(ctx, rounds) {
  return overBare(() => {
    pollingLoop(ctx, STEPS);
  }, rounds);
}

/**
 * @param {Context} ctx
 * @param {number} rounds
 */
export function throwIfDone(ctx, rounds) {
  return overBare(() => {
    throwingLoop(ctx, STEPS);
  }, rounds);
}

/**
 * @param {Context} ctx
 * @param {number} rounds
 */
export function derived(ctx, rounds) {
  let inner = ctx;
  for (let depth = 0; depth < 3; depth++) [inner] = withTimeout(inner, 600_000 - depth);
  return overBare(() => {
    pollingLoop(inner, STEPS);
  }, rounds);
}

/**
 * One loop that has met the task's own context and a derived one.
 *
 * @param {Context} ctx
 * @param {number} rounds
 */
export function mixed(ctx, rounds) {
  const [inner] = withTimeout(ctx, 600_000);
  let turn = 0;
  return overBare(() => {
    pollingLoop(turn++ % 2 === 0 ? ctx : inner, STEPS);
  }, rounds);
}

/**
 * @param {Context} _ctx
 * @param {number} rounds
 */
export function plain(_ctx, rounds) {
  const words = new Int32Array(new SharedArrayBuffer(64));
  return overBare(() => {
    plainLoop(words, STEPS);
  }, rounds);
}

/**
 * @param {Context} _ctx
 * @param {number} rounds
 */
export function atomic(_ctx, rounds) {
  const words = new Int32Array(new SharedArrayBuffer(64));
  return overBare(() => {
    atomicLoop(words, STEPS);
  }, rounds);
}
