import { afterEach, describe, expect, test, vi } from "vitest";
import { nodeBehind } from "../../src/context/custom.js";
import {
  afterFunc,
  background,
  CanceledError,
  type CancelFunc,
  type Context,
  type ContextError,
  type ContextKey,
  cause,
  contextKey,
  DeadlineExceededError,
  Group,
  isContextError,
  race,
  remaining,
  sleep,
  withCancel,
  withoutCancel,
  withSignal,
  withTimeout,
  withValue,
} from "../../src/context/index.js";
import {
  canceledError,
  Delegating,
  errorOf,
  expiredError,
  Independent,
  Labelled,
} from "../support/contexts.js";
import { collectable, heapGrowth } from "../support/memory.js";
import { microtask, settles, turn } from "../support/turn.js";

const key = contextKey<unknown>("key");

/** Ends as the context inside does, and promises to be earlier. */
class Hurried extends Delegating {
  readonly #deadline: number;
  constructor(inner: Context, deadline: number) {
    super(inner);
    this.#deadline = deadline;
  }
  override deadline(): number {
    return this.#deadline;
  }
}

afterEach(() => {
  vi.useRealTimers();
});

describe("one that delegates to a context of ours", () => {
  test("40. it is linked directly: when cancel() returns, its children are cancelled", async () => {
    const [inner, cancel] = withCancel(background);
    const [child] = withCancel(new Delegating(inner));
    const [deep] = withCancel(new Delegating(withValue(new Delegating(child), key, 1)));
    const { signal } = deep;
    const done = deep.done();
    cancel("why");
    for (const ctx of [child, deep]) {
      expect(ctx.err()).toBe(inner.err());
      expect(cause(ctx)).toBe("why");
    }
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe(inner.err());
    let reacted = false;
    void done.then(() => {
      reacted = true;
    });
    await microtask();
    expect(reacted).toBe(true);
  });

  test("40. one that adds a value of its own is linked directly, too, and its value is seen below", () => {
    const [inner, cancel] = withCancel(withValue(background, key, "above"));
    const [child] = withCancel(new Labelled(inner, key, "custom"));
    const { signal } = child;
    expect(child.value(key)).toBe("custom");
    cancel();
    expect(signal.aborted).toBe(true);
    expect(withValue(child, contextKey("other"), 1).value(key)).toBe("custom");
  });

  test("40. one that wraps a value layer, or a wrapper, is linked directly as well", () => {
    const [inner, cancel] = withCancel(background);
    const signals = [
      withCancel(new Delegating(withValue(inner, key, 1)))[0].signal,
      withCancel(new Delegating(new Delegating(inner)))[0].signal,
      withTimeout(new Delegating(inner), 3_600_000)[0].signal,
      withSignal(new Delegating(inner), new AbortController().signal)[0].signal,
      new Group(new Delegating(inner)).ctx.signal,
    ];
    cancel();
    for (const signal of signals) expect(signal.aborted).toBe(true);
  });

  test("40. a child of one is born cancelled when the inner one has ended", () => {
    const [inner, cancel] = withCancel(background);
    cancel("early");
    const [child] = withCancel(new Delegating(inner));
    expect(child.err()).toBe(inner.err());
    expect(cause(child)).toBe("early");
    expect(withTimeout(new Delegating(inner), 0, "own")[0].err()).toBe(inner.err());
  });

  test("40. the child's own cancel leaves the inner one alone", async () => {
    const [inner] = withCancel(background);
    const wrapped = new Delegating(inner);
    const [child, cancelChild] = withCancel(wrapped);
    const [sibling] = withCancel(wrapped);
    cancelChild();
    await turn();
    expect(child.err()).toBeDefined();
    for (const ctx of [inner, wrapped, sibling]) expect(ctx.err()).toBeUndefined();
  });

  test("40. one that wraps what can never end is a parent like that", async () => {
    for (const root of [background, withoutCancel(withTimeout(background, 0)[0])]) {
      const [child, cancel] = withCancel(new Delegating(root));
      await turn();
      expect(child.err()).toBeUndefined();
      cancel("own");
      expect(cause(child)).toBe("own");
    }
  });

  test("40. which context it wraps is asked under a private key that says whose it is", () => {
    const asked: unknown[] = [];
    class Asked extends Delegating {
      override value<T>(key: ContextKey<T>): T | undefined {
        asked.push({ name: key.name, shared: key.shared });
        return super.value(key);
      }
    }
    withCancel(new Asked(withCancel(background)[0]));
    expect(asked).toEqual([{ name: "lifeguard.node", shared: false }]);
  });

  test("40. a chain 100,000 deep with a wrapper at every step does not overflow the stack", () => {
    const [root, cancel] = withCancel(background);
    let leaf = root;
    for (let depth = 0; depth < 100_000; depth++) [leaf] = withCancel(new Delegating(leaf));
    const { signal } = leaf;
    cancel();
    expect(signal.aborted).toBe(true);
    expect(leaf.err()).toBe(root.err());
  });

  test("15. a wrapper made for one child leaves nothing on the long-lived context inside", async () => {
    const [inner] = withCancel(background);
    const made = () => {
      const wrapped = new Delegating(inner);
      const [, cancel] = withCancel(wrapped);
      cancel();
      return wrapped;
    };
    expect(await collectable(made)).toBe(true);
    expect(inner.err()).toBeUndefined();
  });

  test("15. nor does a wrapper made for one race, one sleep or one function", async () => {
    const [inner] = withCancel(background);
    const stopped = () => {
      const wrapped = new Delegating(inner);
      afterFunc(wrapped, () => wrapped.err())();
      return wrapped;
    };
    expect(await collectable(stopped)).toBe(true);
    const raced: WeakRef<object>[] = [];
    const once = async (wait: (ctx: Context) => Promise<unknown>) => {
      const wrapped = new Delegating(inner);
      raced.push(new WeakRef(wrapped));
      await wait(wrapped);
    };
    await once((ctx) => race(ctx, Promise.resolve(1)));
    await once((ctx) => sleep(ctx, 0));
    for (const ref of raced) expect(await collectable(() => ref.deref() ?? {})).toBe(true);
    expect(raced.map((ref) => ref.deref())).toEqual([undefined, undefined]);
    expect(inner.err()).toBeUndefined();
  });

  test("15. a hundred thousand wrappers with a child each, cancelled, leave the heap where it was", () => {
    const [inner] = withCancel(background);
    const growth = heapGrowth(100_000, () => {
      const [, cancel] = withCancel(new Delegating(inner));
      cancel();
    });
    expect(growth).toBeLessThan(500_000);
    expect(inner.err()).toBeUndefined();
  });
});

describe("one with its own done and err", () => {
  test("40. it is authoritative: the inner one is not bypassed", async () => {
    const [inner, cancelInner] = withCancel(withValue(background, key, "inner"));
    const custom = new Independent(inner);
    const [child] = withCancel(custom);
    expect(child.value(key)).toBe("inner");
    cancelInner("inner");
    await turn();
    expect(child.err()).toBeUndefined();
    expect(await settles(child.done())).toBe(false);
    const err = expiredError();
    custom.end(err);
    await turn();
    expect(child.err()).toBe(err);
    expect(child.signal.reason).toBe(err);
  });

  test("40. an own done that ends first ends the children with the custom error, while the inner one lives on", async () => {
    const [inner] = withCancel(background);
    const custom = new Independent(inner);
    const [child] = withCancel(custom);
    const [grandchild] = withCancel(withValue(child, key, 1));
    const done = grandchild.done();
    const err = canceledError();
    custom.end(err);
    expect(await settles(done)).toBe(true);
    expect(child.err()).toBe(err);
    expect(grandchild.err()).toBe(err);
    expect(cause(child)).toBe(err);
    expect(inner.err()).toBeUndefined();
  });

  test("40. its children hear of the end without a poll, a microtask late at most", async () => {
    const custom = new Independent();
    const [child] = withCancel(custom);
    const [timed, cancelTimed] = withTimeout(custom, 3_600_000);
    const { signal } = child;
    const timedSignal = timed.signal;
    let ran = 0;
    afterFunc(child, () => ran++);
    custom.end(canceledError());
    await turn();
    expect(signal.aborted).toBe(true);
    expect(timedSignal.aborted).toBe(true);
    expect(ran).toBe(1);
    cancelTimed();
    expect(timed.err()).toBe(custom.err());
  });

  test("40. a child derived from one that has ended is born ended, with its error", () => {
    const custom = new Independent();
    const err = expiredError();
    custom.end(err);
    for (const [child] of [
      withCancel(custom),
      withTimeout(custom, 0, "own"),
      withTimeout(custom, 1000),
      withCancel(withValue(custom, key, 1)),
    ]) {
      expect(child.err()).toBe(err);
    }
    expect(cause(custom)).toBe(err);
  });

  test("40. what is left to its deadline is left to its children, and without one there is no end", () => {
    vi.useFakeTimers();
    const [timed] = withCancel(new Independent(background, Date.now() + 1500));
    const [untimed] = withCancel(new Independent());
    expect([remaining(timed), remaining(untimed)]).toEqual([1500, Infinity]);
    vi.advanceTimersByTime(500);
    expect(remaining(timed)).toBe(1000);
    vi.advanceTimersByTime(2000);
    expect(remaining(timed)).toBe(0);
  });

  test("40. one whose done() settles while err() says nothing has been cancelled", async () => {
    let end: () => void = () => undefined;
    const done = new Promise<void>((resolve) => {
      end = resolve;
    });
    const custom = new Independent();
    custom.done = () => done;
    const [child] = withCancel(custom);
    end();
    await turn();
    expect(child.err()).toBeInstanceOf(CanceledError);
    expect(custom.err()).toBeUndefined();
  });

  test("40. while it lives it has no cause, also where the context that it takes values from has ended", () => {
    const [inner, cancel] = withCancel(background);
    cancel("why");
    expect(cause(new Independent(inner))).toBeUndefined();
  });

  test("40. whether it expired or was cancelled is told by its error", () => {
    const [canceled, expired] = [new Independent(), new Independent()];
    canceled.end(canceledError());
    expired.end(expiredError());
    expect(nodeBehind(canceled).poll()?.expired).toBe(false);
    expect(nodeBehind(expired).poll()?.expired).toBe(true);
  });

  test("40. an error of its own is no cause that somebody gave: none goes along to another thread", () => {
    const custom = new Independent();
    custom.end(canceledError());
    expect(nodeBehind(custom).poll()?.given()).toBeUndefined();
    const [inner, cancel] = withCancel(background);
    const wrapper = new Independent(inner);
    cancel("why");
    wrapper.end(canceledError());
    expect(nodeBehind(wrapper).poll()?.given()).toBe("why");
  });

  test("40. one that inherits from a root of ours and has answers of its own may end", () => {
    const answers = new Independent();
    const custom = Object.assign(Object.create(background) as Context, {
      deadline: () => answers.deadline(),
      done: () => answers.done(),
      err: () => answers.err(),
      value: () => undefined,
    });
    const [child] = withCancel(custom);
    answers.end(canceledError());
    expect(child.err()).toBe(answers.err());
  });

  test.each([
    ["a root", (): Context => withValue(background, key, "inherited")],
    ["a node", (): Context => withValue(withCancel(background)[0], key, "inherited")],
    ["a node without values", (): Context => withCancel(background)[0]],
    ["a root without values", () => background],
  ])(
    "40. one whose prototype is %s takes its values from there, and its own end is its children's",
    async (_what, proto) => {
      const inside = proto();
      const answers = new Independent();
      const parent = Object.create(inside, {
        err: { value: () => answers.err() },
        done: { value: () => answers.done() },
        deadline: { value: () => answers.deadline() },
      }) as Context;
      const [child] = withCancel(parent);
      expect([parent.value(key), child.value(key)]).toEqual([inside.value(key), inside.value(key)]);
      expect(child.err()).toBeUndefined();
      answers.end(canceledError());
      await child.done();
      expect(child.err()).toBe(answers.err());
    },
  );

  test("40. value() borrowed by what is no context is refused", () => {
    const borrowed = (): unknown => background.value.call({} as Context, key);
    expect(borrowed).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARG" }));
    expect(borrowed).toThrow("ctx.value: this");
  });

  test("40. a child has the cause that the parent has when it is derived, and keeps it", () => {
    const [inner, cancel] = withCancel(background);
    const custom = new Independent(inner);
    const [before] = withCancel(custom);
    const err = expiredError();
    custom.end(err);
    expect(cause(before)).toBe(err);
    const why = new Error("why");
    cancel(why);
    expect(cause(custom)).toBe(why); // Go's: that of the context of its own that is below
    const [after] = withCancel(custom);
    const [timed] = withTimeout(after, 1000, new Error("another"));
    expect([cause(before), cause(after), cause(timed)]).toEqual([err, why, why]);
    expect(cause(after)).toBe(why);
    expect([before.err(), after.err(), timed.err()].every((each) => each === err)).toBe(true);
  });

  test("40. the child's own cancel counts first, and the parent's later end changes nothing", async () => {
    const custom = new Independent();
    const [child, cancel] = withCancel(custom);
    cancel("own");
    custom.end(expiredError());
    await turn();
    expect(child.err()).toBeInstanceOf(CanceledError);
    expect(cause(child)).toBe("own");
  });

  test("40. race, sleep, afterFunc, Group and value layers take it as they take ours", async () => {
    const custom = new Independent();
    const err = canceledError();
    let ran = 0;
    afterFunc(custom, () => ran++);
    const raced = race(custom, new Promise(() => undefined)).catch((error: unknown) => error);
    const slept = sleep(withValue(custom, key, 1), 3_600_000).catch((error: unknown) => error);
    const group = new Group(custom);
    custom.end(err);
    expect(await raced).toBe(err);
    expect(await slept).toBe(err);
    expect(group.ctx.err()).toBe(err);
    expect(ran).toBe(1);
    expect(withValue(custom, key, 1).err()).toBe(err);
  });

  test("40. a context that is a plain object works as a parent", async () => {
    const state: { err?: ContextError } = {};
    let end: () => void = () => undefined;
    const done = new Promise<void>((resolve) => {
      end = resolve;
    });
    const plain: Context = {
      deadline: () => undefined,
      done: () => done,
      err: () => state.err,
      value: () => undefined,
      throwIfDone: () => undefined,
      signal: new AbortController().signal,
    };
    const [child] = withCancel(plain);
    const { signal } = child;
    expect(child.err()).toBeUndefined();
    state.err = canceledError();
    end();
    await turn();
    expect(signal.aborted).toBe(true);
    expect(child.err()).toBe(state.err);
  });

  test("40. a context of another copy of the library works as a parent", async () => {
    vi.resetModules();
    const copy = await import("../../src/context/index.js");
    expect(copy.background).not.toBe(background);
    const [theirs, cancelTheirs] = copy.withCancel(copy.withValue(copy.background, key, "theirs"));
    const [ours, cancelOurs] = withCancel(theirs);
    const [below] = copy.withCancel(ours);
    const { signal } = below;
    expect(below.value(key)).toBe("theirs");
    expect(withCancel(copy.background)[0].err()).toBeUndefined();
    cancelTheirs("why");
    await turn();
    expect(signal.aborted).toBe(true);
    expect(ours.err()).toBe(theirs.err());
    expect(below.err()).toBe(theirs.err());
    expect(isContextError(below.err())).toBe(true);
    cancelOurs("late");
    expect(ours.err()).toBe(theirs.err());
  });

  test("15. children cancelled by themselves are not held by a long-lived custom parent", async () => {
    const custom = new Independent();
    const [sibling] = withCancel(custom);
    const makers: ((parent: Context) => [Context, CancelFunc])[] = [
      withCancel,
      (parent) => withTimeout(parent, 3_600_000),
    ];
    for (const make of makers) {
      const made = () => {
        const [child, cancel] = make(custom);
        void child.done();
        cancel();
        return child;
      };
      expect(await collectable(made)).toBe(true);
    }
    expect(custom.err()).toBeUndefined();
    expect(sibling.err()).toBeUndefined();
  });

  test("15. a hundred thousand children of a custom parent, cancelled, leave the heap where it was", () => {
    const custom = new Independent();
    const growth = heapGrowth(100_000, () => {
      const [, cancel] = withCancel(custom);
      cancel();
    });
    expect(growth).toBeLessThan(500_000);
    expect(custom.err()).toBeUndefined();
  });
});

describe("its deadline", () => {
  test("28. a custom parent's deadline that is earlier is kept, and no timer is made", async () => {
    vi.useFakeTimers();
    const custom = new Independent(background, Date.now() + 1000);
    const [child] = withTimeout(custom, 1001, "own");
    expect(vi.getTimerCount()).toBe(0);
    expect(child.deadline()).toBe(custom.deadline());
    vi.advanceTimersByTime(5000);
    expect(child.err()).toBeUndefined(); // the parent says when it has ended
    const err = expiredError();
    custom.end(err);
    await turn();
    expect(child.err()).toBe(err);
    expect(cause(child)).toBe(err);
  });

  test("23. an equal deadline counts as not earlier: the child has a timer of its own", () => {
    vi.useFakeTimers();
    const custom = new Independent(background, Date.now() + 1000);
    const [child] = withTimeout(custom, 1000, "own");
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1000);
    expect(child.err()).toBeInstanceOf(DeadlineExceededError);
    expect(cause(child)).toBe("own");
    expect(custom.err()).toBeUndefined();
  });

  test("28. a custom parent's deadline that is later, or none, lets the child's fire alone", () => {
    vi.useFakeTimers();
    for (const deadline of [Date.now() + 2000, undefined, Infinity]) {
      const custom = new Independent(background, deadline);
      const [child] = withTimeout(custom, 1000, "own");
      expect(child.deadline()).toBe(Date.now() + 1000);
      vi.advanceTimersByTime(1000);
      expect(cause(child)).toBe("own");
      expect(custom.err()).toBeUndefined();
    }
  });

  test("28. a wrapper that delegates its end and has an earlier deadline of its own: that one counts", async () => {
    vi.useFakeTimers();
    const [inner, cancel] = withCancel(background);
    const wrapper = new Hurried(inner, Date.now() + 1000);
    const [child] = withTimeout(wrapper, 2000, "own");
    expect(child.deadline()).toBe(wrapper.deadline());
    expect(vi.getTimerCount()).toBe(0);
    const { signal } = child;
    cancel("inner");
    await turn();
    expect(signal.aborted).toBe(true);
    expect(child.err()).toBe(inner.err());
    expect(cause(child)).toBe("inner");
  });

  test("28. a child without a deadline of its own reports the custom parent's", () => {
    const custom = new Independent(background, 1234);
    expect(withCancel(custom)[0].deadline()).toBe(1234);
    expect(withValue(custom, key, 1).deadline()).toBe(1234);
    expect(withTimeout(custom, Infinity)[0].deadline()).toBe(1234);
  });

  test("5. remaining() of a custom context is measured on the system clock", () => {
    vi.useFakeTimers();
    const custom = new Independent(background, Date.now() + 1500);
    expect(remaining(custom)).toBe(1500);
    vi.advanceTimersByTime(2000);
    expect(remaining(custom)).toBe(0);
    expect(remaining(new Independent())).toBe(Infinity);
  });

  test("28. a delegating parent's deadline counts as the inner one's", () => {
    vi.useFakeTimers();
    const [inner, cancel] = withTimeout(background, 1000, "inner");
    const [later] = withTimeout(new Delegating(inner), 2000, "later");
    const [earlier] = withTimeout(new Delegating(inner), 500, "earlier");
    expect(later.deadline()).toBe(inner.deadline());
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(500);
    expect(cause(earlier)).toBe("earlier");
    expect(later.err()).toBeUndefined();
    vi.advanceTimersByTime(500);
    expect(later.err()).toBe(errorOf(inner));
    expect(cause(later)).toBe("inner");
    cancel();
  });
});
