/** Cancellations at the worst moments: while a task is handed over, returns, is being killed, or twice. */

import {
  background,
  CanceledError,
  type Context,
  cause,
  type Pool,
  type Task,
  withCancel,
  withTimeout,
} from "lifeguard";
import { describe, expect, test } from "vitest";
import { Delegating } from "../support/contexts.js";
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
import { turn } from "../support/turn.js";

describe("in the moment of return", () => {
  test("a task that has returned cannot be killed any more, however late the main thread hears of it", async () => {
    await using pool = pooled({ threads: 1, spares: 0, grace: 0 });
    const id = await pool.run(background, "thread");
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const task = pool.submit(ctx, "returnAndTell", [gate.view, "in time"]);
    // The event loop stands still: the claim is at DONE, the news of it is under way.
    gate.blockUntilWritten(2);
    expect(task.state).toBe("running");
    cancel("too late");
    expect(task.state).toBe("stopping");
    expect(pool.stats()).toMatchObject({ running: 1, stuck: 0 });
    expect(await task.result).toBe("in time");
    expect(task.outcome).toBe("completed");
    expect(cause(task.ctx)).toBe("too late");
    // Its thread has not been ended for it.
    expect(await pool.run(background, "thread")).toBe(id);
    await expectWhole(pool, 1);
  });

  test("destroy() waits for the news of it, too, and its value is not lost", async () => {
    await using pool = pooled({ threads: 1, spares: 0, grace: 0 });
    await pool.ready();
    const gate = threadGate();
    const task = pool.submit(background, "returnAndTell", [gate.view, "in time"]);
    gate.blockUntilWritten(2);
    const destroyed = pool.destroy();
    expect(await task.result).toBe("in time");
    expect(task.outcome).toBe("completed");
    await destroyed;
  });

  test("its notice does not reach the next task of the lane", async () => {
    await using pool = pooled({ threads: 1, grace: Infinity });
    await pool.ready();
    const [ctx, cancel] = withCancel(background);
    const first = threadGate();
    const task = pool.submit(ctx, "returnAndTell", [first.view, 1]);
    first.blockUntilWritten(2);
    cancel("for the first one");
    const second = threadGate();
    const next = pool.submit(background, "pollThen", [second.view, "look"]);
    await task.result;
    await second.entered();
    expect(next.state).toBe("running");
    next.cancel("for the second one");
    expect(await next.result).toMatchObject({ cause: "for the second one" });
  });
});

describe("in the moment of dispatch", () => {
  test("inside the very call that handed it over: it is dropped or runs, and settles once either way", async () => {
    await using pool = pooled({ threads: 2, grace: Infinity });
    await pool.ready();
    for (let i = 0; i < 200; i++) {
      const [ctx, cancel] = withCancel(background);
      const log = threadGate();
      const task = pool.submit(ctx, "log", [log.view, 1]);
      cancel(i);
      const outcome = await settled(task);
      if (outcome === "dropped") expect(await rejection(task.result)).toBe(ctx.err());
      else expect(outcome).toBe("completed");
      // What was dropped has not run, and does not run later.
      expect(log.read(0)).toBe(outcome === "dropped" ? 0 : 1);
    }
    await expectWhole(pool);
    const { dropped, completed } = pool.stats().outcomes;
    expect(dropped + completed).toBe(pool.stats().submitted);
  });

  test("a cancelled task that a thread is still to refuse does not hold back the next one for ever", async () => {
    await using pool = pooled({ threads: 1 });
    const gate = threadGate();
    await pool.run(background, "blockLater", gate.view);
    await gate.entered();
    const dropped = [1, 2, 3].map(() => pool.submit(background, "nothing", []));
    for (const task of dropped) task.cancel();
    expect(dropped.map((task) => task.outcome)).toEqual(["dropped", "dropped", "dropped"]);
    gate.open();
    expect(await pool.run(background, "add", 1, 1)).toBe(2);
    await Promise.all(dropped.map((task) => failure(task.result)));
    await expectWhole(pool, 1);
  });

  test("from the settling of another task", async () => {
    await using pool = pooled({ threads: 1 });
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const first = pool.run(background, "hold", gate.view, 1);
    const second = pool.submit(ctx, "add", [1, 1]);
    await gate.entered();
    const cancelled = first.then(() => cancel("first is done"));
    gate.open();
    await cancelled;
    const outcome = await settled(second);
    expect(["completed", "dropped"]).toContain(outcome);
    await expectWhole(pool, 1);
  });
});

describe("inside one walk over the tree", () => {
  test("a hard stop of the first task does not disturb its siblings, queued or running", async () => {
    for (const threads of [1, 2]) {
      await using pool = pooled({ threads, grace: 0 });
      await pool.ready();
      const [ctx, cancel] = withCancel(background);
      const gate = threadGate();
      const running = Array.from({ length: threads }, () => pool.submit(ctx, "spin", [gate.view]));
      await gate.entered(threads);
      const log = threadGate();
      const queued = Array.from({ length: 5 }, (_, i) => pool.submit(ctx, "log", [log.view, i]));
      const stranger = pool.submit(background, "add", [20, 22]);
      cancel("all of you");
      expect(queued.map((task) => task.outcome)).toEqual(Array(5).fill("dropped"));
      expect(await Promise.all(running.map(settled))).toEqual(Array(threads).fill("terminated"));
      for (const task of [...running, ...queued]) expect(await rejection(task.result)).toBe(ctx.err());
      expect(await stranger.result).toBe(42);
      await expectWhole(pool, threads);
      expect(log.read(0)).toBe(0);
    }
  });

  test("a listener of one task submits another: it is not lost", async () => {
    await using pool = pooled({ threads: 1, grace: 0 });
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const running = pool.submit(ctx, "spin", [gate.view]);
    await gate.entered();
    const queued = pool.submit(ctx, "nothing", []);
    let next: Promise<unknown> | undefined;
    queued.ctx.signal.addEventListener("abort", () => {
      next = pool.run(background, "add", 1, 1);
      // Under the cancelled context: dropped at once.
      expect(pool.submit(ctx, "nothing", []).outcome).toBe("dropped");
    });
    cancel();
    expect(await next).toBe(2);
    expect(await settled(running)).toBe("terminated");
    await failure(queued.result);
    await expectWhole(pool, 1);
  });

  test("a hundred thousand queued tasks under one context: all dropped, none begun", async () => {
    await using pool = pooled({ threads: 1 });
    const gate = threadGate();
    const first = pool.run(background, "hold", gate.view, 1);
    await gate.entered();
    const [ctx, cancel] = withCancel(background);
    const tasks = Array.from({ length: 100_000 }, () => pool.submit(ctx, "nothing", []));
    cancel();
    expect(pool.stats()).toMatchObject({ queued: 0, outcomes: { dropped: 100_000 } });
    const errors = await Promise.all(tasks.map(({ result }) => result.catch((error: unknown) => error)));
    expect(new Set(errors)).toEqual(new Set([ctx.err()]));
    gate.open();
    await first;
    expect(pool.stats()).toMatchObject({ started: 1, outcomes: { completed: 1, dropped: 100_000 } });
  });
});

describe("twice", () => {
  test("only the first cancellation counts, in every state", async () => {
    await using pool = pooled({ threads: 1, grace: Infinity });
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const running = pool.submit(ctx, "pollThen", [gate.view, "look"]);
    const queued = pool.submit(ctx, "nothing", []);
    await gate.entered();
    running.cancel("first");
    running.cancel("second");
    queued.cancel("first");
    cancel("third");
    cancel("fourth");
    expect(await running.result).toMatchObject({ cause: "first" });
    expect(cause(running.ctx)).toBe("first");
    expect(cause(queued.ctx)).toBe("first");
    expect(await rejection(queued.result)).toBe(queued.ctx.err());
    running.cancel("fifth");
    expect(running.outcome).toBe("completed");
    expect(pool.stats().outcomes).toMatchObject({ completed: 1, dropped: 1 });
  });

  test("while its thread is being ended", async () => {
    await using pool = pooled({ threads: 1, grace: 0 });
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const task = pool.submit(ctx, "spin", [gate.view]);
    await gate.entered();
    task.cancel("first");
    expect(pool.stats().stuck).toBe(1);
    cancel("second");
    task.cancel("third");
    expect(pool.stats()).toMatchObject({ stuck: 1, running: 0 });
    expect(await settled(task)).toBe("terminated");
    expect(cause(task.ctx)).toBe("first");
    expect(pool.stats().outcomes).toMatchObject({ terminated: 1 });
    await expectWhole(pool, 1);
  });
});

describe("the cause is there when the notice is", () => {
  test("a loop that sees the notice at once finds the cause, every time", async () => {
    await using pool = pooled({ threads: 2, grace: Infinity });
    await pool.ready();
    for (let i = 1; i <= 200; i++) {
      const [ctx, cancel] = withCancel(background);
      const gate = threadGate();
      const task = pool.run(ctx, "pollThen", gate.view, "look");
      await gate.entered();
      cancel(i);
      expect(await task).toMatchObject({ same: true, cause: i });
    }
  });

  test("with a cause that is large, which takes long to post", async () => {
    await using pool = pooled({ threads: 1, grace: Infinity });
    const big = "x".repeat(5_000_000);
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const task = pool.run(ctx, "pollThen", gate.view, "look");
    await gate.entered();
    cancel({ big });
    const { cause: seen } = (await task) as { cause: { big: string } };
    expect(seen.big).toHaveLength(big.length);
  });
});

test("a task cancelled by an ancestor that is no context of ours", async () => {
  await using pool = pooled({ threads: 1, grace: Infinity });
  const [inner, cancel] = withCancel(background);
  const ctx: Context = new Delegating(inner);
  const gate = threadGate();
  const task = pool.submit(ctx, "pollThen", [gate.view, "throw err"]);
  await gate.entered();
  cancel("from below");
  expect(await rejection(task.result)).toBe(inner.err());
  expect(cause(task.ctx)).toBe("from below");
  expect(task.outcome).toBe("stopped");
});

test("many deadlines at once, some queued, some running: each settles once, as what it is", async () => {
  await using pool: Pool = pooled({ threads: 2, grace: 0 });
  await pool.ready();
  const tasks: Task<unknown>[] = Array.from({ length: 60 }, (_, i) => {
    const gate = threadGate();
    return pool.submit(
      withTimeout(background, 1 + (i % 20))[0],
      ["spin", "pollAndTell", "awaitAndTell"][i % 3]!,
      [gate.view],
    );
  });
  const outcomes = await Promise.all(tasks.map(settled));
  for (const [i, task] of tasks.entries()) {
    expect(await failure(task.result)).toMatchObject({ code: "ERR_DEADLINE_EXCEEDED" });
    expect(["dropped", "stopped", "terminated"]).toContain(outcomes[i]);
  }
  await until(() => pool.stats().stuck === 0);
  expectBalanced(pool.stats());
  await expectWhole(pool);
});

test("an error of the task's own that looks like another context's end is its own", async () => {
  await using pool = pooled({ threads: 1 }, "derived.mjs");
  const task = pool.submit(background, "throwInnerEnd", []);
  const error = await failure(task.result);
  expect(error.code).toBe("ERR_DEADLINE_EXCEEDED");
  expect(error).not.toBeInstanceOf(CanceledError);
  expect(task.outcome).toBe("failed");
  await turn();
  expect(task.ctx.err()).toMatchObject({ code: "ABORT_ERR" }); // over, but not by a deadline
});
