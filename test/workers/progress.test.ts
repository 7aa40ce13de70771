/** How far a task has got. */

import { background, type Pool } from "lifeguard";
import { progress, withCancel } from "lifeguard/worker";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failure, pooled, settled, threadGate, until } from "../support/pool.js";

let pool: Pool;
beforeAll(() => {
  pool = pooled({ threads: 1, grace: 0 });
});
afterAll(() => pool.destroy());

test("the main thread reads what the task told last; what lies outside 0 to 1 is taken to the nearer end", async () => {
  const gate = threadGate();
  const steps = [0.25, 0.5, 1, 0.75, 2, -1, Infinity, 0.125];
  const task = pool.submit(background, "tellProgress", [gate.view, steps]);
  expect(task.progress).toBe(0);
  for (const [i, step] of steps.entries()) {
    await gate.entered(i + 1);
    expect(task.progress).toBeCloseTo(Math.min(1, Math.max(0, step)), 8);
    Atomics.store(gate.view, 1, i + 1);
    Atomics.notify(gate.view, 1);
  }
  await task.result;
  expect(task.progress).toBe(0.125); // kept
});

test("a derived context leads to the task as well", async () => {
  const gate = threadGate();
  const task = pool.submit(background, "tellProgressDerived", [gate.view, 0.5]);
  await gate.entered();
  expect(task.progress).toBe(0.5);
  gate.open();
  await task.result;
});

test("starts at 0 with each task of a thread", async () => {
  const gate = threadGate();
  const next = pool.submit(background, "hold", [gate.view, 1]);
  await gate.entered();
  expect(next.progress).toBe(0);
  gate.open();
  await next.result;
});

test("is kept when the task is stopped hard", async () => {
  const gate = threadGate();
  const task = pool.submit(background, "tellProgressDerived", [gate.view, 0.375]);
  await gate.entered();
  task.cancel();
  expect(await settled(task)).toBe("terminated");
  expect(task.progress).toBe(0.375);
});

test("stray work of a task that has settled tells nothing, to nobody", async () => {
  const stray = threadGate();
  const task = pool.submit(background, "strayProgress", [stray.view]);
  await task.result;
  expect(task.progress).toBe(0.25);
  const gate = threadGate();
  const next = pool.submit(background, "awaitThen", [gate.view, "return", 1], { grace: Infinity });
  await gate.entered();
  Atomics.store(stray.view, 2, 0);
  await stray.written(2); // told while the next task runs
  expect(next.progress).toBe(0);
  expect(task.progress).toBe(0.25);
  Atomics.store(stray.view, 3, 1);
  next.cancel();
  expect(await next.result).toBe(1);
});

test("what is no number is refused", async () => {
  for (const fraction of [Number.NaN, "0.5", null, undefined, {}, 1n]) {
    const error = await failure(pool.run(background, "badProgress", fraction));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.code).toBe("ERR_INVALID_ARG");
    expect(error.message).toMatch(/^progress: fraction/);
  }
});

test("outside a pool it does nothing, and still checks its arguments", () => {
  const [ctx, cancel] = withCancel(background);
  for (const each of [background, ctx]) expect(() => progress(each, 0.5)).not.toThrow();
  expect(() => progress(ctx, Number.NaN)).toThrow(/progress: fraction/);
  expect(() => progress({} as never, 0.5)).toThrow(/progress: ctx/);
  expect(() => progress(undefined as never, 0.5)).toThrow(/progress: ctx/);
  cancel();
});

test("a queued task has made none", async () => {
  const gate = threadGate();
  const first = pool.run(background, "hold", gate.view);
  const second = pool.submit(background, "nothing", []);
  await until(() => gate.read(0) === 1);
  expect(second.progress).toBe(0);
  gate.open();
  await Promise.all([first, second.result]);
});
