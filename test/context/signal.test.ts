import { EventEmitter, getEventListeners, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  background,
  CanceledError,
  type Context,
  cause,
  contextKey,
  DeadlineExceededError,
  withCancel,
  withoutCancel,
  withSignal,
  withTimeout,
  withValue,
} from "../../src/context/index.js";
import { collectable, heapGrowth } from "../support/memory.js";
import { settles } from "../support/turn.js";

const key = contextKey<number>("key");

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("ctx.signal", () => {
  test("it is made when first asked for, and only then", () => {
    let made = 0;
    class Counting extends AbortController {
      constructor() {
        super();
        made++;
      }
    }
    vi.stubGlobal("AbortController", Counting);
    const [root, cancel] = withCancel(background);
    const children = Array.from({ length: 10 }, () => withCancel(withValue(root, key, 1))[0]);
    expect(made).toBe(0);
    const signal = children[3]?.signal;
    expect(signal).toBeInstanceOf(AbortSignal);
    expect(made).toBe(1);
    expect(children[3]?.signal).toBe(signal);
    cancel();
    expect(made).toBe(1);
    expect(signal?.aborted).toBe(true);
  });

  test("it is the same signal at every call, before and after the end", () => {
    const [ctx, cancel] = withCancel(background);
    const { signal } = ctx;
    expect(ctx.signal).toBe(signal);
    cancel();
    expect(ctx.signal).toBe(signal);
    const [ended, cancelEnded] = withCancel(background);
    cancelEnded();
    expect(ended.signal).toBe(ended.signal);
  });

  test("it aborts inside cancel(), with err() as its reason", () => {
    const [ctx, cancel] = withCancel(background);
    const { signal } = ctx;
    expect(signal.aborted).toBe(false);
    cancel("why");
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe(ctx.err());
    expect(signal.reason).toBeInstanceOf(CanceledError);
    expect(() => {
      signal.throwIfAborted();
    }).toThrow(CanceledError);
  });

  test("one first asked for after the end has aborted, with err() as its reason", () => {
    const [ctx, cancel] = withCancel(background);
    cancel();
    expect(ctx.signal.aborted).toBe(true);
    expect(ctx.signal.reason).toBe(ctx.err());
  });

  test("it aborts when an ancestor ends, with the ancestor's error, and tells its listeners once", () => {
    const [root, cancel] = withCancel(background);
    const [ctx] = withCancel(withCancel(root)[0]);
    const layer = withValue(ctx, key, 1);
    const heard: unknown[] = [];
    for (const { signal } of [ctx, withCancel(layer)[0]]) {
      signal.addEventListener("abort", () => heard.push(signal.reason));
    }
    cancel();
    cancel();
    expect(heard).toEqual([root.err(), root.err()]);
    expect(heard[0]).toBe(root.err());
    expect(layer.signal.reason).toBe(root.err());
  });

  test("at a deadline its reason is the DeadlineExceededError", () => {
    vi.useFakeTimers();
    const [ctx] = withTimeout(background, 1000);
    const { signal } = ctx;
    vi.advanceTimersByTime(1000);
    expect(signal.reason).toBeInstanceOf(DeadlineExceededError);
    expect(signal.reason).toBe(ctx.err());
  });

  test("a context that can never end has one that never aborts", () => {
    const [parent, cancel] = withCancel(background);
    const { signal } = withoutCancel(parent);
    cancel();
    expect(signal.aborted).toBe(false);
    expect(background.signal).toBeInstanceOf(AbortSignal);
    expect(background.signal.aborted).toBe(false);
  });

  test("Node's own functions take it, and reject with an AbortError caused by err()", async () => {
    const [ctx, cancel] = withCancel(background);
    const slept: Promise<unknown> = delay(3_600_000, undefined, { signal: ctx.signal }).catch(
      (error: unknown) => error,
    );
    const heard: Promise<unknown> = once(new EventEmitter(), "never", { signal: ctx.signal }).catch(
      (error: unknown) => error,
    );
    cancel();
    for (const error of [await slept, await heard]) {
      expect(error).toMatchObject({ name: "AbortError", code: "ABORT_ERR" });
      expect((error as Error).cause).toBe(ctx.err());
    }
  });
});

describe("withSignal", () => {
  test("the context ends when the signal aborts, with its reason as the cause", async () => {
    const controller = new AbortController();
    const [ctx] = withSignal(background, controller.signal);
    const [child] = withCancel(ctx);
    expect(ctx.err()).toBeUndefined();
    const reason = new Error("closed");
    controller.abort(reason);
    for (const each of [ctx, child]) {
      expect(each.err()).toBeInstanceOf(CanceledError);
      expect(cause(each)).toBe(reason);
      expect(each.err()).toBe(ctx.err());
    }
    expect(ctx.err()?.cause).toBe(reason);
    expect(await settles(ctx.done())).toBe(true);
  });

  test("a signal that has aborted already gives a context that is over on return, and leaves no listener", () => {
    const signal = AbortSignal.abort("early");
    const [ctx, cancel] = withSignal(background, signal);
    expect(ctx.err()).toBeInstanceOf(CanceledError);
    expect(cause(ctx)).toBe("early");
    cancel("late");
    expect(cause(ctx)).toBe("early");
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  test("without a reason the cause is the platform's AbortError, and after a timeout its TimeoutError", () => {
    const controller = new AbortController();
    const [ctx] = withSignal(background, controller.signal);
    controller.abort();
    expect(cause(ctx)).toBe(controller.signal.reason);
    expect(cause(ctx)).toBeInstanceOf(DOMException);
    const timeout = new DOMException("too slow", "TimeoutError");
    const [other] = withSignal(background, AbortSignal.abort(timeout));
    expect(other.err()).toBeInstanceOf(CanceledError);
    expect(cause(other)).toBe(timeout);
  });

  test("a reason of null is a cause", () => {
    const controller = new AbortController();
    const [ctx] = withSignal(background, controller.signal);
    controller.abort(null);
    expect(cause(ctx)).toBeNull();
  });

  test("a parent that has ended already wins over the signal", () => {
    const [parent, cancel] = withCancel(background);
    cancel("parent");
    const [ctx] = withSignal(parent, AbortSignal.abort("signal"));
    expect(ctx.err()).toBe(parent.err());
    expect(cause(ctx)).toBe("parent");
  });

  test("parent, signal, cancel: the first one counts", () => {
    const enders = ["parent", "signal", "cancel"] as const;
    for (const first of enders) {
      const controller = new AbortController();
      const [parent, cancelParent] = withCancel(background);
      const [ctx, cancel] = withSignal(parent, controller.signal);
      const end = {
        parent: cancelParent,
        signal: (reason: string) => {
          controller.abort(reason);
        },
        cancel,
      };
      end[first](first);
      for (const later of enders) end[later](later);
      expect(cause(ctx)).toBe(first);
    }
  });

  test("cancelling it leaves the signal alone", () => {
    const controller = new AbortController();
    const [ctx, cancel] = withSignal(background, controller.signal);
    cancel();
    expect(ctx.err()).toBeDefined();
    expect(controller.signal.aborted).toBe(false);
  });

  test("two contexts are merged by the signal of one: whichever ends first ends the merged one", () => {
    const [left, cancelLeft] = withCancel(background);
    const [right, cancelRight] = withCancel(background);
    const [merged] = withSignal(left, right.signal);
    const [alsoMerged] = withSignal(left, right.signal);
    cancelRight("right");
    expect(merged.err()).toBeInstanceOf(CanceledError);
    expect(cause(merged)).toBe(right.err());
    cancelLeft("left");
    expect(cause(alsoMerged)).toBe(right.err());
  });
});

describe("listeners", () => {
  test("one listener serves a thousand contexts and is removed when the last of them is done", () => {
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    const made = Array.from({ length: 1000 }, () => withSignal(background, signal));
    expect(added).toHaveBeenCalledTimes(1);
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    for (const [, cancel] of made.slice(1)) cancel();
    expect(removed).not.toHaveBeenCalled();
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    made[0]?.[1]();
    expect(removed).toHaveBeenCalledTimes(1);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  test("the first context after the last one is heard again", () => {
    const controller = new AbortController();
    withSignal(background, controller.signal)[1]();
    const [ctx] = withSignal(background, controller.signal);
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
    controller.abort("why");
    expect(cause(ctx)).toBe("why");
  });

  test("when the signal aborts, every one of its contexts ends, and no listener is left", () => {
    const controller = new AbortController();
    const roots = Array.from({ length: 10 }, () => withCancel(background)[0]);
    const contexts = Array.from(
      { length: 1000 },
      (_, i) => withSignal(roots[i % 10] ?? background, controller.signal)[0],
    );
    const reason = {};
    controller.abort(reason);
    for (const ctx of contexts) {
      if (cause(ctx) !== reason) expect.unreachable("a context that did not end");
    }
    for (const root of roots) expect(root.err()).toBeUndefined();
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  });

  test("the end of an ancestor removes the listener, too", () => {
    const { signal } = new AbortController();
    const [parent, cancel] = withCancel(background);
    withSignal(withValue(parent, key, 1), signal);
    withSignal(parent, signal);
    cancel();
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  test("and so does a deadline", () => {
    vi.useFakeTimers();
    const { signal } = new AbortController();
    const [parent] = withTimeout(background, 1000);
    withSignal(parent, signal);
    vi.advanceTimersByTime(1000);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  test("below a parent that has ended no listener is added", () => {
    const { signal } = new AbortController();
    const [parent, cancel] = withCancel(background);
    cancel();
    withSignal(parent, signal);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  test("other listeners of the signal are left alone", () => {
    const controller = new AbortController();
    let heard = 0;
    controller.signal.addEventListener("abort", () => heard++);
    withSignal(background, controller.signal)[1]();
    controller.abort();
    expect(heard).toBe(1);
  });

  test("a listener that derives or cancels contexts of the same signal while it aborts is safe", () => {
    const controller = new AbortController();
    const made = Array.from({ length: 5 }, () => withSignal(background, controller.signal));
    const derived: Context[] = [];
    made[2]?.[0].signal.addEventListener("abort", () => {
      derived.push(withSignal(background, controller.signal)[0]);
      for (const [, cancel] of made) cancel("by the listener");
    });
    controller.abort("by the signal");
    expect(derived.map(cause)).toEqual(["by the signal"]);
    for (const [ctx] of made) expect(ctx.err()).toBeInstanceOf(CanceledError);
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  });

  test("15. a signal that lives long holds nothing of contexts that are done", async () => {
    const { signal } = new AbortController();
    const [other] = withSignal(background, signal);
    const made = () => {
      const [ctx, cancel] = withSignal(background, signal);
      cancel();
      return ctx;
    };
    expect(await collectable(made)).toBe(true);
    expect(other.err()).toBeUndefined();
  });

  test("15. a hundred thousand contexts on one signal, cancelled, leave the heap where it was", () => {
    const { signal } = new AbortController();
    const [other] = withSignal(background, signal);
    const growth = heapGrowth(100_000, () => {
      const [, cancel] = withSignal(background, signal);
      cancel();
    });
    expect(growth).toBeLessThan(500_000);
    expect(other.err()).toBeUndefined();
  });
});
