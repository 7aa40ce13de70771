import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  background,
  contextKey,
  sleep,
  withCancel,
  withTimeout,
  withValue,
} from "../../src/context/index.js";
import { collectable } from "../support/memory.js";
import { settles } from "../support/turn.js";

const key = contextKey<number>("key");

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** What `promise` rejects with. */
async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => expect.unreachable("resolved"),
    (error: unknown) => error,
  );
}

test("sleep resolves after that time, not before, and leaves no timer", async () => {
  const slept = sleep(background, 1000);
  vi.advanceTimersByTime(999);
  expect(await settles(slept)).toBe(false);
  vi.advanceTimersByTime(1);
  await expect(slept).resolves.toBeUndefined();
  expect(vi.getTimerCount()).toBe(0);
});

test("sleep rejects with ctx.err() as soon as the context is cancelled, and its timer is gone", async () => {
  const [ctx, cancel] = withCancel(background);
  const slept = sleep(withValue(ctx, key, 1), 1000);
  expect(vi.getTimerCount()).toBe(1);
  cancel("why");
  expect(vi.getTimerCount()).toBe(0);
  expect(await rejection(slept)).toBe(ctx.err());
});

test("sleep rejects with ctx.err() when the deadline comes first", async () => {
  const [ctx] = withTimeout(background, 500);
  const slept = rejection(sleep(ctx, 1000));
  vi.advanceTimersByTime(500);
  expect(await slept).toBe(ctx.err());
  expect(vi.getTimerCount()).toBe(0);
});

test("sleep rejects when an ancestor ends, with the ancestor's error", async () => {
  const [root, cancel] = withCancel(background);
  const slept = rejection(sleep(withCancel(root)[0], 1000));
  cancel();
  expect(await slept).toBe(root.err());
});

test("sleep on a context that has ended rejects at once and makes no timer", async () => {
  const [ctx, cancel] = withCancel(background);
  cancel();
  for (const ms of [0, 1000, Infinity]) expect(await rejection(sleep(ctx, ms))).toBe(ctx.err());
  expect(vi.getTimerCount()).toBe(0);
});

test("a sleep that is over is not disturbed by the end of the context", async () => {
  const [ctx, cancel] = withCancel(background);
  const slept = sleep(ctx, 1000);
  vi.advanceTimersByTime(1000);
  cancel();
  await expect(slept).resolves.toBeUndefined();
});

test("sleep of 0 or less resolves, asynchronously", async () => {
  for (const ms of [0, -1, -Infinity]) {
    const slept = sleep(background, ms);
    vi.advanceTimersByTime(1);
    await expect(slept).resolves.toBeUndefined();
  }
});

test("sleep of more than 2^31-1 ms neither wakes early nor late", async () => {
  const maxDelay = 2 ** 31 - 1;
  for (const ms of [maxDelay, maxDelay + 1, 3 * maxDelay + 5]) {
    const slept = sleep(background, ms);
    for (const step of [1, ms - 2]) {
      vi.advanceTimersByTime(step);
      expect(await settles(slept)).toBe(false);
    }
    vi.advanceTimersByTime(1);
    await expect(slept).resolves.toBeUndefined();
  }
});

test("sleep of more than 2^31-1 ms can be cancelled in any of its parts", async () => {
  const maxDelay = 2 ** 31 - 1;
  const [ctx, cancel] = withCancel(background);
  const slept = rejection(sleep(ctx, 3 * maxDelay));
  vi.advanceTimersByTime(maxDelay + 10);
  expect(vi.getTimerCount()).toBe(1);
  cancel();
  expect(vi.getTimerCount()).toBe(0);
  expect(await slept).toBe(ctx.err());
});

test("sleep of more than 2^31-1 ms lasts as long under fakes of setTimeout alone, which leave the clock running", async () => {
  vi.useRealTimers();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const ms = 2 ** 31 + 5;
  const slept = sleep(background, ms);
  vi.advanceTimersByTime(ms - 1);
  expect(await settles(slept)).toBe(false);
  vi.advanceTimersByTime(1);
  expect(await settles(slept)).toBe(true);
});

test("sleep of Infinity lasts until the context ends", async () => {
  const [ctx, cancel] = withCancel(background);
  const slept = sleep(ctx, Infinity);
  vi.advanceTimersByTime(2 ** 40);
  expect(await settles(slept)).toBe(false);
  cancel();
  expect(await rejection(slept)).toBe(ctx.err());
  expect(vi.getTimerCount()).toBe(0);
});

test("a step of the system clock neither ends nor prolongs a sleep", async () => {
  for (const step of [3_600_000, -3_600_000]) {
    const slept = sleep(background, 1000);
    vi.setSystemTime(Date.now() + step);
    vi.advanceTimersByTime(999);
    expect(await settles(slept)).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await settles(slept)).toBe(true);
  }
});

test("15. sleeps that are over leave nothing behind on the context", async () => {
  const [ctx] = withCancel(background);
  const made = () => {
    const layer = withValue(ctx, key, 1);
    void sleep(layer, 1000);
    vi.advanceTimersByTime(1000);
    return layer;
  };
  expect(await collectable(made)).toBe(true);
  expect(ctx.err()).toBeUndefined();
});
