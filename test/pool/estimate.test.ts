/** What is to be expected of a task that is submitted now. */
import { background, type Pool, type PoolOptions, withTimeout } from "lifeguard";
import { describe, expect, test } from "vitest";
import { pooled, threadGate } from "../support/pool.js";

/** Has every thread of a pool held; what is returned lets them go. */
async function hold(pool: Pool, threads = 1): Promise<() => Promise<void>> {
  const gate = threadGate();
  const running = Array.from({ length: threads }, () => pool.run(background, "hold", gate.view));
  await gate.entered(threads);
  return async () => {
    gate.open();
    await Promise.all(running);
  };
}

/** A pool that has seen a task, so that something is known, and whose threads are held. */
async function held(options: PoolOptions = {}) {
  const { threads = 1 } = options;
  const pool = pooled({ threads, ...options });
  await (await hold(pool, threads))();
  return { pool, release: await hold(pool, threads) };
}

describe("estimate", () => {
  test("of a pool that has done nothing yet: no wait, no idea of the time, all of the room", async () => {
    await using pool = pooled({ maxQueue: 7 });
    await pool.ready();
    expect(pool.estimate(background, "add")).toEqual({ wait: 0, run: 0, room: 9 }); // 2 threads
    await using unbounded = pooled();
    expect(unbounded.estimate(background, "add").room).toBe(Number.POSITIVE_INFINITY);
  });

  test("what such tasks took lately is how long one runs; of others nothing is known", async () => {
    await using pool = pooled({ threads: 1 });
    const from = performance.now();
    await (await hold(pool))();
    const took = performance.now() - from;
    const { run, wait } = pool.estimate(background, "hold");
    expect(run).toBeGreaterThan(0);
    expect(run).toBeLessThanOrEqual(took);
    expect(wait).toBe(0);
    expect(pool.estimate(background, "add").run).toBe(0);
  });

  test("one that was stopped does not count for how long they run", async () => {
    await using pool = pooled({ threads: 1 });
    const gate = threadGate();
    const task = pool.submit(background, "pollThen", [gate.view, "throw err"]);
    await gate.entered();
    task.cancel();
    await task.result.catch(() => {});
    expect(task.outcome).toBe("stopped");
    expect(pool.estimate(background, "pollThen").run).toBe(0);
  });

  test("nor does one that handed back its best so far, or failed", async () => {
    await using pool = pooled({ threads: 1 });
    const gate = threadGate();
    const task = pool.submit(background, "pollThen", [gate.view, "return", "the best"]);
    await gate.entered();
    task.cancel();
    expect(await task.result).toBe("the best");
    expect(task.outcome).toBe("completed");
    expect(pool.estimate(background, "pollThen").run).toBe(0);
    await pool.run(background, "badProgress", "none").catch(() => {});
    expect(pool.estimate(background, "badProgress").run).toBe(0);
  });

  test("the wait grows with those that are ahead, and is shared by the threads", async () => {
    const waits = async (threads: number) => {
      const { pool, release } = await held({ threads });
      const alone = pool.estimate(background, "add").wait;
      const queued = Array.from({ length: 9 }, () => pool.run(background, "nothing"));
      const behind = pool.estimate(background, "add").wait;
      await release();
      await Promise.all(queued);
      await pool.close();
      return { alone, behind };
    };
    for (const threads of [1, 2]) {
      const { alone, behind } = await waits(threads);
      expect(alone).toBeGreaterThan(0);
      expect(behind / alone).toBeCloseTo(10);
    }
  });

  test("only those count that go first: by priority, and by deadline", async () => {
    const { pool, release } = await held({ order: "deadline" });
    const [soon, cancelSoon] = withTimeout(background, 60_000);
    const [later, cancelLater] = withTimeout(background, 120_000);
    const first = pool.estimate(soon, "add").wait;
    const queued = [later, later, background, background].map((ctx) => pool.run(ctx, "nothing"));
    const ahead = (ctx: typeof background, priority = 0) =>
      Math.round(pool.estimate(ctx, "add", { priority }).wait / first) - 1;
    expect(ahead(soon)).toBe(0);
    expect(ahead(later)).toBe(2);
    expect(ahead(background)).toBe(4);
    expect(ahead(background, 1)).toBe(0);
    expect(ahead(soon, -1)).toBe(4);
    await release();
    await Promise.all(queued);
    cancelSoon();
    cancelLater();
    await pool.close();
  });

  test("the room shrinks with the queue, and is never less than none", async () => {
    const { pool, release } = await held({ maxQueue: 2 });
    expect(pool.estimate(background, "add").room).toBe(2);
    const one = pool.run(background, "add", 1, 2);
    expect(pool.estimate(background, "add").room).toBe(1);
    const two = pool.run(background, "add", 1, 2);
    expect(pool.estimate(background, "add").room).toBe(0);
    await release();
    await Promise.all([one, two]);
    expect(pool.estimate(background, "add").room).toBe(3); // and the thread
    await pool.close();
  });

  test.each([
    ["ctx", [undefined, "add"]],
    ["name", [background, 1]],
    ["options", [background, "add", null]],
    ["options.priority", [background, "add", { priority: Number.NaN }]],
  ])("a bad argument throws: %s", async (which, args) => {
    await using pool = pooled();
    expect(() => pool.estimate(...(args as Parameters<typeof pool.estimate>))).toThrow(
      expect.objectContaining({
        code: "ERR_INVALID_ARG",
        message: expect.stringContaining(`Pool.estimate: ${which}: expected `) as string,
      }),
    );
  });
});
