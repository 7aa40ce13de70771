import { expect, test, vi } from "vitest";
import {
  afterFunc,
  background,
  CanceledError,
  cause,
  contextKey,
  remaining,
  withCancel,
  withoutCancel,
  withTimeout,
  withValue,
} from "../../src/context/index.js";
import { Independent } from "../support/contexts.js";
import { heapGrowth } from "../support/memory.js";
import { settles, turn } from "../support/turn.js";

const key = contextKey<string>("key");

test("34. withoutCancel keeps the values and nothing else of its parent", async () => {
  const [parent, cancel] = withTimeout(withValue(background, key, "kept"), 1000, "deadline");
  const detached = withoutCancel(parent);
  const done = settles(detached.done());
  cancel("why");
  expect(parent.err()).toBeDefined();
  expect(detached.value(key)).toBe("kept");
  expect(detached.err()).toBeUndefined();
  expect(cause(detached)).toBeUndefined();
  expect(detached.deadline()).toBeUndefined();
  expect(remaining(detached)).toBe(Infinity);
  expect(detached.signal.aborted).toBe(false);
  expect(() => {
    detached.throwIfDone();
  }).not.toThrow();
  expect(await done).toBe(false);
});

test("34. below a parent that had ended before, it is live all the same", async () => {
  const [parent, cancel] = withCancel(withValue(background, key, "kept"));
  cancel("why");
  for (const detached of [
    withoutCancel(parent),
    withoutCancel(withValue(parent, key, "kept")),
    withoutCancel(withCancel(parent)[0]),
  ]) {
    expect(detached.err()).toBeUndefined();
    expect(cause(detached)).toBeUndefined();
    expect(detached.value(key)).toBe("kept");
    expect(await settles(detached.done())).toBe(false);
  }
});

test("34. new cancellable children work below it, immune to what is above", async () => {
  const [parent, cancelParent] = withCancel(background);
  const [child, cancelChild] = withCancel(withValue(withoutCancel(parent), key, "x"));
  const [grandchild] = withCancel(child);
  cancelParent("above");
  await turn();
  expect(child.err()).toBeUndefined();
  expect(grandchild.err()).toBeUndefined();
  cancelChild("own");
  expect(grandchild.err()).toBeInstanceOf(CanceledError);
  expect(cause(grandchild)).toBe("own");
});

test("34. a deadline later than the cut-off parent's is a deadline of its own", () => {
  vi.useFakeTimers();
  try {
    const [parent, cancelParent] = withTimeout(background, 1000);
    const [child, cancelChild] = withTimeout(withoutCancel(parent), 2000, "own");
    expect(child.deadline()).toBe(Date.now() + 2000);
    vi.advanceTimersByTime(1999);
    expect(parent.err()).toBeDefined();
    expect(child.err()).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(cause(child)).toBe("own");
    cancelParent();
    cancelChild();
  } finally {
    vi.useRealTimers();
  }
});

test("34. functions registered on it never run", async () => {
  const [parent, cancel] = withCancel(background);
  let runs = 0;
  const stop = afterFunc(withoutCancel(parent), () => runs++);
  cancel();
  await turn();
  expect(runs).toBe(0);
  expect(stop()).toBe(true);
});

test("34. it cuts off a custom parent as well", async () => {
  const custom = new Independent(withValue(background, key, "kept"));
  const detached = withoutCancel(custom);
  const [child] = withCancel(detached);
  const [ended, cancel] = withCancel(background);
  cancel();
  custom.end(ended.err() ?? expect.unreachable());
  await turn();
  expect(detached.err()).toBeUndefined();
  expect(child.err()).toBeUndefined();
  expect(child.value(key)).toBe("kept");
});

test("34. it leaves nothing on its parent", () => {
  const [parent] = withCancel(background);
  const growth = heapGrowth(100_000, () => withCancel(withoutCancel(parent))[0].err());
  expect(growth).toBeLessThan(500_000);
  expect(parent.err()).toBeUndefined();
});
