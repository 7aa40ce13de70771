/** What a task module can do to others: a thread is no sandbox, and yet what goes wrong in one stays in it. */
import { background, Pool, type PoolOptions, type Task, withCancel, withTimeout } from "lifeguard";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectBalanced, expectWhole, fixture, pooled, settled, threadGate } from "../support/pool.js";
import { uncaughtDuring } from "../support/uncaught.js";

const hostile = (way: string, options: PoolOptions = {}): Pool =>
  new Pool(fixture("hostile.mjs"), { threads: 1, spares: 0, grace: 0, workerData: { way }, ...options });

const ways = [
  "Object.prototype has fields",
  "Object.prototype.then",
  "Array.prototype",
  "Promise.prototype.then",
  "Promise.resolve",
  "Atomics.compareExchange does nothing",
  "Atomics.compareExchange throws",
  "Atomics.load lies",
  "the claims are overwritten",
  "the lane is overwritten",
  "the reports are overwritten",
  "answers are nothing",
  "answers to envelopes are nothing",
  "answers are junk",
  "answers are a failure that is none",
  "answers are an error without parts",
  "answers are errors without end",
  "the port is silent",
  "the parent is written to",
  "Error does not work",
  "Error is frozen",
  "clocks stand",
  "timers do nothing",
  "process.exit does nothing",
  "the guard is taken",
];

describe("a module that replaces built-ins, or writes where it has no business", () => {
  let neighbour: Pool;
  beforeAll(() => {
    neighbour = pooled();
  });
  afterAll(() => neighbour.destroy());

  test.each(
    ways.flatMap((way) =>
      (["terminate", "interrupt"] as const).map((onOverrun) => [way, onOverrun] as const),
    ),
  )(
    "cannot hang or crash the main thread, nor touch another pool: %s (%s)",
    { timeout: 60_000 },
    async (way, onOverrun) => {
      const tasks: Task<unknown>[] = [];
      const seen = await uncaughtDuring(async () => {
        const pool = hostile(way, { onOverrun });
        const [ctx, cancel] = withTimeout(background, 1000);
        for (const name of ["number", "object", "text", "fails", "later", "spin"])
          tasks.push(pool.submit(ctx, name, []));
        for (const task of tasks) await settled(task);
        cancel();
        await pool.destroy();
        const stats = pool.stats();
        expect(stats).toMatchObject({ queued: 0, running: 0, stuck: 0 });
        expectBalanced(stats);
      });
      expect(seen).toEqual([]);
      expect(tasks.every(({ outcome }) => outcome !== undefined)).toBe(true);
      expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain("type");
      await expectWhole(neighbour);
    },
  );

  test("cannot have a task that has begun run a second time by losing its answer", async () => {
    await using pool = hostile("answers to envelopes are nothing");
    const begun = new Int32Array(new SharedArrayBuffer(4));
    expect(await settled(pool.submit(background, "count", [begun]))).toBe("completed");
    expect(begun[0]).toBe(1);
  });

  test("cannot make the pool's estimate meaningless with a clock of its own", async () => {
    await using pool = hostile("clocks stand");
    await pool.run(background, "number");
    const { wait, run } = pool.estimate(background, "number");
    expect([wait, run].every((ms) => ms >= 0 && Number.isFinite(ms))).toBe(true);
  });
});

describe("a task", () => {
  test.each(["stubborn", "asleep", "keepsTrying"])(
    "cannot keep its thread past the hard stop: %s",
    { timeout: 60_000 },
    async (name) => {
      await using pool = hostile("process.exit does nothing");
      const gate = threadGate();
      const [ctx, cancel] = withCancel(background);
      const task = pool.submit(ctx, name, [gate.view]);
      await gate.entered();
      cancel();
      expect(await settled(task)).toBe("terminated");
      expect(await pool.run(background, "number")).toBe(42);
    },
  );

  test("cannot end the process with process.exit, only its thread", async () => {
    await using pool = hostile("none");
    expect(await settled(pool.submit(background, "exit", []))).toBe("crashed");
    expect(await pool.run(background, "number")).toBe(42);
  });

  test("cannot be asked for by a name that every object has", async () => {
    await using pool = hostile("none");
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"])
      await expect(pool.run(background, name)).rejects.toMatchObject({ code: "ERR_UNKNOWN_TASK" });
    await expect(pool.run(background, "number")).resolves.toBe(42);
  });
});
