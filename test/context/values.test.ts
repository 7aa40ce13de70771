import { describe, expect, test, vi } from "vitest";
import {
  background,
  type Context,
  type ContextKey,
  contextKey,
  sharedKey,
  withCancel,
  withoutCancel,
  withSignal,
  withTimeout,
  withValue,
} from "../../src/context/index.js";
import { Root, ValueLayer } from "../../src/context/layers.js";
import { Node } from "../../src/context/node.js";
import { sharedValuesOf } from "../../src/context/with-value.js";
import { Independent, Labelled } from "../support/contexts.js";

const name = contextKey<string>("name");
const count = contextKey<number | null | undefined>("count");

test("31. a value is found from everywhere below, through every kind of context", () => {
  const layer = withValue(background, name, "Ada");
  const below: Context[] = [
    layer,
    withValue(layer, count, 1),
    withCancel(layer)[0],
    withTimeout(layer, 1000)[0],
    withTimeout(layer, 0)[0],
    withSignal(layer, new AbortController().signal)[0],
    withoutCancel(layer),
    withCancel(withoutCancel(withTimeout(layer, 1000)[0]))[0],
  ];
  for (const ctx of below) expect(ctx.value(name)).toBe("Ada");
});

test("31. the nearest match going up wins", () => {
  const outer = withValue(background, name, "outer");
  const [between] = withCancel(outer);
  const inner = withValue(withValue(between, count, 1), name, "inner");
  expect(withCancel(inner)[0].value(name)).toBe("inner");
  expect(between.value(name)).toBe("outer");
});

test("31. ancestors and siblings never see a value set below or beside", () => {
  const [parent] = withCancel(background);
  const layer = withValue(parent, name, "below");
  const sibling = withValue(parent, count, 1);
  for (const ctx of [background, parent, sibling]) expect(ctx.value(name)).toBeUndefined();
  expect(layer.value(name)).toBe("below");
});

for (const value of [undefined, null, 0]) {
  test(`31. a value of ${String(value)} set below shadows one set above`, () => {
    const layer = withValue(withValue(background, count, 7), count, value);
    expect(layer.value(count)).toBe(value);
    expect(withCancel(withValue(layer, name, "other"))[0].value(count)).toBe(value);
  });
}

test("31. values are handed back by identity, functions, promises and contexts included", () => {
  const any = contextKey<unknown>("any");
  for (const value of [{}, () => 1, Promise.resolve(), background, Symbol("s"), new Map()]) {
    expect(withValue(background, any, value).value(any)).toBe(value);
  }
});

test("32. two private keys of one name are different keys", () => {
  const first = contextKey<string>("same");
  const second = contextKey<string>("same");
  expect(first).not.toBe(second);
  const ctx = withValue(background, first, "first");
  expect(ctx.value(second)).toBeUndefined();
  expect(withValue(ctx, second, "second").value(first)).toBe("first");
});

test("32. a private key is never a shared key, whatever their names", () => {
  const ctx = withValue(background, contextKey<string>("one"), "private");
  expect(ctx.value(sharedKey<string>("one"))).toBeUndefined();
});

test("32. shared keys are one by name, and different by different names", () => {
  const ctx = withValue(background, sharedKey<string>("test.trace"), "abc");
  expect(ctx.value(sharedKey<string>("test.trace"))).toBe("abc");
  expect(ctx.value(sharedKey<string>("test.other"))).toBeUndefined();
  expect(sharedKey("test.trace")).toBe(sharedKey("test.trace"));
});

test("32. shared keys may have any name, those of Object.prototype included", () => {
  for (const odd of ["", "__proto__", "constructor", "toString", "hasOwnProperty"]) {
    expect(background.value(sharedKey(odd))).toBeUndefined();
    expect(withValue(background, sharedKey<number>(odd), 1).value(sharedKey<number>(odd))).toBe(1);
  }
});

test("32. shared keys are one across two copies of the library, private ones are not", async () => {
  vi.resetModules();
  const copy = await import("../../src/context/index.js");
  expect(copy.background).not.toBe(background);
  const ctx = withValue(withValue(background, sharedKey<string>("test.copies"), "shared"), name, "private");
  expect(ctx.value(copy.sharedKey<string>("test.copies"))).toBe("shared");
  expect(ctx.value(copy.contextKey<string>("name"))).toBeUndefined();
});

test("32. what is missing is undefined", () => {
  for (const ctx of [
    background,
    withCancel(background)[0],
    withValue(background, count, 1),
    withoutCancel(background),
  ]) {
    expect(ctx.value(name)).toBeUndefined();
  }
});

test("32. lookup iterates: 100,000 layers do not overflow the stack", () => {
  let ctx = withValue(background, name, "at the top");
  for (let depth = 0; depth < 100_000; depth++)
    ctx = withValue(depth % 2 === 0 ? ctx : withCancel(ctx)[0], count, depth);
  expect(ctx.value(name)).toBe("at the top");
  expect(ctx.value(count)).toBe(99_999);
  expect(ctx.value(contextKey("missing"))).toBeUndefined();
  expect(ctx.err()).toBeUndefined();
  expect(withoutCancel(ctx).value(name)).toBe("at the top");
});

test("32. lookup asks the context it begins at, and no layer above it to look further", () => {
  const layers = [name, count, contextKey("other")].reduce<Context>(
    (ctx, each) => withValue<unknown>(ctx, each as ContextKey<unknown>, null),
    background,
  );
  const asked = vi.spyOn(ValueLayer.prototype, "value");
  expect(withCancel(layers)[0].value(contextKey("missing"))).toBeUndefined();
  expect(asked).not.toHaveBeenCalled();
  expect(layers.value(contextKey("missing"))).toBeUndefined();
  expect(asked).toHaveBeenCalledOnce();
  asked.mockRestore();
});

test("32. values stay readable after the end", () => {
  const [ctx, cancel] = withCancel(withValue(background, name, "Ada"));
  const layer = withValue(ctx, count, 1);
  cancel();
  expect(layer.err()).toBeDefined();
  expect(layer.value(name)).toBe("Ada");
  expect(layer.value(count)).toBe(1);
  expect(withValue(layer, count, 2).value(count)).toBe(2);
});

test("32. a custom context that answers for a key is asked, from any depth below it", () => {
  const custom = new Labelled(withValue(background, count, 5), name, "custom");
  const below = withCancel(withValue(withCancel(custom)[0], contextKey("other"), 0))[0];
  expect(below.value(name)).toBe("custom");
  expect(below.value(count)).toBe(5);
  expect(withoutCancel(below).value(name)).toBe("custom");
});

const noKeys = [undefined, null, "name", "", 0, 42, true, {}, [], () => "name"];

test("33. withValue without a key, or with a key that is none, throws", () => {
  for (const key of noKeys) {
    expect(() => withValue(background, key as never, 1), String(key)).toThrow(TypeError);
    expect(() => withValue(background, key as never, 1), String(key)).toThrow(/withValue: key/);
  }
});

test("33. asking for a value without a key, or with a key that is none, throws, in every kind of context", () => {
  for (const ctx of [
    background,
    withCancel(background)[0],
    withValue(background, name, "x"),
    withoutCancel(background),
  ]) {
    for (const key of noKeys) expect(() => ctx.value(key as never), String(key)).toThrow(/value: key/);
  }
});

describe("what goes along to another thread", () => {
  const trace = sharedKey<string | undefined>("test.trace");
  const user = sharedKey<string | undefined>("test.user");

  test("is the nearest value of each shared key, from all the way up, also one of undefined", () => {
    let ctx = withValue(withValue(background, trace, "far"), user, "Ada");
    ctx = withValue(withoutCancel(withTimeout(ctx, 1000)[0]), name, "private");
    ctx = withCancel(withValue(withValue(ctx, trace, "near"), user, undefined))[0];
    expect(sharedValuesOf(ctx)).toEqual(
      new Map([
        ["test.user", undefined],
        ["test.trace", "near"],
      ]),
    );
    expect(sharedValuesOf(withValue(withCancel(background)[0], trace, "only"))).toEqual(
      new Map([["test.trace", "only"]]),
    );
  });

  test("is nothing where there are private values only, or none", () => {
    const custom = new Independent(withValue(background, name, "private"));
    for (const ctx of [background, withCancel(background)[0], withValue(background, name, "private"), custom])
      expect(sharedValuesOf(ctx)).toBeUndefined();
  });

  test("is what a custom context answers with, where nothing nearer does", () => {
    const custom = new Labelled(withValue(background, user, "Ada"), trace, "custom");
    expect(sharedValuesOf(withCancel(withValue(custom, trace, "near"))[0])).toEqual(
      new Map([
        ["test.trace", "near"],
        ["test.user", "Ada"],
      ]),
    );
  });

  test("costs what is above the context, however many shared keys there are: ours are not asked for each", () => {
    const asked = [Node, Root, ValueLayer].map((kind) => vi.spyOn(kind.prototype, "value"));
    expect(sharedValuesOf(withCancel(withValue(background, trace, "abc"))[0])?.get("test.trace")).toBe("abc");
    for (const each of asked) {
      expect(each).not.toHaveBeenCalled();
      each.mockRestore();
    }
  });
});
