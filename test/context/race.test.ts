import { afterEach, expect, test, vi } from "vitest";
import {
  background,
  type Context,
  contextKey,
  race,
  withCancel,
  withoutCancel,
  withTimeout,
  withValue,
} from "../../src/context/index.js";
import { Independent } from "../support/contexts.js";
import { openableGate } from "../support/gate.js";
import { collectable, heapUsed } from "../support/memory.js";
import { settles, turn } from "../support/turn.js";
import { uncaughtDuring } from "../support/uncaught.js";

const key = contextKey<number>("key");
const never = new Promise<never>(() => undefined);

afterEach(() => {
  vi.useRealTimers();
});

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => expect.unreachable("resolved"),
    (error: unknown) => error,
  );
}

test("race returns the value of the promise when that comes first", async () => {
  const [ctx, cancel] = withCancel(background);
  const gate = openableGate<object>();
  const raced = race(ctx, gate.opened);
  expect(await settles(raced)).toBe(false);
  const value = {};
  gate.open(value);
  expect(await raced).toBe(value);
  cancel();
  expect(await raced).toBe(value);
});

test("race rejects with the promise's own reason when that comes first", async () => {
  const [ctx] = withCancel(background);
  const gate = openableGate();
  const raced = race(ctx, gate.opened);
  const failure = new Error("its own");
  gate.fail(failure);
  expect(await rejection(raced)).toBe(failure);
});

test("race rejects with ctx.err() when the context ends first", async () => {
  const [root, cancel] = withCancel(background);
  const raced = [race(root, never), race(withValue(root, key, 1), never), race(withCancel(root)[0], never)];
  cancel("why");
  for (const each of raced) expect(await rejection(each)).toBe(root.err());
});

test("race rejects with the DeadlineExceededError at the deadline", async () => {
  vi.useFakeTimers();
  const [ctx] = withTimeout(background, 1000);
  const raced = rejection(race(ctx, never));
  vi.advanceTimersByTime(1000);
  expect(await raced).toBe(ctx.err());
});

test("race on a context that has ended rejects at once", async () => {
  const [ctx, cancel] = withCancel(background);
  cancel();
  expect(await rejection(race(ctx, never))).toBe(ctx.err());
});

test("race on a context that can never end is the promise's own answer", async () => {
  expect(await race(background, Promise.resolve(1))).toBe(1);
  expect(await race(withoutCancel(withTimeout(background, 0)[0]), Promise.resolve(2))).toBe(2);
});

test("race takes any thenable, one that can be called included", async () => {
  const thenable: PromiseLike<number> = {
    // biome-ignore lint/suspicious/noThenProperty: that is what a thenable has
    then: (resolve) => Promise.resolve(7).then(resolve),
  };
  expect(await race(withCancel(background)[0], thenable)).toBe(7);
  const callable = Object.assign(() => undefined, thenable);
  expect(await race(withCancel(background)[0], callable)).toBe(7);
});

test("a promise that loses may reject later: that is no unhandled rejection", async () => {
  const [ctx, cancel] = withCancel(background);
  const early = openableGate();
  const late = openableGate();
  const uncaught = await uncaughtDuring(async () => {
    const raced = rejection(race(ctx, early.opened));
    cancel();
    expect(await raced).toBe(ctx.err());
    early.fail(new Error("too late"));
    expect(await rejection(race(ctx, late.opened))).toBe(ctx.err());
    late.fail(new Error("too late"));
    await turn();
  });
  expect(uncaught).toEqual([]);
});

test("15. race leaves nothing behind on the context: neither results nor promises are held", async () => {
  for (const ctx of [
    withCancel(background)[0],
    withValue(withTimeout(background, 3_600_000)[0], key, 1),
    new Independent(),
  ]) {
    const refs = await (async () => {
      const value = {};
      const promise = Promise.resolve(value);
      expect(await race(ctx, promise)).toBe(value);
      const failure = new Error("failed");
      expect(await rejection(race(ctx, Promise.reject(failure)))).toBe(failure);
      return [value, promise, failure].map((held) => new WeakRef<object>(held));
    })();
    for (const ref of refs) expect(await collectable(() => ref.deref() ?? {})).toBe(true);
    expect(refs.map((ref) => ref.deref())).toEqual([undefined, undefined, undefined]);
    expect(ctx.err()).toBeUndefined();
  }
});

test("15. a hundred thousand races on one context leave the heap where it was", async () => {
  const [ctx] = withCancel(background);
  void ctx.done();
  const settled = Promise.resolve(1);
  const races = async (times: number, on: Context) => {
    for (let i = 0; i < times; i++) await race(on, settled);
  };
  await races(10_000, ctx);
  const before = heapUsed();
  await races(100_000, ctx);
  expect(heapUsed() - before).toBeLessThan(500_000);
  expect(ctx.err()).toBeUndefined();
});
