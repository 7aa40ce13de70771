/** The tasks that `lifeguard bench` measures where nobody names another one. They run until they are stopped. */
import type { Context } from "../context/context.js";
import { sleep } from "../context/race.js";

/** A round of work that V8 cannot leave out. */
function step(x: number): number {
  return (Math.imul(x, 31) + 7) | 0;
}

const sink = new Int32Array(1);

/** Polls in each round. */
export function pollTightly(ctx: Context): void {
  let x = 1;
  while (ctx.err() === undefined) x = step(x);
  sink[0] = x;
  ctx.throwIfDone();
}

/** Works for so many ms between two polls. */
export function pollEvery(ctx: Context, ms: number): void {
  for (let x = 1; ; ) {
    ctx.throwIfDone();
    const until = performance.now() + ms;
    while (performance.now() < until) x = step(x);
    sink[0] = x;
  }
}

/** Awaits, and is told. */
export async function awaitEnd(ctx: Context): Promise<void> {
  await sleep(ctx, 2 ** 31);
}

/** Has to be stopped. */
export function neverPoll(_ctx: Context): void {
  for (let x = 1; ; x = step(x)) sink[0] = x;
}

/** Polls so many times, and ends. */
export function pollTimes(ctx: Context, times: number): void {
  let x = 1;
  for (let i = 0; i < times && ctx.err() === undefined; i++) x = step(x);
  sink[0] = x;
}
