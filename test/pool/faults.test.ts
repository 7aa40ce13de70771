/** What tasks do wrong: a clear error, a neighbour that hears nothing of it, and a pool that is whole afterwards. */
import type { Worker } from "node:worker_threads";
import { background, type Pool, PoolError, withCancel } from "lifeguard";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outOfMemory } from "../support/nodes.js";
import {
  besideNeighbour,
  expectWhole,
  failure,
  pooled,
  rejection,
  settled,
  threadGate,
  until,
} from "../support/pool.js";

// One pool for all: each test leaves it whole, or the next one fails.
let pool: Pool;
beforeAll(async () => {
  pool = pooled({ threads: 2, grace: 0 }, "faults.mjs");
  await pool.ready();
});
afterAll(() => pool.destroy());

describe("what is thrown arrives as it is", () => {
  for (const name of ["throwNull", "rejectNull"]) {
    test(`${name}: null`, async () => {
      await besideNeighbour(pool, async () => {
        const task = pool.submit(background, name, []);
        expect(await rejection(task.result)).toBeNull();
        expect(task.outcome).toBe("failed");
      });
    });
  }

  for (const name of ["throwUndefined", "rejectUndefined"]) {
    test(`${name}: undefined`, async () => {
      await besideNeighbour(pool, async () => {
        const task = pool.submit(background, name, []);
        expect(await rejection(task.result)).toBeUndefined();
        expect(task.outcome).toBe("failed");
      });
    });
  }

  for (const value of ["a string", 0, Number.NaN, false, 10n, { a: [1, new Map([[1, 2]])] }]) {
    test(`${typeof value}: ${typeof value === "object" ? "cloned" : String(value)}`, async () => {
      expect(await rejection(pool.run(background, "throwValue", value))).toEqual(value);
      await expectWhole(pool);
    });
  }

  for (const name of ["throwOwnClass", "rejectOwnClass"]) {
    test(`${name}: class name, message, stack, code, cause and own properties are kept`, async () => {
      await besideNeighbour(pool, async () => {
        const error = await failure(pool.run(background, name));
        expect(error).toBeInstanceOf(RangeError);
        expect(error.constructor.name).toBe("QuotaError");
        expect(error.name).toBe("QuotaError");
        expect(error.message).toBe("too much");
        expect(error.code).toBe("E_QUOTA");
        expect(error).toMatchObject({ limit: 5, when: new Date(0) });
        expect(error).not.toHaveProperty("retry");
        expect(error.stack).toContain("faults.mjs");
        expect(error.stack).toMatch(/^QuotaError: too much\n/);
        expect(error.cause).toBeInstanceOf(TypeError);
        expect((error.cause as Error).message).toBe("because");
        expect((error.cause as Error).cause).toBe("root");
        expect(Object.keys(error)).not.toContain("cause");
        expect(Object.keys(error)).not.toContain("stack");
      });
    });
  }

  test("an AggregateError keeps its errors", async () => {
    const error = (await failure(pool.run(background, "throwAggregate"))) as AggregateError;
    expect(error).toBeInstanceOf(AggregateError);
    expect(error.message).toBe("many");
    expect(error.errors).toHaveLength(2);
    expect(error.errors[0]).toBeInstanceOf(TypeError);
    expect(error.errors[1]).toBe("two");
  });

  test("a DOMException keeps name and code", async () => {
    const error = await failure(pool.run(background, "throwDom"));
    expect(error).toBeInstanceOf(DOMException);
    expect(error).toMatchObject({ name: "DataCloneError", code: 25 });
  });

  test("an error of Node's keeps class and code", async () => {
    const error = await failure(pool.run(background, "throwNodeError"));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.code).toBe("ERR_INVALID_ARG_TYPE");
  });

  test("a cycle of causes ends somewhere", async () => {
    const error = await failure(pool.run(background, "throwCycle"));
    expect(error.message).toBe("goes round");
    expect((error.cause as Error).message).toBe("goes round");
  });

  test("a cause that cannot be cloned has a stand-in that says so", async () => {
    const error = await failure(pool.run(background, "throwUncloneableCause"));
    expect(error.message).toBe("outer");
    expect((error.cause as Error).message).toMatch(/a function could not be cloned/);
  });

  for (const name of ["throwFunction", "throwHostile"]) {
    test(`${name}: something that cannot be cloned at all has a stand-in as well`, async () => {
      await besideNeighbour(pool, async () => {
        const task = pool.submit(background, name, []);
        expect((await failure(task.result)).message).toMatch(/could not be cloned/);
        expect(task.outcome).toBe("failed");
      });
    });
  }

  test("an error whose getters throw does no harm", async () => {
    await besideNeighbour(pool, async () => {
      const task = pool.submit(background, "throwHostileGetters", []);
      expect(await failure(task.result)).toBeInstanceOf(Error);
      expect(task.outcome).toBe("failed");
    });
  });

  test("a stack overflow is an error like any other", async () => {
    const task = pool.submit(background, "overflowStack", []);
    expect(await failure(task.result)).toBeInstanceOf(RangeError);
    expect(task.outcome).toBe("failed");
    await expectWhole(pool);
  });
});

describe("results that cannot be cloned: ERR_NOT_CLONEABLE, and the thread lives", () => {
  for (const name of [
    "returnFunction",
    "returnSymbol",
    "returnNestedFunction",
    "returnContext",
    "returnNestedContext",
    "resolveFunction",
    "returnHostileGetter",
  ]) {
    test(name, async () => {
      await besideNeighbour(pool, async () => {
        const task = pool.submit(background, name, []);
        const error = await failure(task.result);
        expect(error).toBeInstanceOf(PoolError);
        expect(error.code).toBe("ERR_NOT_CLONEABLE");
        expect(error.message).toContain(`the result of task "${name}"`);
        expect(error.cause).toBeInstanceOf(Error);
        expect(task.outcome).toBe("failed");
      });
    });
  }
});

describe("thenables that lie are believed as far as promises believe them", () => {
  const results: [name: string, value: unknown][] = [
    ["resolveThenReject", "first"],
    ["throwAfterResolve", "first"],
    ["resolveTwice", "first"],
    ["resolveTwiceLater", "first"],
    ["nestedThenable", "inner"],
    // biome-ignore lint/suspicious/noThenProperty: what the task returns
    ["thenIsNoFunction", { then: "no function" }],
  ];
  for (const [name, value] of results) {
    test(`${name}: completed`, async () => {
      await besideNeighbour(pool, async () => {
        const task = pool.submit(background, name, []);
        expect(await task.result).toEqual(value);
        expect(task.outcome).toBe("completed");
      });
    });
  }

  for (const [name, message] of [
    ["thenGetterThrows", "from then"],
    ["rejectThenResolve", "first"],
    ["throwInThen", "in then"],
  ] as const) {
    test(`${name}: failed`, async () => {
      await besideNeighbour(pool, async () => {
        const task = pool.submit(background, name, []);
        const error = await failure(task.result);
        expect(error).toBeInstanceOf(RangeError);
        expect(error.message).toBe(message);
        expect(task.outcome).toBe("failed");
      });
    });
  }

  test("a getter that changes its mind settles one way or the other", async () => {
    const task = pool.submit(background, "thenGetterThrowsLater", []);
    const outcome = await settled(task);
    if (outcome === "completed") expect(await task.result).toBe("asked once");
    else expect((await failure(task.result)).message).toBe("from then, asked again");
    expect(["completed", "failed"]).toContain(outcome);
    await expectWhole(pool);
  });

  test("a promise that never settles is stopped hard once its context has ended", async () => {
    await besideNeighbour(pool, async () => {
      const [ctx, cancel] = withCancel(background);
      const gate = threadGate();
      const task = pool.submit(ctx, "neverThenable", [gate.view]);
      await gate.entered();
      cancel();
      expect(await rejection(task.result)).toBe(ctx.err());
      expect(task.outcome).toBe("terminated");
    });
  });
});

test("a thread that is broken after a task's end is replaced: the task has ended, and does not run again", async () => {
  await besideNeighbour(pool, async () => {
    const gate = threadGate();
    const task = pool.submit(background, "breakThread", [gate.view]);
    expect(await task.result).toBe(7);
    expect(task.outcome).toBe("completed");
    expect(gate.read(0)).toBe(1);
  });
});

describe("the thread dies under the task: crashed, with the reason", () => {
  const deaths: [name: string, args: unknown[], reason: RegExp][] = [
    ["exit", [0], /exited with code 0/],
    ["exit", [3], /exited with code 3/],
    ["exitLater", [4], /exited with code 4/],
    ["uncaughtFromTimer", [], /from a timer/],
    ["unhandledRejection", [], /nobody listens/],
    ["uncaughtNull", [], /null|exited/],
    ["uncaughtHostile", [], /died/],
  ];
  for (const [name, args, reason] of deaths) {
    test(`${name}(${args.join()})`, async () => {
      await besideNeighbour(pool, async () => {
        const task = pool.submit(background, name, args);
        const error = await failure(task.result);
        expect(error).toBeInstanceOf(PoolError);
        expect(error.code).toBe("ERR_WORKER_CRASHED");
        expect(error.message).toMatch(reason);
        expect(error).toHaveProperty("cause");
        expect(task).toMatchObject({ state: "settled", outcome: "crashed" });
      });
    });
  }

  test("the error that was not caught is the cause, with its class", async () => {
    const error = await failure(pool.run(background, "uncaughtFromTimer"));
    expect(error.cause).toBeInstanceOf(RangeError);
    await expectWhole(pool);
  });

  test("out of memory under resourceLimits", outOfMemory, async () => {
    const limited = pooled(
      { threads: 2, resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 } },
      "faults.mjs",
    );
    try {
      await besideNeighbour(limited, async () => {
        const task = limited.submit(background, "outOfMemory", []);
        const error = await failure(task.result);
        expect(error.code).toBe("ERR_WORKER_CRASHED");
        expect(error.cause).toMatchObject({ code: "ERR_WORKER_OUT_OF_MEMORY" });
        expect(task.outcome).toBe("crashed");
      });
    } finally {
      await limited.destroy();
    }
  });
});

describe("stray work that ends an idle thread", () => {
  for (const how of ["exit", "throw"]) {
    test(`${how}: no task is touched, and the thread is replaced`, async () => {
      await besideNeighbour(pool, async () => {
        const gate = threadGate();
        await pool.run(background, "dieLater", gate.view, how);
        await gate.entered();
        gate.open();
        // Handed over to the dying thread, or waiting for the new one: it runs either way.
        await expect(pool.run(background, "throwValue", how)).rejects.toBe(how);
      });
    });

    test(`${how}: the only thread of a pool`, async () => {
      await using single = pooled({ threads: 1, spares: 0 }, "faults.mjs");
      const gate = threadGate();
      await single.run(background, "dieLater", gate.view, how);
      await gate.entered();
      gate.open();
      await until(() => single.stats().threads === 0);
      // The module is as good as it was: the next task waits for the new thread.
      expect(await single.run(background, "resolveTwice")).toBe("first");
      await expectWhole(single, 1);
    });

    test(`${how}: a task handed over but not begun goes back to the queue and runs elsewhere`, async () => {
      await using single = pooled({ threads: 1, spares: 0 }, "faults.mjs");
      const gate = threadGate();
      await single.run(background, "dieLater", gate.view, how);
      await gate.entered();
      const task = single.submit(background, "resolveTwice", []);
      expect(task.state).toBe("running");
      expect(single.stats().started).toBe(2);
      gate.open();
      expect(await task.result).toBe("first");
      expect(task.outcome).toBe("completed");
      expect(single.stats()).toMatchObject({
        submitted: 2,
        started: 2,
        outcomes: { completed: 2, crashed: 0 },
      });
      await expectWhole(single, 1);
    });

    test(`${how}: a task that goes back to the queue is next again`, async () => {
      await using single = pooled({ threads: 1, spares: 0 }, "faults.mjs");
      const gate = threadGate();
      await single.run(background, "dieLater", gate.view, how);
      await gate.entered();
      const log = threadGate();
      const both = [1, 2].map((id) => single.run(background, "log", log.view, id));
      gate.open();
      await Promise.all(both);
      expect([log.read(1), log.read(2)]).toEqual([1, 2]);
    });

    test(`${how}: a task handed over with transferred arguments counts as crashed: they are gone`, async () => {
      await using single = pooled({ threads: 1, spares: 0 }, "faults.mjs");
      const gate = threadGate();
      await single.run(background, "dieLater", gate.view, how);
      await gate.entered();
      const bytes = new Uint8Array(8);
      const task = single.submit(background, "returnSymbol", [bytes], { transfer: [bytes.buffer] });
      expect(bytes.byteLength).toBe(0);
      gate.open();
      expect((await failure(task.result)).code).toBe("ERR_WORKER_CRASHED");
      expect(task.outcome).toBe("crashed");
      await expectWhole(single, 1);
    });

    test(`${how}: a task dropped after the hand-over stays dropped`, async () => {
      await using single = pooled({ threads: 1, spares: 0 }, "faults.mjs");
      const gate = threadGate();
      await single.run(background, "dieLater", gate.view, how);
      await gate.entered();
      const task = single.submit(background, "resolveTwice", []);
      task.cancel();
      expect(task.outcome).toBe("dropped");
      gate.open();
      await expectWhole(single, 1);
      expect(single.stats().outcomes).toMatchObject({ dropped: 1, crashed: 0 });
    });
  }

  test("a task submitted between a thread's error and its exit runs on the next thread, and no worker is left behind", async () => {
    const workers: Worker[] = [];
    const collect = (worker: Worker): void => {
      workers.push(worker);
    };
    process.on("worker", collect);
    try {
      await using single = pooled({ threads: 1, spares: 0 }, "faults.mjs");
      const gate = threadGate();
      await single.run(background, "dieLater", gate.view, "throw");
      await gate.entered();
      const [first] = workers;
      const between = new Promise<unknown>((resolve) => {
        first?.once("error", () => {
          resolve(single.run(background, "resolveTwice"));
        });
      });
      gate.open();
      expect(await between).toBe("first");
      await expectWhole(single, 1);
      expect(workers).toHaveLength(2);
    } finally {
      process.off("worker", collect);
    }
    // The pool is destroyed: each of its workers has exited.
    expect(workers.map((worker) => worker.threadId)).toEqual([-1, -1]);
  });

  test("a task that finds no thread that lives long enough to begin it counts as crashed in the end", async () => {
    const gate = threadGate();
    await using single = pooled({ threads: 1, spares: 0, workerData: gate.view }, "short-lived.mjs");
    const task = single.submit(background, "nothing", []);
    const error = failure(task.result);
    const handOvers = 4; // the first and three more
    for (let n = 1; n <= handOvers; n++) {
      await until(() => gate.read(2) >= n && task.state === "running");
      Atomics.store(gate.view, 3, n);
      Atomics.notify(gate.view, 3);
      await until(() => task.state !== "running");
    }
    expect((await error).code).toBe("ERR_WORKER_CRASHED");
    expect(task.outcome).toBe("crashed");
    expect(single.stats()).toMatchObject({ submitted: 1, started: 0, running: 0, queued: 0 });
    // Nothing holds the replacement back, which the test does not need.
    Atomics.store(gate.view, 3, 2 ** 30);
  });
});
