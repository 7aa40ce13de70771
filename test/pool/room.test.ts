/** `waitForRoom`: who waits for room in the queue gets it in turn, and nobody waits for ever. */
import { background, type Context, type Pool, withCancel, withTimeout } from "lifeguard";
import { describe, expect, test } from "vitest";
import { failure, pooled, rejection, settled, threadGate, until } from "../support/pool.js";
import { stepsOf } from "../support/steps.js";
import { settles, turn } from "../support/turn.js";

/** A pool of one thread that is held, with a full queue of two. */
async function full(): Promise<{ pool: Pool; open: () => void; queued: Promise<unknown>[] }> {
  const pool = pooled({ threads: 1, maxQueue: 2 });
  await pool.ready();
  const gate = threadGate();
  const held = pool.run(background, "hold", gate.view);
  await gate.entered();
  const queued = [held, pool.run(background, "nothing"), pool.run(background, "nothing")];
  return { pool, open: gate.open, queued };
}

test("with no maxQueue, and with room, it resolves at once", async () => {
  await using unbounded = pooled({ threads: 1 });
  await unbounded.waitForRoom(background);
  await using roomy = pooled({ threads: 1, maxQueue: 1 });
  await roomy.waitForRoom(background);
});

test("with a full queue it resolves when a task has left it, and run right after it is taken", async () => {
  const { pool, open, queued } = await full();
  await using _ = pool;
  const room = pool.waitForRoom(background);
  expect(await settles(room)).toBe(false);
  expect(await failure(pool.run(background, "nothing"))).toMatchObject({ code: "ERR_QUEUE_FULL" });
  open();
  await room;
  await pool.run(background, "nothing");
  await Promise.all(queued);
});

test("a queued task that is cancelled makes room", async () => {
  const { pool, open } = await full();
  await using _ = pool;
  open();
  await until(() => pool.stats().queued === 0);
  const gate = threadGate();
  void pool.run(background, "hold", gate.view);
  await gate.entered();
  void pool.run(background, "nothing");
  const doomed = pool.submit(background, "nothing", []);
  const room = pool.waitForRoom(background);
  expect(await settles(room)).toBe(false);
  doomed.cancel();
  await room;
  gate.open();
});

test.each([1, 7, 50])(
  "%i producers that wait before each task never find the queue full",
  async (producers) => {
    await using pool = pooled({ threads: 2, maxQueue: 3 });
    await pool.ready();
    const done: unknown[] = [];
    let most = 0;
    await Promise.all(
      Array.from({ length: producers }, async (_, producer) => {
        const mine: Promise<unknown>[] = [];
        for (let i = 0; i < 20; i++) {
          await pool.waitForRoom(background);
          mine.push(pool.run(background, "add", producer, i));
          most = Math.max(most, pool.stats().queued);
        }
        done.push(...(await Promise.all(mine)));
      }),
    );
    expect(done).toHaveLength(20 * producers);
    expect(most).toBeLessThanOrEqual(3);
  },
);

test("what goes into an envelope together makes room when it is through, though nothing is handed over then", async () => {
  const steps = await stepsOf({ threads: 1, spares: 0, grace: 0, maxQueue: 4 });
  await using pool = steps.pool;
  const gate = threadGate();
  const [ctx, cancel] = withCancel(background);
  const spinning = pool.submit(ctx, "step", [steps.begun, 1, "spin"]);
  await until(() => steps.begun[1] === 1);
  cancel();
  // With its thread being replaced, one more than maxQueue is taken in: they go together when it has come up.
  const tasks = Array.from({ length: 5 }, (_, i) =>
    i === 0 ? steps.step(2, "wait", gate.view) : steps.step(2 + i, "id"),
  );
  const room = pool.waitForRoom(background);
  await gate.entered();
  gate.open();
  await room;
  expect(await Promise.all(tasks.map(settled))).toEqual(Array(5).fill("completed"));
  expect(await settled(spinning)).toBe("terminated");
  await pool.waitForRoom(background);
});

test("with a maxQueue of 0 there is room when a thread has nothing to do", async () => {
  await using pool = pooled({ threads: 1, maxQueue: 0 });
  await pool.ready();
  const gate = threadGate();
  const held = pool.run(background, "hold", gate.view);
  await gate.entered();
  const room = pool.waitForRoom(background);
  expect(await settles(room)).toBe(false);
  gate.open();
  await room;
  await pool.run(background, "nothing");
  await held;
});

test("first come, first served", async () => {
  const { pool, open } = await full();
  await using _ = pool;
  const order: number[] = [];
  const waiters = [1, 2, 3, 4, 5].map(async (i) => {
    await pool.waitForRoom(background);
    order.push(i);
    await pool.run(background, "nothing");
  });
  open();
  await Promise.all(waiters);
  expect(order).toEqual([1, 2, 3, 4, 5]);
});

test("room that nobody uses goes to the next who waits", async () => {
  const { pool, open, queued } = await full();
  await using _ = pool;
  const waiters = Array.from({ length: 20 }, () => pool.waitForRoom(background));
  open();
  await Promise.all(queued);
  await Promise.all(waiters);
});

describe("it rejects", () => {
  test("with err() when its context ends first, and its place in the line is free", async () => {
    const { pool, open } = await full();
    await using _ = pool;
    const [ctx, cancel] = withCancel(background);
    const [short] = withTimeout(background, 1);
    const [first, second, third] = [ctx, short, background].map((each) => pool.waitForRoom(each));
    cancel("enough");
    expect(await rejection(first as Promise<void>)).toBe(ctx.err());
    expect(await rejection(second as Promise<void>)).toBe(short.err());
    open();
    await third;
  });

  test("at once when its context has ended, room or not", async () => {
    await using pool = pooled({ threads: 1 });
    const [ctx, cancel] = withCancel(background);
    cancel();
    expect(await rejection(pool.waitForRoom(ctx))).toBe(ctx.err());
  });

  test.each(["close", "destroy"] as const)(
    "with ERR_POOL_CLOSED on %s(), while it waits and afterwards",
    async (how) => {
      const { pool, open, queued } = await full();
      for (const each of queued) each.catch(() => {});
      const room = pool.waitForRoom(background);
      const ended = pool[how]();
      expect(await failure(room)).toMatchObject({ code: "ERR_POOL_CLOSED" });
      open();
      await ended;
      expect(await failure(pool.waitForRoom(background))).toMatchObject({ code: "ERR_POOL_CLOSED" });
    },
  );

  test("with ERR_INVALID_ARG for no context", async () => {
    await using pool = pooled({ threads: 1 });
    expect(await failure(pool.waitForRoom(undefined as unknown as Context))).toMatchObject({
      code: "ERR_INVALID_ARG",
      message: expect.stringContaining("Pool.waitForRoom: ctx") as string,
    });
  });
});

test("a module that cannot be loaded leaves nobody waiting", async () => {
  await using pool = pooled({ threads: 1, maxQueue: 0 }, "throws-while-loading.mjs");
  const task = pool.submit(background, "nothing", []);
  const room = pool.waitForRoom(background);
  expect(await settled(task)).toBe("failed");
  await room;
  await turn();
});
