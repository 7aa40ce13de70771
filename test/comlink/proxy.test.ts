/** Callbacks as arguments of a pool's tasks. */
import type { MessagePort } from "node:worker_threads";
import { background, type Context, cause, Pool, withCancel } from "lifeguard";
import { proxy } from "lifeguard/comlink";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { standIns } from "../../src/workers/stand-in.js";
import { openableGate } from "../support/gate.js";
import { failure, fixture, rejection, settled, threadGate } from "../support/pool.js";
import { microtask, turn } from "../support/turn.js";
import { uncaughtDuring } from "../support/uncaught.js";

let pool: Pool;
beforeAll(async () => {
  pool = new Pool(fixture("comlink/tasks.mjs"), { threads: 2, grace: 60_000 });
  await pool.ready();
});
afterAll(() => pool.destroy());

test("a task calls a function of this thread, and gets its answer", async () => {
  const got: number[] = [];
  const square = proxy(async (n: number) => {
    got.push(n);
    return Promise.resolve(n * n);
  });
  expect(await pool.run(background, "each", 4, square)).toEqual([0, 1, 4, 9]);
  expect(got).toEqual([0, 1, 2, 3]);
});

test("what a synchronous task has told has all arrived when its result settles, in order", async () => {
  const got: number[] = [];
  await pool.run(
    background,
    "tell",
    5000,
    proxy((n: number) => void got.push(n)),
  );
  expect(got).toEqual(Array.from({ length: 5000 }, (_, n) => n));
});

test("calls from synchronous code arrive while it runs", async () => {
  const [ctx, cancel] = withCancel(background);
  const task = pool.submit(ctx, "spin", [
    proxy((text: string) => {
      expect(text).toBe("started");
      expect(task.state).toBe("running");
      cancel("seen");
    }),
  ]);
  expect(await rejection(task.result)).toBe(task.ctx.err());
  expect(task.outcome).toBe("stopped");
});

test("of a task that is stopped hard, what it told before has arrived", async () => {
  await using other = new Pool(fixture("comlink/tasks.mjs"), { threads: 1, grace: 0 });
  const told: string[] = [];
  const [ctx, cancel] = withCancel(background);
  const task = other.submit(ctx, "runaway", [
    proxy((text: string) => {
      told.push(text);
      cancel();
    }),
  ]);
  expect(await settled(task)).toBe("terminated");
  expect(
    await settled(other.submit(background, "exit", [proxy((text: string) => void told.push(text))])),
  ).toBe("crashed");
  expect(told).toEqual(["started", "before"]);
  expect(await other.run(background, "plain", 1)).toBe(1);
});

test("what it throws reaches the task with its class, code and cause, and is the task's to handle", async () => {
  const thrower = proxy(() => {
    throw Object.assign(new RangeError("cb", { cause: new Error("deep") }), { code: "E_CB" });
  });
  expect(await pool.run(background, "caught", thrower)).toEqual(["RangeError", "E_CB", "cb", "deep"]);
  const failed = pool.submit(background, "each", [1, thrower]);
  expect(await failure(failed.result)).toMatchObject({ code: "E_CB" });
  expect(failed.outcome).toBe("failed");
});

test("thrown into a promise that the task does not handle, it is an unhandled rejection there, as any other", async () => {
  const task = pool.submit(background, "uncaught", [
    proxy(() => {
      throw new RangeError("nobody cares");
    }),
  ]);
  const error = await failure(task.result);
  expect(task.outcome).toBe("crashed");
  expect(error).toMatchObject({ code: "ERR_WORKER_CRASHED", cause: { message: "nobody cares" } });
  await pool.ready();
});

test("an object with methods may be passed, too", async () => {
  const object = proxy({
    name: "calculator",
    add: (a: number, b: number) => a + b,
    deep: { sub: (a: number, b: number) => a - b },
  });
  expect(await pool.run(background, "member", object)).toEqual([3, 2, "calculator"]);
});

test("one function may go to many tasks, and twice to one", async () => {
  let calls = 0;
  const count = proxy(() => ++calls);
  await Promise.all(Array.from({ length: 20 }, () => pool.run(background, "each", 5, count)));
  expect(calls).toBe(100);
  expect(await pool.run(background, "two", count, count)).toEqual([101, 102, false]);
});

test("a context goes along, into the callback", async () => {
  const fn = proxy(async (ctx: Context) => {
    await ctx.done();
    return cause(ctx);
  });
  expect(await pool.run(background, "withContext", fn)).toBe("from the task");
});

describe("when the task has ended", () => {
  test("nothing of it is called any more, and what is left unanswered takes no thread down", async () => {
    const started = openableGate();
    const finish = openableGate();
    const got: string[] = [];
    const slow = proxy(async (text: string) => {
      got.push(text);
      started.open();
      await finish.opened;
    });
    const seen = await uncaughtDuring(async () => {
      // One thread, so that the next task is on the one that holds on to the callback.
      await using one = new Pool(fixture("comlink/tasks.mjs"), { threads: 1, spares: 0 });
      const thread = await one.run(background, "keep", slow);
      expect(got).toEqual(["unanswered"]);
      expect(await one.run(background, "callKept")).toEqual(["ERR_PEER_CLOSED", thread]);
      finish.open();
      await turn();
      expect(await one.run(background, "plain", "next")).toBe("next");
      expect(one.stats().outcomes).toMatchObject({ completed: 3, crashed: 0 });
    });
    expect(got).toEqual(["unanswered"]);
    expect(seen).toEqual([]);
  });

  test("what it has sent until then is taken in, though no event has brought it", async () => {
    const got: unknown[] = [];
    const fn = proxy((value: unknown) => void got.push(value));
    // As a hand-over does it, by hand: so it is certain that the message is still on its way when the task ends.
    const { data, release } = standIns()!.makers.get(fn)!();
    (data as MessagePort).postMessage({
      id: "1",
      type: "APPLY",
      path: [],
      argumentList: [{ type: "RAW", value: "last words" }],
    });
    release();
    expect(got).toEqual([]); // not at once: it is the user's code
    await microtask();
    await microtask();
    expect(got).toEqual(["last words"]);
  });

  test("contexts that came from it end, also when it was stopped hard", async () => {
    await using other = new Pool(fixture("comlink/tasks.mjs"), { threads: 1, grace: 0 });
    const ended = openableGate<unknown>();
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const task = other.submit(ctx, "runawayWithContext", [
      proxy(async (its: Context) => {
        // Not within the call, which looks whether the context has ended while it was sent, and would tell.
        await gate.written(2);
        cancel();
        await its.done();
        ended.open(cause(its));
      }),
      gate.view,
    ]);
    expect(await settled(task)).toBe("terminated");
    expect(await ended.opened).toMatchObject({ code: "ERR_PEER_CLOSED" });
  });

  test("a task that is dropped, or never handed over, has none", async () => {
    const [ctx, cancel] = withCancel(background);
    cancel();
    let calls = 0;
    const fn = proxy(() => ++calls);
    const { makers } = standIns()!;
    let made = 0;
    const make = makers.get(fn)!;
    makers.set(fn, () => {
      made++;
      return make();
    });
    const task = pool.submit(ctx, "each", [1, fn]);
    expect(await settled(task)).toBe("dropped");
    expect(made).toBe(0);
    await pool.run(background, "each", 1, fn);
    expect([made, calls]).toEqual([1, 1]);
  });
});

test("a task that does not wait for calls that a cancellation ends is not harmed", async () => {
  expect(
    await pool.run(
      background,
      "careless",
      proxy(() => new Promise(() => {})),
    ),
  ).toBe("unharmed");
});

const echo = proxy((n: number) => n);

test("a callback that throws harms no task that comes after one which did not wait for the answer", async () => {
  await using one = new Pool(fixture("comlink/tasks.mjs"), { threads: 1, spares: 0 });
  let calls = 0;
  const thrower = proxy(() => {
    calls++;
    throw new RangeError("nobody waits for it");
  });
  for (let n = 0; n < 20; n++) {
    expect(await one.run(background, "tell", 5, thrower)).toBe(5);
    // There and back, behind whatever was on its way to the thread.
    expect(await one.run(background, "each", 2, echo)).toEqual([0, 1]);
  }
  expect(calls).toBe(100);
  expect(one.stats().outcomes).toMatchObject({ completed: 40, crashed: 0 });
});

test("what a task derives from calls it leaves behind harms no task that comes after it", async () => {
  await using one = new Pool(fixture("comlink/tasks.mjs"), { threads: 1, spares: 0 });
  const never = proxy({ call: () => new Promise(() => {}) });
  const threads = new Set<unknown>();
  for (let n = 0; n < 5; n++) {
    threads.add(await one.run(background, "derive", never));
    expect(await one.run(background, "each", 2, echo)).toEqual([0, 1]);
  }
  // It was not even replaced in between.
  expect(threads.size).toBe(1);
  expect(one.stats().outcomes).toMatchObject({ completed: 10, crashed: 0 });
});

test("a task may hand it on, by reference", async () => {
  const user = proxy({ use: async (fn: (n: number) => Promise<number>) => (await fn(20)) + 1 });
  expect(
    await pool.run(
      background,
      "handOn",
      user,
      proxy((n: number) => 2 * n),
    ),
  ).toBe(41);
});

test("printing it in the task calls nothing", async () => {
  let calls = 0;
  const fn = proxy(() => ++calls);
  const printed = (await pool.run(background, "print", fn)) as [string, string, number];
  expect(printed[0]).toContain("[Function: remoteProxy]");
  expect(printed[1]).toContain("[Function: remoteProxy]");
  expect(printed[2]).toBe(1);
});

test("another argument that cannot be cloned is the one that is named", async () => {
  const error = await failure(
    pool.run(
      background,
      "two",
      proxy(() => 1),
      () => 2,
    ),
  );
  expect(error).toMatchObject({ code: "ERR_NOT_CLONEABLE" });
  expect(error.message).toContain("argument 2");
});

test("a callback is no input of a batch", async () => {
  const error = await failure(pool.map(background, "plain", [proxy(() => 1)]).results());
  expect(error).toMatchObject({ code: "ERR_NOT_CLONEABLE" });
  expect(error.message).toContain("callbacks go as arguments of `run` and `submit`");
});

test("bad values are refused, with what came", () => {
  for (const value of [undefined, null, 5, "fn"])
    expect(() => proxy(value as never)).toThrow("proxy: value: expected a function or an object, got");
  expect(() => proxy(Object.freeze(() => 1))).toThrow("not frozen");
});
