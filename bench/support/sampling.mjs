// @ts-check
/** Taking samples of several sides in turn, for as long as nobody has asked to stop. */
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";

/**
 * BENCH_SCALE: this part of all samples is taken. For trying a suite out; what it then says is no measurement.
 *
 * @type {number}
 */
export const scale = readScale(process.env.BENCH_SCALE);

/** @param {string | undefined} text */
function readScale(text = "1") {
  const value = Number(text);
  if (value > 0 && value <= 1) return value;
  process.stderr.write(`BENCH_SCALE: expected a number above 0 and at most 1, got "${text}"\n`);
  process.exit(2);
}

/**
 * How many of so many, as BENCH_SCALE says.
 *
 * @param {number} count
 * @param {number} [atLeast]
 */
export function scaled(count, atLeast = 1) {
  return Math.min(count, Math.max(atLeast, Math.round(count * scale)));
}

let stopping = false;

/** From now on every loop of samples ends at its next one: what was measured so far is reported. */
export function stopSampling() {
  stopping = true;
}

export function isStopping() {
  return stopping;
}

/**
 * Samples of each side, taken in turn, some at a time: few enough that both sides meet the same machine, enough that
 * neither always runs in caches that the other has filled. Who goes first changes at random.
 *
 * @param {number} rounds fewer with BENCH_SCALE
 * @param {readonly (() => number | Promise<number>)[]} sides each takes one sample
 * @param {{ warmup?: number, burst?: number }} [options] warmup: rounds whose samples are thrown away; burst: samples at a time
 * @returns {Promise<number[][]>} for each side its samples, in order; of all the same number
 */
export async function inTurn(rounds, sides, { warmup = 0, burst = 1 } = {}) {
  const all = sides.map(() => /** @type {number[]} */ ([]));
  const wanted = scaled(rounds, 2);
  for (let round = -warmup; round < wanted && !stopping; round++) {
    const first = Math.floor(Math.random() * sides.length);
    for (let turn = 0; turn < sides.length; turn++) {
      const at = (first + turn) % sides.length;
      const side = sides[at];
      for (let i = 0; i < burst; i++) {
        const sample = (await side?.()) ?? Number.NaN;
        if (round >= 0) all[at]?.push(sample);
      }
    }
  }
  return all;
}

/** A moment that nothing else decides, 1 to 3 ms from now. */
export async function randomMoment() {
  await sleep(1 + 2 * Math.random());
}

/**
 * The same, after which this thread is kept busy for a random 50 to 150 µs with nothing but reading the clock. A thread
 * that has just woken up takes microseconds for its first stamp: what is measured then is the stamp.
 */
export async function warmMoment() {
  await randomMoment();
  const until = process.hrtime.bigint() + BigInt(50_000 + Math.floor(100_000 * Math.random()));
  while (process.hrtime.bigint() < until);
}

/**
 * Keeps this thread busy, its event loop included.
 *
 * @param {number} ms
 */
export function block(ms) {
  const end = process.hrtime.bigint() + BigInt(Math.round(ms * 1e6));
  while (process.hrtime.bigint() < end);
}

/** Collects garbage, so that a sample does not pay for what was before it. Needs --expose-gc. */
export function collectGarbage() {
  globalThis.gc?.();
}

/** @param {() => void} work */
export function timed(work) {
  const from = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - from);
}

/**
 * Waits, turning the event loop, until `isSo`.
 *
 * @param {() => boolean} isSo
 */
export async function until(isSo) {
  while (!isSo()) await turn();
}

/** For results whose end alone counts. */
export function ignore() {}
