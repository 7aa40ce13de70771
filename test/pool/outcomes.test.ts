/** Every way a task can end: its result, its outcome, its state, and how the pool counts it. */

import {
  background,
  CanceledError,
  cause,
  DeadlineExceededError,
  type Outcome,
  PoolError,
  withCancel,
  withTimeout,
} from "lifeguard";
import { describe, expect, test, vi } from "vitest";
import {
  expectBalanced,
  expectWhole,
  failure,
  pooled,
  rejection,
  settled,
  threadGate,
  until,
} from "../support/pool.js";

const none: Record<Outcome, number> = {
  completed: 0,
  failed: 0,
  dropped: 0,
  stopped: 0,
  interrupted: 0,
  terminated: 0,
  crashed: 0,
};

describe("completed", () => {
  test("the function returned: result is what it returned", async () => {
    await using pool = pooled({ threads: 1 });
    const gate = threadGate();
    const task = pool.submit(background, "hold", [gate.view, { answer: 42 }]);
    expect(task.state).toBe("queued");
    await gate.entered();
    expect(task).toMatchObject({ id: 1, name: "hold", state: "running", outcome: undefined });
    expect(pool.stats()).toMatchObject({
      submitted: 1,
      started: 1,
      running: 1,
      queued: 0,
      idle: 0,
      outcomes: none,
    });
    gate.open();
    expect(await task.result).toEqual({ answer: 42 });
    expect(task).toMatchObject({ state: "settled", outcome: "completed" });
    expect(pool.stats()).toMatchObject({
      submitted: 1,
      started: 1,
      running: 0,
      outcomes: { ...none, completed: 1 },
    });
    await expectWhole(pool, 1);
  });

  test("the promise it returned was fulfilled: result is its value", async () => {
    await using pool = pooled({ threads: 1 });
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const task = pool.submit(ctx, "awaitThen", [gate.view, "return", "in the end"]);
    await gate.entered();
    cancel();
    expect(task.state).toBe("stopping");
    expect(await task.result).toBe("in the end");
    expect(task.outcome).toBe("completed");
  });

  test("also after a cancellation: an anytime algorithm hands back its best so far", async () => {
    await using pool = pooled({ threads: 1 });
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const task = pool.submit(ctx, "pollThen", [gate.view, "return", "best so far"]);
    await gate.entered();
    cancel("enough");
    expect(task.state).toBe("stopping");
    expect(task.outcome).toBeUndefined();
    expect(await task.result).toBe("best so far");
    expect(task).toMatchObject({ state: "settled", outcome: "completed" });
    expect(pool.stats().outcomes).toEqual({ ...none, completed: 1 });
    await expectWhole(pool, 1);
  });

  test("without a look at its context: the cancellation does not count", async () => {
    await using pool = pooled({ threads: 1, grace: Infinity });
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const task = pool.submit(ctx, "hold", [gate.view, 1]);
    await gate.entered();
    cancel();
    gate.open();
    expect(await task.result).toBe(1);
    expect(task.outcome).toBe("completed");
  });
});

describe("failed", () => {
  test("it threw something of its own: result rejects with that error", async () => {
    await using pool = pooled({ threads: 1 });
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const task = pool.submit(ctx, "pollThen", [gate.view, "own error"]);
    await gate.entered();
    cancel();
    const error = await failure(task.result);
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toBe("my own");
    expect(error.stack).toContain("tasks.mjs");
    expect(task).toMatchObject({ state: "settled", outcome: "failed" });
    expect(pool.stats().outcomes).toEqual({ ...none, failed: 1 });
    await expectWhole(pool, 1);
  });

  for (const how of ["abort error of nothing", "something else that err caused"]) {
    test(`${how} is an error of its own, not a way to give up`, async () => {
      await using pool = pooled({ threads: 1 });
      const [ctx, cancel] = withCancel(background);
      const gate = threadGate();
      const task = pool.submit(ctx, "pollThen", [gate.view, how]);
      await gate.entered();
      cancel();
      expect((await failure(task.result)).message).toBe(
        how === "abort error of nothing" ? "gave up" : "wrapped",
      );
      expect(task.outcome).toBe("failed");
    });
  }
});

describe("dropped", () => {
  test("its context ended while it was queued: it never reaches a thread", async () => {
    await using pool = pooled({ threads: 1 });
    const gate = threadGate();
    const first = pool.run(background, "hold", gate.view);
    await gate.entered();
    const [ctx, cancel] = withCancel(background);
    const log = threadGate();
    const second = pool.submit(ctx, "log", [log.view, 1]);
    expect(second.state).toBe("queued");
    cancel("not wanted");
    expect(second).toMatchObject({ state: "settled", outcome: "dropped" });
    expect(pool.stats()).toMatchObject({
      submitted: 2,
      started: 1,
      queued: 0,
      outcomes: { ...none, dropped: 1 },
    });
    expect(await rejection(second.result)).toBe(ctx.err());
    expect(cause(second.ctx)).toBe("not wanted");
    gate.open();
    await first;
    await pool.run(background, "nothing");
    expect(log.read(0)).toBe(0);
    expect(pool.stats().started).toBe(2);
    await expectWhole(pool, 1);
  });

  test("its deadline passed while it was queued", async () => {
    await using pool = pooled({ threads: 1 });
    const gate = threadGate();
    const first = pool.run(background, "hold", gate.view);
    await gate.entered();
    const [ctx] = withTimeout(background, 1, "too late");
    const log = threadGate();
    const task = pool.submit(ctx, "log", [log.view, 1]);
    const error = await failure(task.result);
    expect(error).toBeInstanceOf(DeadlineExceededError);
    expect(error).toBe(ctx.err());
    expect(cause(task.ctx)).toBe("too late");
    expect(task.outcome).toBe("dropped");
    gate.open();
    await first;
    await expectWhole(pool, 1);
    expect(log.read(0)).toBe(0);
  });

  test("its context had ended before it was submitted", async () => {
    await using pool = pooled({ threads: 1 });
    await pool.ready();
    const [ctx, cancel] = withCancel(background);
    cancel();
    const task = pool.submit(ctx, "nothing", []);
    expect(task).toMatchObject({ state: "settled", outcome: "dropped" });
    expect(await rejection(task.result)).toBe(ctx.err());
    expect(pool.stats()).toMatchObject({
      submitted: 1,
      started: 0,
      running: 0,
      outcomes: { ...none, dropped: 1 },
    });
  });

  test("its deadline had passed before it was submitted", async () => {
    await using pool = pooled({ threads: 1 });
    await pool.ready();
    const [ctx] = withTimeout(background, 0);
    expect(await rejection(pool.run(ctx, "nothing"))).toBe(ctx.err());
    expect(pool.stats()).toMatchObject({ started: 0, outcomes: { ...none, dropped: 1 } });
  });

  test("its deadline passed before anybody looked: it is never started, though no timer has run", async () => {
    await using pool = pooled({ threads: 1 });
    await pool.ready();
    const [ctx] = withTimeout(background, 1);
    const log = threadGate();
    // The event loop does not turn, so nothing but the clock can tell.
    const end = process.hrtime.bigint() + 3_000_000n;
    while (process.hrtime.bigint() < end);
    const task = pool.submit(ctx, "log", [log.view, 1]);
    expect(task.outcome).toBe("dropped");
    expect(await failure(task.result)).toBeInstanceOf(DeadlineExceededError);
    await pool.run(background, "nothing");
    expect(log.read(0)).toBe(0);
  });

  test("its deadline has passed while it was queued: so says its state, though no timer has run", async () => {
    await using pool = pooled({ threads: 1 });
    const gate = threadGate();
    const held = pool.run(background, "hold", gate.view);
    await gate.entered();
    const [ctx, cancel] = withTimeout(background, 1e7);
    const task = pool.submit(ctx, "nothing", []);
    expect(task.state).toBe("queued");
    const { now } = performance;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => now.call(performance) + 1e7);
    try {
      expect(task.state).toBe("settled");
    } finally {
      clock.mockRestore();
    }
    expect(task.outcome).toBe("dropped");
    expect(await rejection(task.result)).toBe(ctx.err());
    cancel();
    gate.open();
    await held;
    await expectWhole(pool, 1);
  });

  test("handed over but not begun: its thread leaves it alone and takes the next", async () => {
    await using pool = pooled({ threads: 1 });
    const gate = threadGate();
    // Stray work blocks the thread, which counts as free.
    await pool.run(background, "blockLater", gate.view);
    await gate.entered();
    const [ctx, cancel] = withCancel(background);
    const log = threadGate();
    const task = pool.submit(ctx, "log", [log.view, 1]);
    expect(task.state).toBe("running"); // handed over
    cancel("changed my mind");
    expect(task).toMatchObject({ state: "settled", outcome: "dropped" });
    expect(await rejection(task.result)).toBe(ctx.err());
    expect(pool.stats()).toMatchObject({
      submitted: 2,
      started: 1,
      running: 0,
      outcomes: { ...none, completed: 1, dropped: 1 },
    });
    const next = pool.run(background, "log", log.view, 2);
    gate.open();
    await next;
    expect([log.read(0), log.read(1)]).toEqual([1, 2]);
    await expectWhole(pool, 1);
  });
});

describe("stopped", () => {
  const reason = Object.assign(new Error("the client has left"), { code: "E_LEFT" });
  const ways: [how: string, reasons: unknown[]][] = [
    ["throw err", [undefined, reason, "a primitive", 0, null]],
    ["throwIfDone", [undefined, reason]],
    ["throw cause", [undefined, reason, "a primitive", 0, null, { plain: "object" }]],
    ["throw the signal's reason", [undefined, reason]],
    ["abort error of err", [undefined, reason]],
    ["abort error of cause", [undefined, reason, "a primitive"]],
  ];
  for (const [how, reasons] of ways) {
    for (const why of reasons) {
      const label = why instanceof Error ? "an Error" : JSON.stringify(why);
      for (const style of ["pollThen", "awaitThen"]) {
        test(`${style}: ${how}, cause ${label}`, async () => {
          await using pool = pooled({ threads: 1, grace: Infinity });
          const [ctx, cancel] = withCancel(background);
          const gate = threadGate();
          const task = pool.submit(ctx, style, [gate.view, how]);
          await gate.entered();
          cancel(why);
          const error = await rejection(task.result);
          // Its own context's error, which is its ancestor's: the identity of this thread, not a copy.
          expect(error).toBe(ctx.err());
          expect(error).toBeInstanceOf(CanceledError);
          expect(cause(task.ctx)).toBe(why === undefined ? error : why);
          expect(task).toMatchObject({ state: "settled", outcome: "stopped" });
          expect(pool.stats().outcomes).toEqual({ ...none, stopped: 1 });
          expect(await pool.run(background, "add", 1, 2)).toBe(3);
        });
      }
    }
  }

  for (const name of ["nodeDelay", "raceForever"]) {
    test(`${name}: what Node's functions and race() throw counts as giving up`, async () => {
      await using pool = pooled({ threads: 1, grace: Infinity });
      const [ctx, cancel] = withCancel(background);
      const gate = threadGate();
      const task = pool.submit(ctx, name, [gate.view]);
      await gate.entered();
      cancel(reason);
      expect(await rejection(task.result)).toBe(ctx.err());
      expect(task.outcome).toBe("stopped");
    });
  }

  for (const style of ["pollAndTell", "awaitAndTell"]) {
    test(`${style}: by its deadline`, async () => {
      await using pool = pooled({ threads: 1, grace: Infinity });
      const [ctx] = withTimeout(background, 30, "too slow");
      const gate = threadGate();
      await pool.ready();
      const task = pool.submit(ctx, style, [gate.view]);
      const error = await rejection(task.result);
      expect(error).toBeInstanceOf(DeadlineExceededError);
      expect(error).toBe(ctx.err());
      expect(cause(task.ctx)).toBe("too slow");
      // On a busy machine it may not have begun in time.
      expect(task.outcome).toBe(gate.read(0) === 0 ? "dropped" : "stopped");
    });
  }

  test("by task.cancel(), which ends its own context and nobody else's", async () => {
    await using pool = pooled({ threads: 1 });
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const task = pool.submit(ctx, "pollThen", [gate.view, "throw err"]);
    await gate.entered();
    task.cancel("mine");
    task.cancel("again"); // repeated calls change nothing
    const error = await rejection(task.result);
    expect(error).toBe(task.ctx.err());
    expect(cause(task.ctx)).toBe("mine");
    expect(ctx.err()).toBeUndefined();
    expect(task.outcome).toBe("stopped");
    cancel();
  });
});

describe("terminated", () => {
  for (const name of ["spin", "hold", "neverSettles"]) {
    test(`${name}: it overran its grace, and its thread was replaced`, async () => {
      await using pool = pooled({ grace: 0 });
      await pool.ready();
      const [ctx, cancel] = withCancel(background);
      const gate = threadGate();
      const task = pool.submit(ctx, name, [gate.view]);
      await gate.entered();
      cancel("enough");
      expect(task).toMatchObject({ state: "stopping", outcome: undefined });
      expect(await rejection(task.result)).toBe(ctx.err());
      expect(cause(task.ctx)).toBe("enough");
      expect(task).toMatchObject({ state: "settled", outcome: "terminated" });
      expect(pool.stats().outcomes).toEqual({ ...none, terminated: 1 });
      await expectWhole(pool);
    });
  }

  test("by its deadline", async () => {
    await using pool = pooled({ grace: 0 });
    await pool.ready();
    const [ctx] = withTimeout(background, 50);
    const gate = threadGate();
    const task = pool.submit(ctx, "spin", [gate.view]);
    const error = await rejection(task.result);
    expect(error).toBeInstanceOf(DeadlineExceededError);
    expect(error).toBe(ctx.err());
    expect(task.outcome).toBe(gate.read(0) === 0 ? "dropped" : "terminated");
    await expectWhole(pool);
  });

  test("a promise kept pending is no return: it is stopped hard as well", async () => {
    await using pool = pooled({ grace: 0 }, "faults.mjs");
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const task = pool.submit(ctx, "neverThenable", [gate.view]);
    await gate.entered();
    cancel();
    expect(await settled(task)).toBe("terminated");
    await expectWhole(pool);
  });
});

describe("crashed", () => {
  test("its thread exited: ERR_WORKER_CRASHED, with the exit code in the cause", async () => {
    await using pool = pooled({}, "faults.mjs");
    const task = pool.submit(background, "exit", [3]);
    const error = await failure(task.result);
    expect(error).toBeInstanceOf(PoolError);
    expect(error.code).toBe("ERR_WORKER_CRASHED");
    expect((error.cause as Error).message).toContain("3");
    expect(error.message).toContain('"exit"');
    expect(task).toMatchObject({ state: "settled", outcome: "crashed" });
    expect(pool.stats().outcomes).toEqual({ ...none, crashed: 1 });
    await expectWhole(pool);
  });

  test("also while it was asked to stop, within its grace", async () => {
    await using pool = pooled({ grace: Infinity }, "dying.mjs");
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const task = pool.submit(ctx, "exitWhenDone", [gate.view]);
    await gate.entered();
    cancel();
    expect((await failure(task.result)).code).toBe("ERR_WORKER_CRASHED");
    expect(task.outcome).toBe("crashed");
    await expectWhole(pool);
  });
});

test("the counts add up at every moment of a mixed load", async () => {
  await using pool = pooled({ threads: 2, grace: 0 });
  await pool.ready();
  const [ctx, cancel] = withCancel(background);
  const stubborn = threadGate();
  const held = threadGate();
  const tasks = [
    pool.submit(ctx, "spin", [stubborn.view]),
    pool.submit(background, "hold", [held.view, 1]),
    pool.submit(ctx, "nothing", []),
    pool.submit(background, "add", [1, 1]),
    pool.submit(background, "badProgress", ["no number"]),
  ];
  const outcomes = tasks.map(async (task) => {
    const outcome = await settled(task);
    expectBalanced(pool.stats());
    return outcome;
  });
  await stubborn.entered();
  await held.entered();
  expectBalanced(pool.stats());
  cancel();
  expectBalanced(pool.stats());
  held.open();
  await until(() => pool.stats().stuck === 0);
  expectBalanced(pool.stats());
  expect(await Promise.all(outcomes)).toEqual(["terminated", "completed", "dropped", "completed", "failed"]);
  await expectWhole(pool);
});
