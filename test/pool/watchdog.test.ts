/** `watchdog`: threads end what overruns its deadline by themselves, whatever the main thread does. */
import {
  background,
  type Context,
  type Pool,
  type PoolOptions,
  type SubmitOptions,
  type Task,
  withCancel,
  withTimeout,
} from "lifeguard";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { inTime } from "../support/in-time.js";
import { expectWhole, pooled, rejection, settled, type ThreadGate, threadGate } from "../support/pool.js";
import { longSecondGrace } from "../support/second-grace.mjs";

let takeBack: () => void;
beforeEach(() => {
  takeBack = longSecondGrace();
});
afterEach(() => {
  takeBack();
});

function watched(options: PoolOptions = {}, module = "runaway.mjs"): Pool {
  return pooled(
    { threads: 1, spares: 0, grace: 0, onOverrun: "interrupt", watchdog: true, ...options },
    module,
  );
}

/** The thread is held by a task, and the steps are known to be short: those that are submitted meanwhile go together. */
async function held(pool: Pool): Promise<{ steps: Int32Array; hold: ThreadGate }> {
  const steps = new Int32Array(new SharedArrayBuffer(4 * 64));
  await Promise.all(Array.from({ length: 200 }, () => pool.run(background, "step", steps, 0, "id")));
  const hold = threadGate();
  void pool.run(background, "step", steps, 1, "wait", hold.view);
  await hold.entered();
  return { steps, hold };
}

/** The task has begun, its deadline lies ahead. */
async function begun(
  pool: Pool,
  name: string,
  args: readonly unknown[] = [],
  options: SubmitOptions = {},
): Promise<{ task: Task<unknown>; ctx: Context; gate: ThreadGate }> {
  const { started, ...rest } = await inTime(
    (ctx, { view }) => pool.submit(ctx, name, [view, ...args], options),
    settled,
  );
  return { task: started, ...rest };
}

describe("a task that never polls, with the main thread blocked", () => {
  test("is interrupted when its deadline and its grace are over: its thread goes on before main does", async () => {
    await using pool = watched({ grace: 5 });
    const before = (await pool.run(background, "here")) as { threadId: number };
    const { task, gate } = await begun(pool, "spinAndTellAfter");
    // The event loop of that thread turns: so the task has been cut off, and by no one here.
    gate.blockUntilWritten(2);
    expect(task.outcome).toBeUndefined();
    expect(await rejection(task.result)).toMatchObject({ code: "ERR_DEADLINE_EXCEEDED" });
    expect(task.outcome).toBe("interrupted");
    expect(await pool.run(background, "here")).toMatchObject({ threadId: before.threadId });
    await expectWhole(pool, 1);
  });

  test("several in a row in one thread", async () => {
    await using pool = watched();
    for (let i = 0; i < 5; i++) {
      const { task, gate } = await begun(pool, "spinAndTellAfter");
      gate.blockUntilWritten(2);
      expect(await settled(task)).toBe("interrupted");
    }
    expect(pool.stats().outcomes).toMatchObject({ terminated: 0, crashed: 0 });
  });
});

test("of tasks under one context with different graces, each is watched by its own", async () => {
  await using pool = watched({}, "steps.mjs");
  const { steps, hold } = await held(pool);
  const {
    gate,
    started: [quick, loop],
  } = await inTime(
    (ctx, { view }) => {
      // Together in one envelope: the first one has no end to its grace, and no watchdog.
      const both = [
        pool.submit(ctx, "step", [steps, 2, "id"], { grace: Infinity }),
        pool.submit(ctx, "step", [steps, 3, "spin, and tell afterwards", view]),
      ] as const;
      hold.open();
      return both;
    },
    (both) => Promise.all(both.map(settled)),
  );
  gate.blockUntilWritten(2);
  expect(await settled(loop)).toBe("interrupted");
  expect(await quick.result).toBe(2);
});

describe("with the main thread free", () => {
  test("a deadline ends it in the same way", async () => {
    await using pool = watched();
    const { threadId } = (await pool.run(background, "here")) as { threadId: number };
    for (let i = 0; i < 10; i++) {
      const gate = threadGate();
      const [ctx] = withTimeout(background, 20);
      const task = pool.submit(ctx, "spin", [gate.view]);
      expect(["interrupted", "dropped"]).toContain(await settled(task));
    }
    expect(await pool.run(background, "here")).toEqual({ threadId, calls: 2 });
  });

  test("a cancellation before the deadline is the pool's to see to", async () => {
    await using pool = watched();
    const [root] = withTimeout(background, 60_000);
    for (let i = 0; i < 10; i++) {
      const gate = threadGate();
      const [ctx, cancel] = withCancel(root);
      const task = pool.submit(ctx, "spin", [gate.view]);
      await gate.entered();
      cancel();
      expect(await settled(task)).toBe("interrupted");
    }
    await expectWhole(pool, 1);
  });

  test("a scope that was never left ends its thread here, too", async () => {
    await using pool = watched();
    const { task } = await begun(pool, "spinInScope");
    expect(await settled(task)).toBe("terminated");
    await expectWhole(pool, 1);
  });
});

describe("does nothing to", () => {
  test("a task that ends by itself within its grace", async () => {
    await using pool = watched({ grace: 10_000 });
    const { task } = await begun(pool, "pollThen", ["return", "best so far"]);
    expect(await task.result).toBe("best so far");
    expect(task.outcome).toBe("completed");
  });

  test("a task without a deadline, with no end to its grace, or whose thread shall be ended", async () => {
    await using pool = watched();
    expect(await pool.run(background, "add", 1, 2)).toBe(3);
    const endless = await begun(pool, "hold", ["held"], { grace: Infinity });
    await endless.ctx.done();
    endless.gate.open();
    expect(await endless.task.result).toBe("held");
    const other = await begun(pool, "spin", [], { onOverrun: "terminate" });
    expect(await settled(other.task)).toBe("terminated");
    await expectWhole(pool, 1);
  });

  test("a task that has returned a promise: it may block its thread after its deadline", async () => {
    await using pool = watched({ grace: 50 });
    const { task } = await begun(pool, "blockAfterAwait", [100]);
    expect(await task.result).toBe("in the end");
  });

  test("the tasks beside it in its envelope, each with a deadline and a grace of its own", async () => {
    await using pool = watched({}, "steps.mjs");
    const { steps, hold } = await held(pool);
    const [long] = withTimeout(background, 3_600_000);
    let first = -2; // the numbers of each attempt are its own
    const { started } = await inTime(
      (short, { view }) => {
        first += 4;
        const tasks = [
          pool.submit(long, "step", [steps, first, "id"]),
          pool.submit(short, "step", [steps, first + 1, "spin, and tell afterwards", view]),
          pool.submit(long, "step", [steps, first + 2, "id"], { grace: 7 }),
          pool.submit(background, "step", [steps, first + 3, "id"]),
        ];
        hold.open();
        return tasks;
      },
      (tasks) => Promise.all(tasks.map(settled)),
    );
    expect(await Promise.all(started.map(settled))).toEqual([
      "completed",
      "interrupted",
      "completed",
      "completed",
    ]);
    expect([...steps.slice(first, first + 4)]).toEqual([1, 1, 1, 1]);
    await expectWhole(pool, 1);
  });
});
