import { describe, expect, test } from "vitest";
import {
  background,
  CanceledError,
  cause,
  contextKey,
  withCancel,
  withTimeout,
  withValue,
} from "../../src/context/index.js";
import { Delegating } from "../support/contexts.js";

const key = contextKey<number>("key");

test("18. cancel(e): cause(ctx) is e by identity, err() a CanceledError that carries it", () => {
  const reason = new Error("the client has left");
  const [ctx, cancel] = withCancel(background);
  cancel(reason);
  expect(cause(ctx)).toBe(reason);
  expect(ctx.err()).toBeInstanceOf(CanceledError);
  expect(ctx.err()?.cause).toBe(reason);
});

for (const value of [null, 0, "", false, Number.NaN, 0n]) {
  test(`18. ${typeof value === "bigint" ? "0n" : JSON.stringify(value)} (${typeof value}) is a cause`, () => {
    const [ctx, cancel] = withCancel(background);
    cancel(value);
    expect(cause(ctx)).toBe(value);
    expect(ctx.err()?.cause).toBe(value);
    expect(ctx.err()).toBeInstanceOf(CanceledError);
  });
}

test("18. functions, objects and promises are handed back as they are", () => {
  for (const value of [() => 1, {}, Symbol("s"), Promise.resolve(1)]) {
    const [ctx, cancel] = withCancel(background);
    cancel(value);
    expect(cause(ctx)).toBe(value);
  }
});

test("18. without a cause, or with undefined, the cause is err()", () => {
  for (const args of [[], [undefined]]) {
    const [ctx, cancel] = withCancel(background);
    cancel(...args);
    expect(ctx.err()).toBeInstanceOf(CanceledError);
    expect(cause(ctx)).toBe(ctx.err());
    expect(ctx.err()?.cause).toBeUndefined();
  }
});

test("18. an error of another context may be the cause, and is not taken for err()", () => {
  const [other, cancelOther] = withCancel(background);
  cancelOther();
  const [ctx, cancel] = withCancel(background);
  cancel(other.err());
  expect(cause(ctx)).toBe(other.err());
  expect(ctx.err()).not.toBe(other.err());
});

describe("19. the first cancellation wins, for error and cause both", () => {
  test("19. a parent that went first gives the child its cause, whatever the child passes later", () => {
    const [parent, cancelParent] = withCancel(background);
    const [child, cancelChild] = withCancel(parent);
    cancelParent("parent");
    cancelChild("child");
    expect(cause(child)).toBe("parent");
    expect(child.err()).toBe(parent.err());
    expect(child.err()?.cause).toBe("parent");
  });

  test("19. a parent that went first without a cause gives the child its error as the cause", () => {
    const [parent, cancelParent] = withCancel(background);
    const [child, cancelChild] = withCancel(parent);
    cancelParent();
    cancelChild("child");
    expect(cause(child)).toBe(parent.err());
    expect(cause(parent)).toBe(parent.err());
  });

  test("19. a child that went first keeps its own", () => {
    const [parent, cancelParent] = withCancel(background);
    const [child, cancelChild] = withCancel(parent);
    const [grandchild] = withCancel(child);
    cancelChild("child");
    cancelParent("parent");
    expect(cause(child)).toBe("child");
    expect(cause(grandchild)).toBe("child");
    expect(cause(parent)).toBe("parent");
    expect(child.err()).not.toBe(parent.err());
    expect(grandchild.err()).toBe(child.err());
  });

  test("19. a child that went first without a cause keeps its error as the cause", () => {
    const [parent, cancelParent] = withCancel(background);
    const [child, cancelChild] = withCancel(parent);
    cancelChild();
    cancelParent("parent");
    expect(cause(child)).toBe(child.err());
    expect(child.err()).not.toBe(parent.err());
  });
});

test("20. the cause of a live context is undefined", () => {
  const [parent, cancelParent] = withCancel(background);
  const [child, cancelChild] = withCancel(parent);
  for (const ctx of [background, parent, child, withTimeout(parent, 1000, "later")[0]])
    expect(cause(ctx)).toBeUndefined();
  cancelChild("child");
  expect(cause(parent)).toBeUndefined();
  cancelParent();
});

test("20. cause sees through value layers", () => {
  const [ctx, cancel] = withCancel(background);
  const layers = withValue(withValue(ctx, key, 1), key, 2);
  expect(cause(layers)).toBeUndefined();
  cancel("why");
  expect(cause(layers)).toBe("why");
});

test("20. cause sees through custom contexts that delegate, and through values on top of them", () => {
  const [ctx, cancel] = withCancel(background);
  const wrapped = new Delegating(new Delegating(withValue(ctx, key, 1)));
  expect(cause(wrapped)).toBeUndefined();
  cancel("why");
  expect(cause(wrapped)).toBe("why");
  expect(cause(withValue(wrapped, key, 2))).toBe("why");
  expect(cause(withCancel(wrapped)[0])).toBe("why");
});

test("20. cause sees a cause that is undefined-like through custom contexts", () => {
  const [ctx, cancel] = withCancel(background);
  cancel(null);
  expect(cause(new Delegating(ctx))).toBeNull();
  const [plain, cancelPlain] = withCancel(background);
  cancelPlain();
  expect(cause(new Delegating(plain))).toBe(plain.err());
});

test("a child cancelled by an ancestor returns the ancestor's very error object and cause, at every call", () => {
  const [root, cancel] = withCancel(background);
  const [child] = withCancel(root);
  const [grandchild] = withCancel(withValue(child, key, 1));
  const reason = { code: 7 };
  cancel(reason);
  const err = grandchild.err(); // the deepest is asked first: the object is the shared one all the same
  expect(child.err()).toBe(err);
  expect(root.err()).toBe(err);
  expect(grandchild.err()).toBe(err);
  expect(cause(grandchild)).toBe(reason);
  expect(withCancel(grandchild)[0].err()).toBe(err);
});

test("two contexts cancelled on their own have errors of their own", () => {
  const [first, cancelFirst] = withCancel(background);
  const [second, cancelSecond] = withCancel(background);
  cancelFirst();
  cancelSecond();
  expect(first.err()).not.toBe(second.err());
});
