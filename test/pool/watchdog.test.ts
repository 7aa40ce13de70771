/** `watchdog`: threads end what overruns its deadline by themselves, whatever the main thread does. */
import { background, type Pool, type PoolOptions, type Task, withCancel, withTimeout } from "lifeguard";
import { describe, expect, test } from "vitest";
import { expectWhole, pooled, rejection, settled, type ThreadGate, threadGate } from "../support/pool.js";
import { turn } from "../support/turn.js";

function watched(options: PoolOptions = {}, module = "runaway.mjs"): Pool {
  return pooled(
    { threads: 1, spares: 0, grace: 0, onOverrun: "interrupt", watchdog: true, ...options },
    module,
  );
}

/** The thread is held by a task, and the steps are known to be short: those that are submitted meanwhile go together. */
async function held(pool: Pool): Promise<{ begun: Int32Array; gate: ThreadGate; holder: Task<unknown> }> {
  const begun = new Int32Array(new SharedArrayBuffer(4 * 64));
  await Promise.all(Array.from({ length: 200 }, () => pool.run(background, "step", begun, 0, "id")));
  const gate = threadGate();
  const holder = pool.submit(background, "step", [begun, 1, "wait", gate.view]);
  await gate.entered();
  return { begun, gate, holder };
}

/** In time for the task to begin before it. */
const SOON = 150;

describe("a task that never polls, with the main thread blocked", () => {
  test("is interrupted when its deadline and its grace are over: its thread goes on before main does", async () => {
    await using pool = watched({ grace: 5 });
    const before = (await pool.run(background, "here")) as { threadId: number };
    const gate = threadGate();
    const [ctx] = withTimeout(background, SOON);
    const task = pool.submit(ctx, "spinAndTellAfter", [gate.view]);
    await gate.entered();
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
    await pool.ready();
    for (let i = 0; i < 5; i++) {
      const gate = threadGate();
      const [ctx] = withTimeout(background, SOON);
      const task = pool.submit(ctx, "spinAndTellAfter", [gate.view]);
      await gate.entered();
      gate.blockUntilWritten(2);
      expect(await settled(task)).toBe("interrupted");
    }
    expect(pool.stats().outcomes).toMatchObject({ interrupted: 5, terminated: 0, crashed: 0 });
  });
});

test("of tasks under one context with different graces, each is watched by its own", async () => {
  await using pool = watched({}, "steps.mjs");
  const { begun, gate, holder } = await held(pool);
  const [ctx] = withTimeout(background, SOON);
  // Together in one envelope: the first one has no end to its grace, and no watchdog.
  const quick = pool.submit(ctx, "step", [begun, 2, "id"], { grace: Infinity });
  const loop = pool.submit(ctx, "step", [begun, 3, "spin, and tell afterwards", gate.view]);
  gate.open();
  await holder.result;
  while (Atomics.load(begun, 3) === 0) await turn();
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
    await pool.ready();
    const gate = threadGate();
    const [ctx] = withTimeout(background, SOON);
    const task = pool.submit(ctx, "spinInScope", [gate.view]);
    await gate.entered();
    expect(await settled(task)).toBe("terminated");
    await expectWhole(pool, 1);
  });
});

describe("does nothing to", () => {
  test("a task that ends by itself within its grace", async () => {
    await using pool = watched({ grace: 10_000 });
    const [ctx] = withTimeout(background, SOON);
    const gate = threadGate();
    const task = pool.submit(ctx, "pollThen", [gate.view, "return", "best so far"]);
    expect(await task.result).toBe("best so far");
    expect(task.outcome).toBe("completed");
  });

  test("a task without a deadline, with no end to its grace, or whose thread shall be ended", async () => {
    await using pool = watched();
    expect(await pool.run(background, "add", 1, 2)).toBe(3);
    const [ctx] = withTimeout(background, SOON);
    const gate = threadGate();
    const endless = pool.submit(ctx, "hold", [gate.view, "held"], { grace: Infinity });
    await ctx.done();
    gate.open();
    expect(await endless.result).toBe("held");
    const [late] = withTimeout(background, SOON);
    const other = pool.submit(late, "spin", [threadGate().view], { onOverrun: "terminate" });
    expect(await settled(other)).toBe("terminated");
    await expectWhole(pool, 1);
  });

  test("a task that has returned a promise: it may block its thread after its deadline", async () => {
    await using pool = watched({ grace: 300 });
    const gate = threadGate();
    const [ctx] = withTimeout(background, SOON);
    const task = pool.submit(ctx, "blockAfterAwait", [gate.view, SOON + 350]);
    expect(await task.result).toBe("in the end");
  });

  test("the tasks beside it in its envelope, each with a deadline and a grace of its own", async () => {
    await using pool = watched({}, "steps.mjs");
    const { begun, gate, holder } = await held(pool);
    const [short] = withTimeout(background, SOON);
    const [long] = withTimeout(background, 60_000);
    const tasks = [
      pool.submit(long, "step", [begun, 2, "id"]),
      pool.submit(short, "step", [begun, 3, "spin"]),
      pool.submit(long, "step", [begun, 4, "id"], { grace: 7 }),
      pool.submit(background, "step", [begun, 5, "id"]),
    ];
    gate.open();
    await holder.result;
    expect(await Promise.all(tasks.map(settled))).toEqual([
      "completed",
      "interrupted",
      "completed",
      "completed",
    ]);
    expect([...begun.slice(1, 6)]).toEqual([1, 1, 1, 1, 1]);
    await expectWhole(pool, 1);
  });
});
