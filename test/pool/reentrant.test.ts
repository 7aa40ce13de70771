/**
 * Code of the user's that runs in the middle of the pool's work (custom contexts, getters of arguments, listeners of signals, inputs)
 * and does what it should not: submits, cancels, destroys, looks at the counts.
 */
import { background, type Task } from "lifeguard";
import { describe, expect, test } from "vitest";
import { Delegating } from "../support/contexts.js";
import { expectBalanced, expectWhole, failure, settled, threadGate, until } from "../support/pool.js";
import { type Steps, stepsOf } from "../support/steps.js";
import { turn } from "../support/turn.js";

/** A context that does something when it is asked for its values: when an envelope is put together. */
class Meddling extends Delegating {
  readonly #meddle: () => void;
  constructor(meddle: () => void) {
    super(background);
    this.#meddle = meddle;
  }
  override deadline(): undefined {
    return undefined;
  }
  override done(): Promise<void> {
    return new Promise(() => {});
  }
  override value(): undefined {
    return undefined;
  }
  override err(): undefined {
    this.#meddle();
    return undefined;
  }
}

/** Runs `meddle` once armed, and only once. */
function once(meddle: () => void): { arm: () => void; run: () => void } {
  let isArmed = false;
  return {
    arm: () => {
      isArmed = true;
    },
    run: () => {
      if (!isArmed) return;
      isArmed = false;
      meddle();
    },
  };
}

async function expectAllRanOnce(
  steps: Steps,
  tasks: readonly Task<unknown>[],
  ids: readonly number[],
): Promise<void> {
  expect(await Promise.all(tasks.map(settled))).toEqual(tasks.map(() => "completed"));
  expect(ids.map((id) => Atomics.load(steps.begun, id))).toEqual(ids.map(() => 1));
  await turn();
  expectBalanced(steps.pool.stats());
}

test("a context that submits when it is looked at: nothing runs twice", async () => {
  const steps = await stepsOf({ threads: 2 });
  await using pool = steps.pool;
  const inner: Task<unknown>[] = [];
  const meddler = once(() => {
    for (let id = 100; id < 104; id++) inner.push(steps.step(id, "id"));
  });
  const ctx = new Meddling(meddler.run);
  const tasks = await steps.together(() => {
    const submitted = Array.from({ length: 8 }, (_, i) =>
      pool.submit(ctx, "step", [steps.begun, i + 1, "id"]),
    );
    meddler.arm();
    return submitted;
  });
  await expectAllRanOnce(steps, [...tasks, ...inner], [1, 2, 3, 4, 5, 6, 7, 8, 100, 101, 102, 103]);
  await expectWhole(pool);
});

test("a context that destroys the pool while an envelope is put together: none of it is left behind", async () => {
  const steps = await stepsOf({ grace: 0 });
  const { pool } = steps;
  let destroyed: Promise<void> | undefined;
  const meddler = once(() => {
    destroyed = pool.destroy();
  });
  const ctx = new Meddling(meddler.run);
  const gate = threadGate();
  const held = pool.submit(background, "hold", [gate.view]);
  await gate.entered();
  const tasks = Array.from({ length: 20 }, (_, i) =>
    pool.submit(i === 10 ? ctx : background, "step", [steps.begun, i + 1, "spin"]),
  );
  meddler.arm();
  gate.open();
  await held.result;
  await until(() => destroyed !== undefined);
  await destroyed;
  await turn();
  for (const task of tasks) expect(["dropped", "terminated"]).toContain(task.outcome);
  expectBalanced(pool.stats());
});

describe("getters of arguments", () => {
  /** `count` tasks, of which the one at `at` has an argument whose getter does something. */
  async function meddle(
    steps: Steps,
    at: number,
    getter: (tasks: readonly Task<unknown>[]) => unknown,
  ): Promise<Task<unknown>[]> {
    const tasks: Task<unknown>[] = [];
    await steps.together(() => {
      for (let i = 0; i < 6; i++) {
        const argument = {
          deep: {},
          get value() {
            return i === at ? getter(tasks) : i;
          },
        };
        tasks.push(steps.step(i + 1, "id", argument));
      }
    });
    return tasks;
  }

  test.each([0, 2, 5])("that cancel all of the tasks, in the argument of number %i", async (at) => {
    const steps = await stepsOf();
    await using pool = steps.pool;
    const tasks = await meddle(steps, at, (all) => {
      for (const task of all) task.cancel();
    });
    const outcomes = await Promise.all(tasks.map(settled));
    for (const [i, outcome] of outcomes.entries())
      expect(Atomics.load(steps.begun, i + 1)).toBe(outcome === "completed" ? 1 : 0);
    expectBalanced(pool.stats());
    expect(pool.stats()).toMatchObject({ queued: 0, running: 0 });
    await expectWhole(pool, 1);
  });

  test("that cancel a neighbour and throw", async () => {
    const steps = await stepsOf();
    await using pool = steps.pool;
    const tasks = await meddle(steps, 3, (all) => {
      all[1]?.cancel();
      all[4]?.cancel();
      throw new Error("no");
    });
    expect((await Promise.all(tasks.map(settled)))[3]).toBe("failed");
    expectBalanced(pool.stats());
    expect(pool.stats()).toMatchObject({ queued: 0, running: 0 });
    await expectWhole(pool, 1);
  });

  test("that throw, of a task that goes alone, and submit another one", async () => {
    const steps = await stepsOf();
    await using pool = steps.pool;
    let innocent: Task<unknown> | undefined;
    let reads = 0;
    const bad = steps.step(1, "id", {
      get value() {
        // The second time, when it is found out which argument it was: the thread is free.
        if (++reads === 2) innocent = steps.step(2, "busy", 5);
        throw new Error("no");
      },
    });
    expect(await failure(bad.result)).toMatchObject({ code: "ERR_NOT_CLONEABLE" });
    expect(await innocent?.result).toBe(2);
    await expectWhole(pool, 1);
  });

  test("and of the list of what to transfer", async () => {
    const steps = await stepsOf();
    await using pool = steps.pool;
    const tasks = await steps.together(() => {
      const first = steps.step(1, "id");
      const second = pool.submit(background, "step", [steps.begun, 2, "id"], {
        get transfer() {
          first.cancel();
          return [];
        },
      });
      return [first, second];
    });
    expect(await Promise.all(tasks.map(settled))).toEqual(["dropped", "completed"]);
    expect([steps.begun[1], steps.begun[2]]).toEqual([0, 1]);
    await expectWhole(pool, 1);
  });
});

test("the counts add up wherever they are looked at", async () => {
  const steps = await stepsOf();
  await using pool = steps.pool;
  let looks = 0;
  const look = (): void => {
    looks++;
    expectBalanced(pool.stats());
  };
  const tasks = await steps.together(() => {
    const submitted = Array.from({ length: 200 }, (_, i) =>
      steps.step(i + 1, "id", {
        get value() {
          look();
          return i;
        },
      }),
    );
    // A task's own context ends with the task.
    for (const { ctx } of submitted) ctx.signal.addEventListener("abort", look);
    return submitted;
  });
  await Promise.all(tasks.map(({ result }) => result));
  await turn();
  expect(looks).toBeGreaterThanOrEqual(400);
});

test("running is never above threads, whoever looks when", async () => {
  const steps = await stepsOf({ threads: 2 });
  await using pool = steps.pool;
  const tasks = await steps.together(() => Array.from({ length: 3000 }, (_, i) => steps.step(i + 1, "id")));
  let most = 0;
  await until(() => {
    const { running, queued } = pool.stats();
    most = Math.max(most, running);
    return running + queued === 0;
  });
  await Promise.all(tasks.map(settled));
  expect(most).toBeLessThanOrEqual(2);
});

test("what has ended is settled, though an abort listener takes long and the last of the envelope never ends", async () => {
  const steps = await stepsOf();
  await using _ = steps.pool;
  const gate = threadGate();
  const tasks = await steps.together(() => {
    const submitted = [steps.step(1, "busy", 4), steps.step(2, "busy", 4), steps.step(3, "wait", gate.view)];
    submitted[0]?.ctx.signal.addEventListener("abort", () => {
      for (const until = performance.now() + 12; performance.now() < until; );
    });
    return submitted;
  });
  expect(await tasks[0]?.result).toBe(1);
  expect(await tasks[1]?.result).toBe(2);
  gate.open();
  expect(await tasks[2]?.result).toBe(3);
});
