import { expect, test } from "vitest";
import {
  afterFunc,
  background,
  cause,
  contextKey,
  race,
  remaining,
  todo,
  withCancel,
  withoutCancel,
  withTimeout,
  withValue,
} from "../../src/context/index.js";
import { collectable } from "../support/memory.js";
import { settles } from "../support/turn.js";

const key = contextKey<object>("key");

for (const [name, root] of [
  ["background", background],
  ["todo", todo],
] as const) {
  test(`1. ${name} is never done and has no deadline, value, error or cause`, async () => {
    expect(root.err()).toBeUndefined();
    expect(cause(root)).toBeUndefined();
    expect(root.deadline()).toBeUndefined();
    expect(remaining(root)).toBe(Infinity);
    expect(root.value(key)).toBeUndefined();
    expect(root.signal.aborted).toBe(false);
    expect(() => {
      root.throwIfDone();
    }).not.toThrow();
    expect(root.done()).toBeInstanceOf(Promise);
    expect(await settles(root.done())).toBe(false);
  });

  test(`1. String(${name}) is "${name}"`, () => {
    expect(String(root)).toBe(name);
  });

  test(`2. a live cancellable child of ${name} is collectable once dropped`, async () => {
    expect(await collectable(() => withCancel(root)[0])).toBe(true);
  });

  test(`2. ${name} does not hold what races against it`, async () => {
    const ref = await (async () => {
      const value = {};
      expect(await race(root, Promise.resolve(value))).toBe(value);
      return new WeakRef(value);
    })();
    expect(await collectable(() => ref.deref() ?? {})).toBe(true);
    expect(ref.deref()).toBeUndefined();
  });
}

test("1. background and todo are two contexts", () => {
  expect(background).not.toBe(todo);
});

test("2. a live child is collectable below a value layer, too", async () => {
  const parent = withValue(background, key, {});
  expect(await collectable(() => withCancel(parent)[0])).toBe(true);
  expect(parent.err()).toBeUndefined();
});

test("2. a live child is collectable below withoutCancel, too, whatever is above", async () => {
  const [above] = withCancel(background);
  const parent = withoutCancel(above);
  expect(await collectable(() => withCancel(parent)[0])).toBe(true);
  expect(parent.err()).toBeUndefined();
});

test("2. a whole live tree is collectable once its top is dropped, callbacks included", async () => {
  const tree = () => {
    const [top] = withCancel(background);
    const [middle] = withTimeout(withValue(top, key, top), Infinity);
    afterFunc(middle, () => {
      expect.unreachable(String(top));
    });
    void middle.done().then(() => middle.err());
    middle.signal.addEventListener("abort", () => top.err());
    return withCancel(middle)[0];
  };
  expect(await collectable(tree)).toBe(true);
});
