/** How a pool ends: close, destroy, `await using`, and what becomes of its tasks then. */

import { background, CanceledError, cause, PoolError, withCancel, withTimeout } from "lifeguard";
import { afterEach, describe, expect, test, vi } from "vitest";
import { canceledError, Independent } from "../support/contexts.js";
import { expectBalanced, failure, pooled, rejection, settled, threadGate, until } from "../support/pool.js";
import { settles, turn } from "../support/turn.js";

afterEach(() => {
  vi.useRealTimers();
});

const closed = { name: "PoolError", code: "ERR_POOL_CLOSED" };

describe("close", () => {
  test("finishes what is queued and running, then ends the threads", async () => {
    const pool = pooled({ threads: 1 });
    const gate = threadGate();
    const running = pool.run(background, "hold", gate.view, "ran");
    const queued = [1, 2, 3].map((n) => pool.run(background, "add", n, n));
    await gate.entered();
    const closing = pool.close();
    expect(await settles(closing)).toBe(false);
    expect(pool.stats()).toMatchObject({ running: 1, queued: 3 });
    gate.open();
    await closing;
    expect(await running).toBe("ran");
    expect(await Promise.all(queued)).toEqual([2, 4, 6]);
    expect(pool.stats()).toMatchObject({
      threads: 0,
      idle: 0,
      running: 0,
      queued: 0,
      stuck: 0,
      outcomes: { completed: 4 },
    });
  });

  test("takes no more tasks from then on, and ready rejects", async () => {
    const pool = pooled({ threads: 1 });
    const gate = threadGate();
    const running = pool.run(background, "hold", gate.view, 1);
    await gate.entered();
    const closing = pool.close();
    const { submitted } = pool.stats();
    expect(await failure(pool.run(background, "nothing"))).toMatchObject(closed);
    const task = pool.submit(background, "nothing", []);
    expect(await failure(task.result)).toMatchObject(closed);
    expect(task).toMatchObject({ state: "settled", outcome: "failed" });
    expect(await failure(pool.tasks.nothing!(background))).toMatchObject(closed);
    expect(await failure(pool.ready())).toMatchObject(closed);
    expect(pool.stats().submitted).toBe(submitted);
    gate.open();
    await Promise.all([closing, running]);
    expect(await failure(pool.run(background, "nothing"))).toMatchObject(closed);
    expect(await failure(pool.ready())).toMatchObject(closed);
  });

  test("of an idle pool, of one that has just been made, and again, and after destroy", async () => {
    const idle = pooled();
    await idle.ready();
    await idle.close();
    await idle.close();
    await idle.destroy();
    await idle.close();
    const young = pooled();
    await Promise.all([young.close(), young.close(), young.destroy()]);
    expect(young.stats()).toMatchObject({ threads: 0, submitted: 0 });
  });

  test("a pool that is closed before it is ready still runs what was submitted", async () => {
    const pool = pooled({ threads: 1 });
    const result = pool.run(background, "add", 1, 2);
    const ready = rejection(pool.ready()).catch(() => "was ready");
    await pool.close();
    expect(await result).toBe(3);
    await ready;
  });

  test("when its context ends first, the rest is cancelled: ERR_POOL_CLOSED as the cause, with the context's own as its", async () => {
    const pool = pooled({ threads: 1 });
    const gate = threadGate();
    const running = pool.submit(background, "pollThen", [gate.view, "throw err"]);
    const queued = pool.submit(background, "nothing", []);
    await gate.entered();
    const [ctx, cancel] = withCancel(background);
    const closing = pool.close(ctx);
    expect(running.state).toBe("running");
    cancel("no patience");
    await closing;
    for (const task of [running, queued]) {
      const error = await failure(task.result);
      expect(error).toBeInstanceOf(CanceledError);
      const why = cause(task.ctx) as PoolError;
      expect(why).toBeInstanceOf(PoolError);
      expect(why).toMatchObject(closed);
      expect(why.cause).toBe("no patience");
    }
    expect([running.outcome, queued.outcome]).toEqual(["stopped", "dropped"]);
    expectBalanced(pool.stats());
  });

  test("with a context that has ended before", async () => {
    const pool = pooled({ threads: 1 });
    const gate = threadGate();
    const running = pool.submit(background, "pollThen", [gate.view, "return", "best so far"]);
    await gate.entered();
    await pool.close(withTimeout(background, 0)[0]);
    expect(await running.result).toBe("best so far");
  });

  test("with a custom context that ends", async () => {
    const pool = pooled({ threads: 1 });
    const gate = threadGate();
    const running = pool.submit(background, "pollThen", [gate.view, "throw err"]);
    await gate.entered();
    const ctx = new Independent();
    const closing = pool.close(ctx);
    ctx.end(canceledError());
    await closing;
    expect(await settled(running)).toBe("stopped");
  });

  test("the context of each call counts", async () => {
    const pool = pooled({ threads: 1 });
    const gate = threadGate();
    const running = pool.submit(background, "pollThen", [gate.view, "throw err"]);
    await gate.entered();
    const patient = pool.close();
    const [ctx, cancel] = withCancel(background);
    const impatient = pool.close(ctx);
    cancel();
    await Promise.all([patient, impatient]);
    expect(running.outcome).toBe("stopped");
  });

  test("a context that never ends lets go: nothing of the close stays on it", async () => {
    const [ctx, cancel] = withCancel(background);
    const pool = pooled({ threads: 1 });
    await pool.close(ctx);
    cancel(); // nothing happens any more
    await turn();
    expect(pool.stats().outcomes).toMatchObject({ dropped: 0, stopped: 0 });
  });

  test("while a task overruns: waits for its hard stop", async () => {
    const pool = pooled({ threads: 2, grace: 0 });
    const gate = threadGate();
    const [ctx, cancel] = withCancel(background);
    const stubborn = pool.submit(ctx, "spin", [gate.view]);
    await gate.entered();
    const closing = pool.close();
    cancel();
    expect(pool.stats()).toMatchObject({ running: 0, stuck: 1 });
    await closing;
    expect(stubborn.outcome).toBe("terminated");
    expect(await rejection(stubborn.result)).toBe(ctx.err());
    expect(pool.stats()).toMatchObject({ threads: 0, stuck: 0 });
  });

  test("tasks that wait behind one that overruns are still run", async () => {
    const pool = pooled({ threads: 1, spares: 0, grace: 0 });
    const gate = threadGate();
    const [ctx, cancel] = withCancel(background);
    const stubborn = pool.submit(ctx, "spin", [gate.view]);
    const next = pool.run(background, "add", 2, 3);
    await gate.entered();
    const closing = pool.close();
    cancel();
    expect(await next).toBe(5);
    await closing;
    expect(stubborn.outcome).toBe("terminated");
  });

  test("tasks are cancelled while it closes: it resolves when they have stopped", async () => {
    const pool = pooled({ threads: 1 });
    const gate = threadGate();
    const running = pool.submit(background, "awaitThen", [gate.view, "throw err"]);
    const queued = pool.submit(background, "nothing", []);
    await gate.entered();
    const closing = pool.close();
    queued.cancel();
    queued.cancel();
    expect(await settles(closing)).toBe(false);
    running.cancel();
    await closing;
    expect([running.outcome, queued.outcome]).toEqual(["stopped", "dropped"]);
    await Promise.all([failure(running.result), failure(queued.result)]);
  });

  test("while a task's thread crashes", async () => {
    const pool = pooled({ threads: 1, spares: 0, grace: Infinity }, "dying.mjs");
    const gate = threadGate();
    const dying = pool.submit(background, "exitWhenDone", [gate.view]);
    const hold = threadGate();
    hold.open();
    const next = pool.run(background, "hold", hold.view, "still run");
    await gate.entered();
    const closing = pool.close();
    dying.cancel();
    await closing;
    expect(dying.outcome).toBe("crashed");
    expect(await next).toBe("still run");
    await failure(dying.result);
  });
});

describe("destroy", () => {
  test("cancels everything now, with ERR_POOL_CLOSED as the cause, and resolves when the last thread has gone", async () => {
    const pool = pooled({ threads: 1 });
    const gate = threadGate();
    const running = pool.submit(background, "pollThen", [gate.view, "throw err"]);
    const queued = pool.submit(background, "nothing", []);
    await gate.entered();
    const destroying = pool.destroy();
    expect(running.state).toBe("stopping");
    expect(queued.outcome).toBe("dropped");
    await destroying;
    for (const task of [running, queued]) {
      expect(await rejection(task.result)).toBe(task.ctx.err());
      expect(cause(task.ctx)).toMatchObject(closed);
    }
    expect(running.outcome).toBe("stopped");
    expect(pool.stats()).toMatchObject({ threads: 0, running: 0, queued: 0, stuck: 0 });
    expectBalanced(pool.stats());
    expect(await failure(pool.run(background, "nothing"))).toMatchObject(closed);
  });

  test("repeated, at once and later, waits for the same", async () => {
    const pool = pooled({ threads: 2 });
    await pool.ready();
    const all = [pool.destroy(), pool.destroy(), pool[Symbol.asyncDispose](), pool.close()];
    await Promise.all(all);
    await pool.destroy();
    expect(pool.stats().threads).toBe(0);
  });

  test("a waiting ready() rejects", async () => {
    const pool = pooled({ threads: 1 }, "never-loads.mjs");
    const ready = failure(pool.ready());
    await pool.destroy();
    expect(await ready).toMatchObject(closed);
  });

  test("grace is as usual, but no more than a second, also for tasks asked to stop before", async () => {
    const pool = pooled({ threads: 3, grace: Infinity });
    await pool.ready();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const gates = [threadGate(), threadGate(), threadGate()] as const;
    const before = pool.submit(background, "spin", [gates[0].view], { grace: 3_600_000 });
    const patient = pool.submit(background, "spin", [gates[1].view]);
    const short = pool.submit(background, "spin", [gates[2].view], { grace: 10 });
    for (const gate of gates) await gate.entered();
    before.cancel("earlier");
    vi.advanceTimersByTime(60_000);
    expect(pool.stats().running).toBe(3);
    const destroying = pool.destroy();
    vi.advanceTimersByTime(9);
    expect(pool.stats().running).toBe(3);
    vi.advanceTimersByTime(1);
    expect(pool.stats().running).toBe(2);
    vi.advanceTimersByTime(989);
    expect(pool.stats().running).toBe(2);
    vi.advanceTimersByTime(1);
    expect(pool.stats().running).toBe(0);
    vi.useRealTimers();
    await destroying;
    expect([before.outcome, patient.outcome, short.outcome]).toEqual([
      "terminated",
      "terminated",
      "terminated",
    ]);
    expect(cause(before.ctx)).toBe("earlier");
    await Promise.all([
      failure(before.result).catch(() => {}),
      failure(patient.result),
      failure(short.result),
    ]);
  });

  test("after close has begun: no more waiting", async () => {
    const pool = pooled({ threads: 1, grace: 0 });
    const gate = threadGate();
    const running = pool.submit(background, "spin", [gate.view]);
    await gate.entered();
    const closing = pool.close();
    await pool.destroy();
    await closing;
    expect(running.outcome).toBe("terminated");
    await failure(running.result);
  });

  test("a task that a listener submits while everything is being cancelled is refused", async () => {
    const pool = pooled({ threads: 1 });
    const gate = threadGate();
    const running = pool.submit(background, "pollThen", [gate.view, "throw err"]);
    const queued = pool.submit(background, "nothing", []);
    await gate.entered();
    let late: Promise<unknown> | undefined;
    queued.ctx.signal.addEventListener("abort", () => {
      late = failure(pool.run(background, "nothing"));
    });
    await pool.destroy();
    expect(await late).toMatchObject(closed);
    await Promise.all([failure(running.result), failure(queued.result)]);
  });
});

test.each(["close", "destroy"] as const)(
  "%s: nothing that waits takes the place of one that is stopped hard, with a spare at hand",
  async (how) => {
    const loads = new Int32Array(new SharedArrayBuffer(4));
    const pool = pooled({ threads: 1, spares: 1, grace: 0, workerData: loads }, "loads.mjs");
    const first = threadGate();
    const overrun = pool.submit(background, "spin", [first.view]);
    await first.entered();
    overrun.cancel();
    expect(await settled(overrun)).toBe("terminated");
    // The thread that was ended, the one in its place, and the spare.
    await until(() => Atomics.load(loads, 0) === 3);
    for (let i = 0; i < 50; i++) await turn();
    const gate = threadGate();
    const running = pool.submit(background, "spin", [gate.view]);
    await gate.entered();
    const late = threadGate();
    const queued = [1, 2].map(() => pool.submit(background, "hold", [late.view]));
    const [ctx, cancel] = withCancel(background);
    const closing = how === "close" ? pool.close(ctx) : pool.destroy();
    cancel();
    await turn();
    expect(queued.map(({ outcome }) => outcome)).toEqual(["dropped", "dropped"]);
    await closing;
    expect(running.outcome).toBe("terminated");
    expect(late.read(0)).toBe(0);
    for (const task of [running, ...queued]) expect(cause(task.ctx)).toMatchObject(closed);
  },
);

describe("await using", () => {
  test("destroys: leaving the scope does not wait for work nobody wants", async () => {
    const gate = threadGate();
    let task: ReturnType<ReturnType<typeof pooled>["submit"]> | undefined;
    let pool: ReturnType<typeof pooled> | undefined;
    {
      await using scoped = pooled({ threads: 1 });
      pool = scoped;
      task = scoped.submit(background, "pollThen", [gate.view, "throw err"]);
      await gate.entered();
    }
    expect(task.outcome).toBe("stopped");
    expect(pool.stats().threads).toBe(0);
    await failure(task.result);
  });
});

test("the threads that could not load their module have gone when destroy resolves", async () => {
  const workers: { threadId: number }[] = [];
  const collect = (worker: { threadId: number }): void => {
    workers.push(worker);
  };
  process.on("worker", collect);
  const pool = pooled({ threads: 2 }, "throws-while-loading.mjs");
  await failure(pool.ready());
  await pool.destroy();
  await turn();
  process.off("worker", collect);
  expect(workers.length).toBeGreaterThanOrEqual(2);
  expect(workers.every((worker) => worker.threadId === -1)).toBe(true);
  await until(() => pool.stats().threads === 0);
});
