import { describe, expect, test, vi } from "vitest";
import {
  background,
  CanceledError,
  type Context,
  cause,
  Group,
  race,
  withCancel,
  withTimeout,
} from "../../src/context/index.js";
import { type Gate, openableGate } from "../support/gate.js";
import { microtask, settles, turn } from "../support/turn.js";
import { uncaughtDuring } from "../support/uncaught.js";

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => expect.unreachable("resolved"),
    (error: unknown) => error,
  );
}

/** Functions for a group that run until their gate is opened, and what they have been doing. */
function gated(count: number) {
  const gates: Gate<number>[] = Array.from({ length: count }, () => openableGate<number>());
  const started: number[] = [];
  let active = 0;
  let most = 0;
  const fns = gates.map((gate, i) => async () => {
    started.push(i);
    active++;
    most = Math.max(most, active);
    try {
      return await gate.opened;
    } finally {
      active--;
    }
  });
  return {
    fns,
    started,
    open: (i: number) => {
      gates[i]?.open(i);
    },
    fail: (i: number, reason: unknown) => {
      gates[i]?.fail(reason);
    },
    get most() {
      return most;
    },
  };
}

describe("failing", () => {
  test("41. the first failure by time cancels the group's context with itself as the cause", async () => {
    const group = new Group(background);
    const work = gated(3);
    for (const fn of work.fns) void group.go(fn);
    await turn();
    expect(group.ctx.err()).toBeUndefined();
    const first = new Error("first by time");
    work.fail(2, first);
    await turn();
    expect(group.ctx.err()).toBeInstanceOf(CanceledError);
    expect(cause(group.ctx)).toBe(first);
    work.fail(0, new Error("later"));
    work.open(1);
    expect(await rejection(group.wait())).toBe(first);
    expect(cause(group.ctx)).toBe(first);
  });

  test("41. wait() waits for all, also after a failure, and drops later failures", async () => {
    const group = new Group(background);
    const work = gated(3);
    for (const fn of work.fns) void group.go(fn);
    const waited = group.wait();
    waited.catch(() => undefined);
    const first = new Error("first");
    work.fail(1, first);
    expect(await settles(waited)).toBe(false);
    work.fail(0, new Error("second"));
    expect(await settles(waited)).toBe(false);
    work.open(2);
    expect(await rejection(waited)).toBe(first);
  });

  test("41. wait() on success resolves to undefined", async () => {
    const group = new Group(background);
    void group.go(() => 1);
    void group.go(() => Promise.resolve(2));
    await expect(group.wait()).resolves.toBeUndefined();
  });

  test("41. wait() on a group that never ran anything resolves", async () => {
    await expect(new Group(background).wait()).resolves.toBeUndefined();
  });

  for (const thrown of [undefined, null, 0, "", "text"] as unknown[]) {
    test(`41. a function that throws ${typeof thrown === "string" ? JSON.stringify(thrown) : String(thrown)} has failed all the same`, async () => {
      const group = new Group(background);
      const ran = group.go(() => Promise.reject(thrown as Error));
      expect(await rejection(group.wait())).toBe(thrown);
      expect(await rejection(ran)).toBe(thrown);
      expect(cause(group.ctx)).toBe(thrown === undefined ? group.ctx.err() : thrown);
    });
  }

  test("41. a failure while another function of the group is still queued lets that one start", async () => {
    const group = new Group(background, { limit: 1 });
    const work = gated(2);
    for (const fn of work.fns) void group.go(fn);
    work.fail(0, new Error("first"));
    await turn();
    expect(work.started).toEqual([0, 1]);
    work.open(1);
    await rejection(group.wait());
  });

  test("46. a synchronous throw inside the function counts as its failure, and does not come out of go", async () => {
    const group = new Group(background);
    const failure = new Error("at once");
    const ran = group.go(() => {
      throw failure;
    });
    expect(await rejection(ran)).toBe(failure);
    expect(cause(group.ctx)).toBe(failure);
    expect(await rejection(group.wait())).toBe(failure);
  });

  test("46. and it does not come out of tryGo either", async () => {
    const group = new Group(background);
    const failure = new Error("at once");
    expect(
      group.tryGo(() => {
        throw failure;
      }),
    ).toBe(true);
    expect(await rejection(group.wait())).toBe(failure);
  });

  test("a failing function whose promise is ignored is no unhandled rejection, by go or by tryGo", async () => {
    const uncaught = await uncaughtDuring(async () => {
      const group = new Group(background);
      void group.go(() => Promise.reject(new Error("ignored")));
      group.tryGo(() => Promise.reject(new Error("ignored")));
      await turn();
    });
    expect(uncaught).toEqual([]);
  });
});

describe("the group's context", () => {
  test("42. wait() always cancels it, also on success", async () => {
    const group = new Group(background);
    const ran = group.go(() => "fine");
    expect(await ran).toBe("fine");
    await turn();
    expect(group.ctx.err()).toBeUndefined();
    await group.wait();
    expect(group.ctx.err()).toBeInstanceOf(CanceledError);
    expect(cause(group.ctx)).toBe(group.ctx.err());
  });

  test("42. wait() does not cancel before the last function has ended", async () => {
    const group = new Group(background);
    const work = gated(1);
    for (const fn of work.fns) void group.go(fn);
    const waited = group.wait();
    await turn();
    expect(group.ctx.err()).toBeUndefined();
    work.open(0);
    await waited;
    expect(group.ctx.err()).toBeDefined();
  });

  test("42. wait() may be called again, at once or later, with the same answer", async () => {
    const good = new Group(background);
    void good.go(() => 1);
    await Promise.all([good.wait(), good.wait()]);
    await expect(good.wait()).resolves.toBeUndefined();
    const failure = new Error("failed");
    const bad = new Group(background);
    void bad.go(() => Promise.reject(failure));
    const answers = [bad.wait(), bad.wait()].map(rejection);
    expect(await Promise.all(answers)).toEqual([failure, failure]);
    expect(await rejection(bad.wait())).toBe(failure);
  });

  test("42. no wait() is forgotten, however close to the end of the last function another one starts", async () => {
    for (let hops = 0; hops < 20; hops++) {
      const group = new Group(background);
      const work = gated(2);
      const [first, second] = work.fns;
      if (first === undefined || second === undefined) expect.unreachable();
      void group.go(first);
      const waits = [group.wait(), group.wait(), group[Symbol.asyncDispose]()];
      work.open(0);
      for (let hop = 0; hop < hops; hop++) await microtask();
      void group.go(second);
      await turn();
      work.open(1);
      for (const waited of waits)
        expect(await settles(waited), `after ${String(hops)} microtasks`).toBe(true);
      await group.wait();
    }
  });

  test("43. a parent's cancellation reaches the group; wait() still reports only what the functions threw", async () => {
    const [parent, cancel] = withCancel(background);
    const group = new Group(parent);
    const work = gated(1);
    for (const fn of work.fns) void group.go(fn);
    cancel("parent");
    expect(group.ctx.err()).toBe(parent.err());
    expect(cause(group.ctx)).toBe("parent");
    const waited = group.wait();
    expect(await settles(waited)).toBe(false);
    work.open(0);
    await expect(waited).resolves.toBeUndefined();
  });

  test("43. a function that throws because the parent ended is a failure like any other", async () => {
    const [parent, cancel] = withCancel(background);
    const group = new Group(parent);
    void group.go((ctx) => race(ctx, new Promise(() => undefined)));
    cancel();
    expect(await rejection(group.wait())).toBe(parent.err());
  });

  test("43. the parent is left alone by failure and wait()", async () => {
    const [parent] = withCancel(background);
    const group = new Group(parent);
    void group.go(() => Promise.reject(new Error("failed")));
    await rejection(group.wait());
    expect(parent.err()).toBeUndefined();
  });

  test("44. go does not look at the context: functions start after a cancellation and are handed one that is done", async () => {
    const [parent, cancel] = withCancel(background);
    cancel("early");
    const group = new Group(parent);
    const seen: Context[] = [];
    const take = (ctx: Context) => {
      seen.push(ctx);
      return ctx.err();
    };
    expect(await group.go(take)).toBe(parent.err());
    expect(group.tryGo(take)).toBe(true);
    await group.wait();
    expect(seen.map((ctx) => ctx.err())).toEqual([parent.err(), parent.err()]);
    expect(seen.map(cause)).toEqual(["early", "early"]);
  });

  test("44. a function that was queued when the group failed is handed a context that is done, with the failure as cause", async () => {
    const group = new Group(background, { limit: 1 });
    const failure = new Error("failed");
    void group.go(() => Promise.reject(failure));
    const second = group.go((ctx) => cause(ctx));
    expect(await second).toBe(failure);
    await rejection(group.wait());
  });

  test("the functions are handed a context that ends with the group's", async () => {
    vi.useFakeTimers();
    try {
      const group = new Group(withTimeout(background, 1000)[0]);
      let handed: Context | undefined;
      await group.go((ctx) => {
        handed = ctx;
      });
      expect(handed?.deadline()).toBe(group.ctx.deadline());
      vi.advanceTimersByTime(1000);
      expect(handed?.err()).toBe(group.ctx.err());
      expect(handed?.err()).toBeDefined();
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("go, tryGo and the limit", () => {
  test("45. go hands back a promise of the function's value, or of its failure", async () => {
    const group = new Group(background);
    const value = {};
    expect(await group.go(() => value)).toBe(value);
    expect(await group.go(() => Promise.resolve(value))).toBe(value);
    const failure = new Error("failed");
    expect(await rejection(group.go(() => Promise.reject(failure)))).toBe(failure);
  });

  test("45. active functions never exceed the limit, and those over it start first in, first out", async () => {
    const group = new Group(background, { limit: 2 });
    const work = gated(6);
    const results = work.fns.map((fn) => group.go(fn));
    await turn();
    expect(work.started).toEqual([0, 1]);
    work.open(1);
    await turn();
    expect(work.started).toEqual([0, 1, 2]);
    work.open(2);
    work.open(0);
    await turn();
    expect(work.started).toEqual([0, 1, 2, 3, 4]);
    for (const i of [3, 4, 5]) work.open(i);
    expect(await Promise.all(results)).toEqual([0, 1, 2, 3, 4, 5]);
    await group.wait();
    expect(work.started).toEqual([0, 1, 2, 3, 4, 5]);
    expect(work.most).toBe(2);
  });

  test("45. wait() waits for those that are queued, too", async () => {
    const group = new Group(background, { limit: 1 });
    const work = gated(3);
    for (const fn of work.fns) void group.go(fn);
    const waited = group.wait();
    for (const i of [0, 1]) {
      work.open(i);
      expect(await settles(waited)).toBe(false);
    }
    work.open(2);
    await waited;
    expect(work.started).toEqual([0, 1, 2]);
  });

  test("45. a function may start others of its group; wait() waits for them, too", async () => {
    const group = new Group(background);
    const inner = gated(1);
    await group.go(() => {
      for (const fn of inner.fns) void group.go(fn);
    });
    const waited = group.wait();
    expect(await settles(waited)).toBe(false);
    inner.open(0);
    await waited;
  });

  test("45. a function that is the last of its group may start another after an await", async () => {
    const group = new Group(background);
    const gate = openableGate();
    let ran = false;
    void group.go(async () => {
      await gate.opened;
      void group.go(() => {
        ran = true;
      });
    });
    const waited = group.wait();
    gate.open();
    await waited;
    expect(ran).toBe(true);
  });

  test("45. at the limit tryGo is false and starts nothing; below it, it is true and starts", async () => {
    const group = new Group(background, { limit: 1 });
    const work = gated(3);
    const [first, second, third] = work.fns;
    if (first === undefined || second === undefined || third === undefined) expect.unreachable();
    expect(group.tryGo(first)).toBe(true);
    expect(group.tryGo(second)).toBe(false);
    await turn();
    expect(work.started).toEqual([0]);
    work.open(0);
    await turn();
    expect(group.tryGo(third)).toBe(true);
    expect(group.tryGo(second)).toBe(false);
    work.open(2);
    await group.wait();
    expect(work.started).toEqual([0, 2]);
    expect(work.most).toBe(1);
  });

  test("45. tryGo does not overtake what go has queued", async () => {
    const group = new Group(background, { limit: 1 });
    const work = gated(3);
    const [first, second, third] = work.fns;
    if (first === undefined || second === undefined || third === undefined) expect.unreachable();
    void group.go(first);
    void group.go(second);
    work.open(0);
    await turn();
    expect(group.tryGo(third)).toBe(false);
    work.open(1);
    await group.wait();
    expect(work.started).toEqual([0, 1]);
  });

  test("45. functions started by tryGo are counted by the limit of go, and waited for", async () => {
    const group = new Group(background, { limit: 1 });
    const work = gated(2);
    const [first, second] = work.fns;
    if (first === undefined || second === undefined) expect.unreachable();
    expect(group.tryGo(first)).toBe(true);
    void group.go(second);
    await turn();
    expect(work.started).toEqual([0]);
    const waited = group.wait();
    work.open(0);
    expect(await settles(waited)).toBe(false);
    work.open(1);
    await waited;
    expect(work.most).toBe(1);
  });

  test("45. a place is free again after a failure and after a synchronous throw", async () => {
    const group = new Group(background, { limit: 1 });
    void group.go(() => Promise.reject(new Error("one")));
    void group.go(() => {
      throw new Error("two");
    });
    expect(await group.go(() => "three")).toBe("three");
    expect((await rejection(group.wait())) as Error).toMatchObject({ message: "one" });
  });

  test("45. a limit of 0 lets nothing start", async () => {
    const group = new Group(background, { limit: 0 });
    const work = gated(2);
    const [first, second] = work.fns;
    if (first === undefined || second === undefined) expect.unreachable();
    const queued = group.go(first);
    expect(group.tryGo(second)).toBe(false);
    expect(await settles(queued)).toBe(false);
    expect(work.started).toEqual([]);
  });

  for (const limit of [-1, -100, Infinity, -Infinity, undefined]) {
    test(`45. ${limit === undefined ? "no limit" : `a limit of ${String(limit)}`} lets everything start`, async () => {
      const group = new Group(background, limit === undefined ? {} : { limit });
      const work = gated(500);
      for (const fn of work.fns) void group.go(fn);
      expect(group.tryGo(() => undefined)).toBe(true);
      await turn();
      expect(work.started).toHaveLength(500);
      for (const i of work.started) work.open(i);
      await group.wait();
    });
  }

  test("45. a hundred thousand queued functions all run, in order", async () => {
    const group = new Group(background, { limit: 3 });
    const started: number[] = [];
    for (let i = 0; i < 100_000; i++) void group.go(() => started.push(i));
    await group.wait();
    expect(started).toHaveLength(100_000);
    expect(started.every((value, i) => value === i)).toBe(true);
  });
});

describe("as an async disposable", () => {
  test("leaving the scope cancels the context, without a cause, and waits for the functions", async () => {
    const order: string[] = [];
    let left: Context = background;
    await (async () => {
      await using group = new Group(background);
      left = group.ctx;
      void group.go(async (ctx) => {
        await ctx.done();
        await turn();
        order.push("stopped");
      });
      order.push("leaving");
    })();
    order.push("left");
    expect(order).toEqual(["leaving", "stopped", "left"]);
    expect(left.err()).toBeInstanceOf(CanceledError);
    expect(cause(left)).toBe(left.err());
  });

  test("it never throws, whatever the functions throw", async () => {
    const group = new Group(background);
    void group.go(() => Promise.reject(new Error("failed")));
    void group.go(async (ctx) => {
      await ctx.done();
      throw ctx.err() ?? expect.unreachable();
    });
    await expect(group[Symbol.asyncDispose]()).resolves.toBeUndefined();
  });

  test("it does not hide what the scope itself throws", async () => {
    const own = new Error("the scope's own");
    const scope = async () => {
      await using group = new Group(background);
      void group.go(() => Promise.reject(new Error("failed")));
      throw own;
    };
    expect(await rejection(scope())).toBe(own);
  });

  test("after wait() it changes nothing", async () => {
    const group = new Group(background);
    const failure = new Error("failed");
    void group.go(() => Promise.reject(failure));
    await rejection(group.wait());
    await group[Symbol.asyncDispose]();
    expect(cause(group.ctx)).toBe(failure);
    expect(await rejection(group.wait())).toBe(failure);
  });
});
