import { afterEach, describe, expect, test, vi } from "vitest";
import {
  background,
  CanceledError,
  type Context,
  cause,
  contextKey,
  first,
  race,
  withCancel,
  withTimeout,
  withValue,
} from "../../src/context/index.js";
import { canceledError, Independent } from "../support/contexts.js";
import { type Gate, openableGate } from "../support/gate.js";
import { heapUsed } from "../support/memory.js";
import { settles, turn } from "../support/turn.js";
import { uncaughtDuring } from "../support/uncaught.js";

afterEach(() => {
  vi.useRealTimers();
});

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => expect.unreachable("resolved"),
    (error: unknown) => error,
  );
}

/** The error of `first` when all have failed, with their errors. */
function allFailed(errors: readonly unknown[]) {
  return (error: unknown) => {
    expect(error).toBeInstanceOf(AggregateError);
    expect(error).toMatchObject({ name: "AggregateError", code: "ERR_ALL_FAILED" });
    const { errors: got, message } = error as AggregateError;
    expect(got).toHaveLength(errors.length);
    for (const [i, each] of errors.entries()) expect(got[i]).toBe(each);
    expect(message).toBe(`first: none of ${String(errors.length)} functions succeeded`);
  };
}

/** Functions that ignore their context: each runs until the test opens its gate. */
function gated(count: number) {
  const gates: Gate<unknown>[] = Array.from({ length: count }, () => openableGate<unknown>());
  const handed: Context[] = [];
  const fns = gates.map((gate) => (ctx: Context) => {
    handed.push(ctx);
    return gate.opened;
  });
  const shared = (): Context => handed[0] ?? expect.unreachable("not called");
  return { fns, gates, handed, shared };
}

describe("the first success", () => {
  test("is the result: the first by time, not in the order of the functions", async () => {
    const { fns, gates } = gated(3);
    const winner = first(background, fns);
    expect(await settles(winner)).toBe(false);
    const value = {};
    gates[2]?.open(value);
    await turn();
    gates[0]?.open("later");
    gates[1]?.open("later still");
    expect(await winner).toBe(value);
  });

  test("may be a plain value, also undefined", async () => {
    expect(await first(background, [() => 7])).toBe(7);
    expect(await first(background, [() => undefined, () => 7])).toBeUndefined();
  });

  test("ends the context of the others, with a CanceledError, and leaves the parent alone", async () => {
    const [parent] = withCancel(background);
    const { fns, gates, shared } = gated(2);
    const winner = first(parent, fns);
    expect(shared().err()).toBeUndefined();
    gates[0]?.open("won");
    await turn();
    expect(shared().err()).toBeInstanceOf(CanceledError);
    expect(cause(shared())).toBe(shared().err());
    expect(parent.err()).toBeUndefined();
    gates[1]?.open("lost");
    await winner;
    expect(parent.err()).toBeUndefined();
  });

  test("is handed on only when the losers have stopped", async () => {
    const { fns, gates } = gated(3);
    const winner = first(background, fns);
    gates[1]?.open("won");
    expect(await settles(winner)).toBe(false);
    gates[0]?.fail(new Error("stopped"));
    expect(await settles(winner)).toBe(false);
    gates[2]?.open("too late");
    expect(await winner).toBe("won");
  });

  test("is not waited with, where each function races its context: the way out that its docs name", async () => {
    const { fns, gates } = gated(2);
    const winner = first(
      background,
      fns.map((fn) => (ctx: Context) => race(ctx, fn(ctx))),
    );
    gates[1]?.open("won");
    expect(await settles(winner)).toBe(true);
    expect(await winner).toBe("won");
  });

  test("losers that watch their context are the usual case: one ends them all", async () => {
    const stopped: number[] = [];
    const gate = openableGate<string>();
    const watch = (i: number) => async (ctx: Context) => {
      await ctx.done();
      stopped.push(i);
      ctx.throwIfDone();
    };
    const winner = first(background, [watch(0), () => gate.opened, watch(2)]);
    gate.open("won");
    expect(await winner).toBe("won");
    expect(stopped).toEqual([0, 2]);
  });
});

describe("the functions", () => {
  test("are all called inside the call, in order, with one context", () => {
    const { fns, handed, gates } = gated(4);
    void first(background, fns);
    expect(handed).toHaveLength(4);
    expect(new Set(handed).size).toBe(1);
    for (const gate of gates) gate.open(0);
    const called: number[] = [];
    void first(
      background,
      [0, 1, 2].map((i) => () => called.push(i)),
    );
    expect(called).toEqual([0, 1, 2]);
  });

  test("are handed a child of the context given: its values, its deadline", async () => {
    const key = contextKey<string>("key");
    const [timed] = withTimeout(background, 3_600_000);
    const seen = await first(withValue(timed, key, "value"), [(ctx) => [ctx.value(key), ctx.deadline()]]);
    expect(seen).toEqual(["value", timed.deadline()]);
  });

  test("may come from any iterable, which is read to its end before the first is called", async () => {
    const order: string[] = [];
    function* list() {
      for (const name of ["a", "b"]) {
        order.push(`read ${name}`);
        yield () => order.push(`called ${name}`);
      }
      order.push("read to its end");
    }
    await first(background, list());
    expect(order).toEqual(["read a", "read b", "read to its end", "called a", "called b"]);
    expect(await first(background, new Set([() => "from a set"]))).toBe("from a set");
  });

  test("are not called when reading the iterable fails: first rejects with what it threw", async () => {
    const called = vi.fn();
    const broken = new Error("broken list");
    function* list() {
      yield called;
      throw broken;
    }
    expect(await rejection(first(background, list()))).toBe(broken);
    expect(called).not.toHaveBeenCalled();
  });
});

describe("a failure", () => {
  test("ends nothing: the others go on, and one of them may win", async () => {
    const { fns, gates, shared } = gated(3);
    const winner = first(background, fns);
    gates[0]?.fail(new Error("failed"));
    gates[2]?.fail(new Error("failed"));
    expect(await settles(winner)).toBe(false);
    expect(shared().err()).toBeUndefined();
    gates[1]?.open("won");
    expect(await winner).toBe("won");
  });

  test("may be thrown synchronously: it comes out of no call, and those behind are called", async () => {
    const throwing = () => {
      throw new Error("at once");
    };
    expect(await first(background, [throwing, () => "won"])).toBe("won");
  });

  test("of a loser, after the winner or before, is no unhandled rejection", async () => {
    const uncaught = await uncaughtDuring(async () => {
      const { fns, gates } = gated(3);
      const winner = first(background, fns);
      gates[0]?.fail(new Error("before"));
      gates[1]?.open("won");
      await turn();
      gates[2]?.fail(new Error("after"));
      await winner;
    });
    expect(uncaught).toEqual([]);
  });
});

describe("when all fail", () => {
  test("it rejects with an AggregateError of their errors, in the order of the functions, by identity", async () => {
    const { fns, gates } = gated(3);
    const winner = first(background, fns);
    winner.catch(() => undefined);
    const errors = [new Error("a"), undefined, "text"];
    for (const i of [2, 0]) {
      gates[i]?.fail(errors[i]);
      expect(await settles(winner)).toBe(false);
    }
    gates[1]?.fail(errors[1]);
    await rejection(winner).then(allFailed(errors));
  });

  test("so it does for one function", async () => {
    const failure = new Error("failed");
    await rejection(first(background, [() => Promise.reject(failure)])).then(allFailed([failure]));
  });

  test("so it does for none: there was no success", async () => {
    await rejection(first(background, [])).then(allFailed([]));
  });
});

describe("when its context ends", () => {
  test("theirs ends with it, and it rejects with ctx.err() once they have stopped", async () => {
    const [parent, cancel] = withCancel(background);
    const { fns, gates, shared } = gated(2);
    const winner = first(parent, fns);
    winner.catch(() => undefined);
    cancel("why");
    expect(shared().err()).toBe(parent.err());
    expect(cause(shared())).toBe("why");
    gates[0]?.fail(shared().err());
    expect(await settles(winner)).toBe(false);
    gates[1]?.fail(shared().err());
    expect(await rejection(winner)).toBe(parent.err());
  });

  test("a deadline is such an end", async () => {
    vi.useFakeTimers();
    const [ctx] = withTimeout(background, 1000);
    const winner = rejection(first(ctx, [(c) => race(c, new Promise(() => undefined))]));
    vi.advanceTimersByTime(1000);
    expect(await winner).toBe(ctx.err());
  });

  test("failures from before it do not count any more", async () => {
    const [parent, cancel] = withCancel(background);
    const { fns, gates } = gated(2);
    const winner = rejection(first(parent, fns));
    gates[0]?.fail(new Error("before"));
    await turn();
    cancel();
    gates[1]?.fail(new Error("its own"));
    expect(await winner).toBe(parent.err());
  });

  test("a function that succeeds all the same has won", async () => {
    const [parent, cancel] = withCancel(background);
    const { fns, gates } = gated(2);
    const winner = first(parent, fns);
    cancel();
    gates[0]?.fail(parent.err());
    gates[1]?.open("best so far");
    expect(await winner).toBe("best so far");
  });

  test("while the losers stop, there is a winner already: it resolves", async () => {
    const [parent, cancel] = withCancel(background);
    const { fns, gates, shared } = gated(2);
    const winner = first(parent, fns);
    gates[0]?.open("won");
    await turn();
    cancel("late");
    expect(cause(shared())).not.toBe("late");
    gates[1]?.fail(shared().err());
    expect(await winner).toBe("won");
  });

  test("before the call, nothing is called, and it rejects with ctx.err()", async () => {
    const [parent, cancel] = withCancel(background);
    cancel();
    const called = vi.fn();
    expect(await rejection(first(parent, [called]))).toBe(parent.err());
    expect(await rejection(first(parent, []))).toBe(parent.err());
    expect(called).not.toHaveBeenCalled();
  });

  test("a context of the user's own ends it, too, with the user's error", async () => {
    const own = new Independent();
    const winner = rejection(first(own, [(ctx) => race(ctx, new Promise(() => undefined))]));
    const error = canceledError("own");
    own.end(error);
    expect(await winner).toBe(error);
  });
});

describe("when it has settled", () => {
  test("the functions' context is over, whatever the outcome", async () => {
    for (const end of ["open", "fail"] as const) {
      const { fns, gates, shared } = gated(1);
      const winner = first(background, fns);
      gates[0]?.[end](new Error("failed"));
      await winner.catch(() => undefined);
      expect(shared().err()).toBeInstanceOf(CanceledError);
    }
  });

  test("nothing is left behind on the context given", async () => {
    const [parent] = withCancel(background);
    void parent.done();
    const calls = async (times: number) => {
      for (let i = 0; i < times; i++) {
        await first(parent, [() => i]);
        await first(parent, [() => Promise.reject(new Error("failed"))]).catch(() => undefined);
      }
    };
    await calls(2000);
    const before = heapUsed();
    await calls(10_000);
    expect(heapUsed() - before).toBeLessThan(500_000);
    expect(parent.err()).toBeUndefined();
  });
});
