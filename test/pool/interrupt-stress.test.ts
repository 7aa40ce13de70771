/**
 * Tasks that end by themselves at random moments around the one at which they are cut off. What must not happen: that a cut
 * hits another task, or the pool's own code. docs/protocol.md says why it cannot.
 */
import { background, type Outcome, type Pool, withCancel, withTimeout } from "lifeguard";
import { describe, expect, test } from "vitest";
import { expectWhole, pooled, settled, threadGate } from "../support/pool.js";
import { turn } from "../support/turn.js";

const KINDS = ["burn", "burnPolling", "burnAsync"] as const;

/** How many steps of `burn` last a µs; nothing depends on how exact it is. */
const STEPS = 1000;

function any<T>(of: readonly T[]): T {
  return of[Math.floor(Math.random() * of.length)] as T;
}

/** Keeps this thread busy: timers know no µs. */
function spin(us: number): void {
  const until = process.hrtime.bigint() + BigInt(Math.floor(us * 1000));
  while (process.hrtime.bigint() < until);
}

/** What went wrong, for each task one by one. */
class Judge {
  readonly faults: string[] = [];
  readonly outcomes = new Map<Outcome | undefined, number>();

  /** Submits a task that ends by itself some time before or after it is stopped, and maybe another one that nobody stops. */
  async one(pool: Pool, begun: Int32Array, lane: number, id: number, byDeadline: boolean): Promise<void> {
    const before = Atomics.load(begun, lane);
    const [ctx, cancel] = byDeadline ? withTimeout(background, 1 + Math.random()) : withCancel(background);
    const us = byDeadline ? 500 + 1500 * Math.random() : 200 * Math.random();
    const task = pool.submit(ctx, any(KINDS), [begun, lane, Math.floor(us * STEPS), id]);
    const innocent =
      Math.random() < 0.3 ? pool.submit(background, any(KINDS), [begun, 3, 1000, id + 1]) : undefined;
    if (!byDeadline) {
      while (Atomics.load(begun, lane) === before && task.outcome === undefined) await turn();
      spin(150 * Math.random());
      cancel();
    }
    await task.result.then(
      (value) => {
        if (value !== id) this.faults.push(`task ${id} got ${String(value)}`);
      },
      (error: unknown) => {
        if (error !== task.ctx.err()) this.faults.push(`task ${id} rejected with ${String(error)}`);
      },
    );
    this.#count(task.outcome);
    await innocent?.result.then(
      (value) => {
        if (value !== id + 1) this.faults.push(`innocent ${id + 1} got ${String(value)}`);
      },
      (error: unknown) => {
        this.faults.push(`innocent ${id + 1} rejected with ${String(error)}`);
      },
    );
    cancel();
  }

  #count(outcome: Outcome | undefined): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }
}

describe("tasks that end around the moment at which they are cut off", () => {
  const runs = [
    { tasks: 100_000, deadlines: 0.1, watchdog: false },
    { tasks: 10_000, deadlines: 0.8, watchdog: true },
  ];
  for (const { tasks, deadlines, watchdog } of runs) {
    test(`${tasks} of them${watchdog ? ", by their threads" : ""}: no other one is hit, no thread is lost`, async () => {
      const warnings: Error[] = [];
      const onWarning = (warning: Error): void => {
        warnings.push(warning);
      };
      process.on("warning", onWarning);
      await using pool = pooled({ grace: 0, onOverrun: "interrupt", watchdog }, "runaway.mjs");
      await pool.ready();
      const begun = new Int32Array(new SharedArrayBuffer(16));
      const judge = new Judge();
      let left = tasks;
      await Promise.all(
        [0, 1].map(async (lane) => {
          while (left-- > 0) await judge.one(pool, begun, lane, 2 * left, Math.random() < deadlines);
        }),
      );
      process.off("warning", onWarning);
      expect(judge.faults).toEqual([]);
      expect(warnings).toEqual([]);
      const count = (outcome: Outcome): number => judge.outcomes.get(outcome) ?? 0;
      expect(pool.stats().outcomes).toMatchObject({ failed: 0, crashed: 0 });
      // A machine that lets a thread wait for a tenth of a second makes its task overrun its second grace as well.
      expect(count("terminated")).toBeLessThan(tasks / 2000);
      // Both sides of the race were there.
      expect(count("interrupted")).toBeGreaterThan(tasks / 10);
      expect(count("completed")).toBeGreaterThan(tasks / 10);
      await expectWhole(pool);
    }, 300_000);
  }
});

test("tasks that call process.exit at about the moment at which they are cut off: no other one is hit", async () => {
  await using pool = pooled({ threads: 1, grace: 0, onOverrun: "interrupt" }, "runaway.mjs");
  await pool.ready();
  const outcomes = new Set<Outcome | undefined>();
  const begun = new Int32Array(new SharedArrayBuffer(16));
  // Until both sides of the race have been there.
  for (let i = 0; i < 200 || !(outcomes.has("crashed") && outcomes.has("interrupted")); i++) {
    const gate = threadGate();
    const [ctx, cancel] = withCancel(background);
    const task = pool.submit(ctx, "exitAfter", [gate.view, 200]);
    task.result.catch(() => {});
    const innocents = [0, 1, 2].map((id) => pool.submit(background, "burn", [begun, 0, 1000, id]));
    await gate.entered();
    spin(100 + 200 * Math.random());
    cancel();
    await settled(task);
    expect(await Promise.all(innocents.map(({ result }) => result))).toEqual([0, 1, 2]);
    outcomes.add(task.outcome);
  }
  expect(["crashed", "interrupted", "terminated"]).toEqual(expect.arrayContaining([...outcomes]));
  await expectWhole(pool, 1);
}, 300_000);
