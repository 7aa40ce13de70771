import { describe, expect, test } from "vitest";
import {
  afterFunc,
  background,
  type Context,
  cause,
  contextKey,
  todo,
  withCancel,
  withoutCancel,
  withTimeout,
  withValue,
} from "../../src/context/index.js";
import { canceledError, Independent } from "../support/contexts.js";
import { collectable } from "../support/memory.js";
import { microtask, turn } from "../support/turn.js";
import { uncaughtDuring } from "../support/uncaught.js";

const key = contextKey<number>("key");

/** A function that counts its runs. */
function counter(): { fn: () => void; readonly runs: number } {
  let runs = 0;
  return {
    fn: () => {
      runs++;
    },
    get runs() {
      return runs;
    },
  };
}

describe("running", () => {
  test("35. the function runs once, after the end, and never before", async () => {
    const [ctx, cancel] = withCancel(background);
    const counted = counter();
    afterFunc(ctx, counted.fn);
    await turn();
    expect(counted.runs).toBe(0);
    cancel();
    await turn();
    expect(counted.runs).toBe(1);
    cancel();
    await turn();
    expect(counted.runs).toBe(1);
  });

  test("35. cancel() does not wait for it: it runs in a microtask", async () => {
    const [ctx, cancel] = withCancel(background);
    const counted = counter();
    afterFunc(ctx, counted.fn);
    cancel();
    expect(counted.runs).toBe(0);
    await microtask();
    expect(counted.runs).toBe(1);
  });

  test("35. on a context that has ended already it runs asynchronously, too", async () => {
    const [ctx, cancel] = withCancel(background);
    cancel();
    const counted = counter();
    afterFunc(ctx, counted.fn);
    expect(counted.runs).toBe(0);
    await microtask();
    expect(counted.runs).toBe(1);
  });

  test("35. it is called without arguments, and what it returns is not looked at", async () => {
    const [ctx, cancel] = withCancel(background);
    const calls: unknown[][] = [];
    let looked = false;
    afterFunc(ctx, (...args: unknown[]) => {
      calls.push(args);
      return {
        // biome-ignore lint/suspicious/noThenProperty: a thenable, to see whether anybody asks
        get then() {
          looked = true;
          return undefined;
        },
      };
    });
    cancel("why");
    await turn();
    expect(calls).toEqual([[]]);
    expect(looked).toBe(false);
  });

  test("35. it runs when an ancestor ends, through value layers and at any depth", async () => {
    const [root, cancel] = withCancel(background);
    const counted = counter();
    afterFunc(withValue(withCancel(withValue(withCancel(root)[0], key, 1))[0], key, 2), counted.fn);
    cancel();
    await turn();
    expect(counted.runs).toBe(1);
  });

  test("35. it does not run when only a child ends", async () => {
    const [parent] = withCancel(background);
    const [, cancelChild] = withCancel(parent);
    const counted = counter();
    afterFunc(parent, counted.fn);
    cancelChild();
    await turn();
    expect(counted.runs).toBe(0);
  });

  test("35. it runs after the end of a custom context, too", async () => {
    const custom = new Independent();
    const counted = counter();
    afterFunc(custom, counted.fn);
    const stop = afterFunc(custom, counted.fn);
    expect(stop()).toBe(true);
    custom.end(canceledError());
    await turn();
    expect(counted.runs).toBe(1);
    afterFunc(custom, counted.fn);
    await turn();
    expect(counted.runs).toBe(2);
  });

  test("37. registrations are independent of each other, also of the same function twice", async () => {
    const [ctx, cancel] = withCancel(background);
    const counted = counter();
    const stops = [afterFunc(ctx, counted.fn), afterFunc(ctx, counted.fn), afterFunc(ctx, counted.fn)];
    expect(stops[1]?.()).toBe(true);
    cancel();
    await turn();
    expect(counted.runs).toBe(2);
  });

  test("37. inside, err() and cause are set, done() is resolved and the API may be used again", async () => {
    const [ctx, cancel] = withCancel(background);
    const seen: unknown[] = [];
    let again = 0;
    afterFunc(ctx, () => {
      seen.push(ctx.err(), cause(ctx), withCancel(ctx)[0].err(), ctx.signal.reason);
      void ctx.done().then(() => again++);
      afterFunc(ctx, () => again++);
      afterFunc(ctx, () => again++)();
      const [fresh, cancelFresh] = withCancel(background);
      afterFunc(fresh, () => again++);
      cancelFresh();
      cancel("again");
    });
    cancel("why");
    await turn();
    expect(seen).toEqual([ctx.err(), "why", ctx.err(), ctx.err()]);
    expect(seen[0]).toBe(ctx.err());
    expect(seen[0]).toBeDefined();
    expect(again).toBe(3);
  });

  for (const [name, root] of [
    ["background", background],
    ["todo", todo],
    ["withoutCancel", withoutCancel(withTimeout(background, 0)[0])],
    ["a value on background", withValue(background, key, 1)],
  ] as const) {
    test(`38. on ${name} it never runs, and the first stop() is true`, async () => {
      const counted = counter();
      const stop = afterFunc(root, counted.fn);
      await turn();
      expect(stop()).toBe(true);
      expect(stop()).toBe(false);
      await turn();
      expect(counted.runs).toBe(0);
    });
  }
});

describe("stop", () => {
  test("36. stop() before the end is true, and the function never runs", async () => {
    const [ctx, cancel] = withCancel(background);
    const counted = counter();
    const stop = afterFunc(ctx, counted.fn);
    expect(stop()).toBe(true);
    cancel();
    await turn();
    expect(counted.runs).toBe(0);
  });

  test("36. a second stop() is false", async () => {
    const [ctx, cancel] = withCancel(background);
    const stop = afterFunc(ctx, counter().fn);
    expect(stop()).toBe(true);
    expect(stop()).toBe(false);
    cancel();
    await turn();
    expect(stop()).toBe(false);
  });

  test("36. stop() after the run is false", async () => {
    const [ctx, cancel] = withCancel(background);
    const counted = counter();
    const stop = afterFunc(ctx, counted.fn);
    cancel();
    await turn();
    expect(counted.runs).toBe(1);
    expect(stop()).toBe(false);
  });

  test("36. stop() from inside the function is false: it has started", async () => {
    const [ctx, cancel] = withCancel(background);
    let answer: boolean | undefined;
    const stop = afterFunc(ctx, () => {
      answer = stop();
    });
    cancel();
    await turn();
    expect(answer).toBe(false);
  });

  test("36. stop() between the end and the run is true exactly when it prevented the run", async () => {
    const [ctx, cancel] = withCancel(background);
    const before = counter();
    const stop = afterFunc(ctx, before.fn);
    cancel();
    const prevented = stop();
    const born = counter();
    const preventedBorn = afterFunc(ctx, born.fn)();
    await turn();
    expect(before.runs).toBe(prevented ? 0 : 1);
    expect(born.runs).toBe(preventedBorn ? 0 : 1);
    expect(stop()).toBe(false);
  });

  test("36. stop() takes the registration off the parent: what the function holds is collectable", async () => {
    const [ctx, cancel] = withCancel(background);
    const made = () => {
      const held = {};
      const stop = afterFunc(ctx, () => {
        expect.unreachable(JSON.stringify(held));
      });
      stop();
      return held;
    };
    expect(await collectable(made)).toBe(true);
    cancel();
    await turn();
  });

  test("36. one that has run is not held either", async () => {
    const [ctx, cancel] = withCancel(background);
    let ran = false;
    const made = () => {
      const held = { ran: true };
      afterFunc(ctx, () => {
        ran = held.ran;
      });
      cancel();
      return held;
    };
    expect(await collectable(made)).toBe(true);
    expect(ran).toBe(true);
    expect(ctx.err()).toBeDefined();
  });
});

describe("failing", () => {
  test("39. what it throws surfaces as an uncaught exception, as from queueMicrotask", async () => {
    const failure = new Error("from a function of afterFunc");
    const [ctx, cancel] = withCancel(background);
    afterFunc(ctx, () => {
      throw failure;
    });
    const uncaught = await uncaughtDuring(() => {
      cancel();
    });
    expect(uncaught).toEqual([{ origin: "uncaughtException", error: failure }]);
    expect(uncaught[0]?.error).toBe(failure);
  });

  test("39. it never breaks the cancellation of others, nor keeps their functions from running", async () => {
    const [root, cancel] = withCancel(background);
    const children = Array.from({ length: 4 }, () => withCancel(root)[0]);
    const counted = counter();
    const failures = children.map((_, i) => new Error(`number ${String(i)}`));
    children.forEach((child, i) => {
      afterFunc(child, () => {
        throw failures[i] ?? expect.unreachable();
      });
      afterFunc(child, counted.fn);
    });
    const uncaught = await uncaughtDuring(() => {
      cancel();
    });
    for (const child of children) expect(child.err()).toBe(root.err());
    expect(counted.runs).toBe(4);
    expect(new Set(uncaught.map(({ error }) => error))).toEqual(new Set(failures));
    expect(uncaught).toHaveLength(4);
  });

  test("39. an abort listener that throws does not break the cancellation of others either", async () => {
    const [root, cancel] = withCancel(background);
    const children: Context[] = Array.from({ length: 4 }, () => withCancel(root)[0]);
    for (const ctx of [root, ...children]) {
      ctx.signal.addEventListener("abort", () => {
        throw new Error("from a listener");
      });
    }
    const uncaught = await uncaughtDuring(() => {
      cancel("why");
    });
    for (const ctx of children) {
      expect(cause(ctx)).toBe("why");
      expect(ctx.signal.aborted).toBe(true);
    }
    expect(uncaught).toHaveLength(5);
  });
});
