/** What each option of a pool and of a task does. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { SHARE_ENV, type Worker } from "node:worker_threads";
import { background, type Context, Pool, withCancel, withTimeout } from "lifeguard";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Delegating } from "../support/contexts.js";
import {
  expectWhole,
  failure,
  fixture,
  pooled,
  rejection,
  settled,
  type ThreadGate,
  threadGate,
  until,
} from "../support/pool.js";
import { turn } from "../support/turn.js";

afterEach(() => {
  vi.useRealTimers();
});

/** Collects the worker threads that are started meanwhile. */
async function workersDuring(work: (workers: Worker[]) => Promise<void>): Promise<Worker[]> {
  const workers: Worker[] = [];
  const collect = (worker: Worker): void => {
    workers.push(worker);
  };
  process.on("worker", collect);
  try {
    await work(workers);
    await turn();
  } finally {
    process.off("worker", collect);
  }
  return workers;
}

const alive = (workers: Worker[]): number => workers.filter((worker) => worker.threadId !== -1).length;

describe("threads", () => {
  test("so many tasks run at once, each on a thread of its own, and no more", async () => {
    await using pool = pooled({ threads: 3 });
    const gate = threadGate();
    const ids = Array.from({ length: 5 }, () => pool.run(background, "hold", gate.view, 1));
    await gate.entered(3);
    expect(pool.stats()).toMatchObject({ threads: 3, idle: 0, running: 3, queued: 2 });
    for (let i = 0; i < 20; i++) await turn();
    expect(gate.read(0)).toBe(3);
    gate.open();
    await Promise.all(ids);
    await expectWhole(pool, 3);
  });

  test("default to what the machine can do in parallel", async () => {
    await using pool = new Pool(fixture("tasks.mjs"));
    await pool.ready();
    expect(pool.stats().threads).toBe(availableParallelism());
  });
});

describe("spares", () => {
  /** A pool of one thread whose spares have come up, because a task was asked to stop. */
  async function withWarmSpares(
    spares: number,
    work: (pool: Pool, loaded: ThreadGate) => Promise<void>,
  ): Promise<void> {
    const loaded = threadGate();
    const gate = threadGate();
    let made: Pool | undefined;
    const started = await workersDuring(async () => {
      made = pooled({ threads: 1, spares, workerData: loaded.view }, "counted.mjs");
      await turn();
    });
    await using pool = made!;
    const task = pool.submit(background, "awaitThen", [gate.view, "return", 1], { grace: Infinity });
    await gate.entered();
    // Before a result, and before anything was asked to stop, there are none.
    expect(started).toHaveLength(1);
    task.cancel();
    await task.result;
    await loaded.entered(1 + spares);
    await work(pool, loaded);
    await expectWhole(pool, 1);
  }

  test("come up when a task is asked to stop; they do not count, and run nothing while all threads are there", async () => {
    await withWarmSpares(2, async (pool) => {
      const hold = threadGate();
      const tasks = [1, 2, 3].map((i) => pool.run(background, "hold", hold.view, i));
      await hold.entered();
      for (let i = 0; i < 50; i++) await turn();
      expect(hold.read(0)).toBe(1);
      expect(pool.stats()).toMatchObject({ threads: 1, idle: 0, running: 1, queued: 2 });
      hold.open();
      expect(await Promise.all(tasks)).toEqual([1, 2, 3]);
    });
  });

  test("come up after the first result as well", async () => {
    const loaded = threadGate();
    await using pool = pooled({ threads: 1, spares: 1, workerData: loaded.view }, "counted.mjs");
    await pool.run(background, "nothing");
    await loaded.entered(2);
    await expectWhole(pool, 1);
  });

  test("with one warm, the task after a hard stop runs on it: no thread has to start first", async () => {
    await withWarmSpares(1, async (pool, loaded) => {
      const gate = threadGate();
      const stubborn = pool.submit(background, "spin", [gate.view], { grace: 0 });
      await gate.entered();
      stubborn.cancel();
      await pool.run(background, "nothing");
      expect(loaded.read(0)).toBe(2);
      expect(await settled(stubborn)).toBe("terminated");
      // And the spare is replaced in its turn.
      await loaded.entered(3);
    });
  });

  test("0: none are started; the pool is whole again all the same", async () => {
    const workers = await workersDuring(async () => {
      await using pool = pooled({ threads: 2, spares: 0, grace: 0 });
      await pool.ready();
      const gate = threadGate();
      const task = pool.submit(background, "spin", [gate.view]);
      await gate.entered();
      task.cancel();
      expect(await settled(task)).toBe("terminated");
      await expectWhole(pool);
    });
    expect(workers).toHaveLength(3);
    expect(alive(workers)).toBe(0);
  });

  test("more hard stops at a time than spares: all threads come back", async () => {
    await using pool = pooled({ threads: 2, spares: 1, grace: 0 });
    const gate = threadGate();
    const [ctx, cancel] = withCancel(background);
    const tasks = [pool.submit(ctx, "spin", [gate.view]), pool.submit(ctx, "spin", [gate.view])];
    await gate.entered(2);
    cancel();
    for (const task of tasks) expect(await settled(task)).toBe("terminated");
    await expectWhole(pool);
  });
});

describe("grace", () => {
  /** Fakes the timers of this thread only; the worker has its own. */
  const fake = (): void => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  };

  async function stubborn(pool: Pool, gate: ThreadGate, options = {}): Promise<ReturnType<Pool["submit"]>> {
    const task = pool.submit(background, "spin", [gate.view], options);
    await gate.entered();
    return task;
  }

  test("is 250 ms where nothing is said: not stopped hard before, stopped hard then", async () => {
    await using pool = pooled({ threads: 1 });
    await pool.ready();
    fake();
    const task = await stubborn(pool, threadGate());
    task.cancel();
    vi.advanceTimersByTime(249);
    expect(pool.stats()).toMatchObject({ running: 1, stuck: 0 });
    vi.advanceTimersByTime(1);
    expect(pool.stats()).toMatchObject({ running: 0, stuck: 1 });
    expect(task.state).toBe("stopping"); // until its thread has really gone
    expect(await settled(task)).toBe("terminated");
  });

  test("of the pool, and of the task, which goes before it", async () => {
    await using pool = pooled({ threads: 3, grace: 1000 });
    await pool.ready();
    fake();
    const tasks = [
      await stubborn(pool, threadGate()),
      await stubborn(pool, threadGate(), { grace: 10 }),
      await stubborn(pool, threadGate(), { grace: 5000 }),
    ];
    for (const task of tasks) task.cancel();
    vi.advanceTimersByTime(9);
    expect(pool.stats()).toMatchObject({ running: 3 });
    vi.advanceTimersByTime(1);
    expect(pool.stats()).toMatchObject({ running: 2 });
    vi.advanceTimersByTime(989);
    expect(pool.stats()).toMatchObject({ running: 2 });
    vi.advanceTimersByTime(1);
    expect(pool.stats()).toMatchObject({ running: 1 });
    vi.advanceTimersByTime(4000);
    expect(pool.stats()).toMatchObject({ running: 0 });
    for (const task of tasks) expect(await settled(task)).toBe("terminated");
  });

  test("0: stopped hard inside the very cancel()", async () => {
    await using pool = pooled({ threads: 1, grace: 0 });
    const task = await stubborn(pool, threadGate());
    task.cancel();
    expect(pool.stats()).toMatchObject({ running: 0, stuck: 1 });
    expect(await settled(task)).toBe("terminated");
  });

  test("Infinity: never stopped hard", async () => {
    await using pool = pooled({ threads: 1, grace: Infinity });
    await pool.ready();
    fake();
    const gate = threadGate();
    const task = pool.submit(background, "hold", [gate.view, "in its own time"]);
    await gate.entered();
    task.cancel();
    vi.advanceTimersByTime(2 ** 40);
    expect(pool.stats()).toMatchObject({ running: 1, stuck: 0 });
    gate.open();
    expect(await task.result).toBe("in its own time");
    expect(task.outcome).toBe("completed");
  });

  test("is over when the task has stopped: its thread is kept for the next one", async () => {
    await using pool = pooled({ threads: 1 });
    const id = await pool.run(background, "thread");
    fake();
    const gate = threadGate();
    const task = pool.submit(background, "pollThen", [gate.view, "return", 1]);
    await gate.entered();
    task.cancel();
    await task.result;
    const next = threadGate();
    const after = pool.submit(background, "hold", [next.view, "untouched"]);
    await next.entered();
    vi.advanceTimersByTime(10_000);
    next.open();
    expect(await after.result).toBe("untouched");
    vi.useRealTimers();
    expect(await pool.run(background, "thread")).toBe(id);
  });

  test("begins when the deadline passes", async () => {
    await using pool = pooled({ threads: 1, grace: 100 });
    await pool.ready();
    fake();
    const [ctx] = withTimeout(background, 50_000);
    const gate = threadGate();
    const task = pool.submit(ctx, "spin", [gate.view]);
    await gate.entered();
    vi.advanceTimersByTime(50_099);
    expect(pool.stats()).toMatchObject({ running: 1 });
    expect(task.state).toBe("stopping");
    vi.advanceTimersByTime(1);
    expect(pool.stats()).toMatchObject({ running: 0, stuck: 1 });
    expect(await rejection(task.result)).toBe(ctx.err());
    expect(task.outcome).toBe("terminated");
  });
});

describe("grace after a blocked event loop", () => {
  test("counts from when the deadline passed, not from when somebody noticed", async () => {
    await using pool = pooled({ threads: 2, grace: 1000 });
    const [ctx] = withTimeout(background, 1e7);
    const gate = threadGate();
    const late = pool.submit(ctx, "spin", [gate.view]);
    const patient = pool.submit(ctx, "spin", [gate.view], { grace: 1e6 });
    await gate.entered(2);
    const { now } = performance;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => now.call(performance) + 1e7 + 2000);
    try {
      expect(ctx.err()).toMatchObject({ code: "ERR_DEADLINE_EXCEEDED" });
      expect(pool.stats()).toMatchObject({ running: 1, stuck: 1 });
    } finally {
      clock.mockRestore();
    }
    expect(await settled(late)).toBe("terminated");
    expect(patient.state).toBe("stopping");
  });
});

test("a thread inside native code cannot be ended: its task is stuck, and settles when that returns", async () => {
  const fifo = join(mkdtempSync(join(tmpdir(), "lifeguard-test-")), "fifo");
  execFileSync("/usr/bin/env", ["mkfifo", fifo]);
  await using pool = pooled({ threads: 2, grace: 0 }, "native.mjs");
  const gate = threadGate();
  const task = pool.submit(background, "readNatively", [gate.view, fifo]);
  await gate.entered();
  task.cancel();
  expect(pool.stats()).toMatchObject({ running: 0, stuck: 1 });
  // Its place is taken by another thread: the pool runs tasks on both.
  const { view } = threadGate();
  await Promise.all([pool.run(background, "meet", view, 2), pool.run(background, "meet", view, 2)]);
  expect(pool.stats()).toMatchObject({ threads: 2, idle: 2, running: 0, stuck: 1 });
  expect(task).toMatchObject({ state: "stopping", outcome: undefined });
  writeFileSync(fifo, "enough");
  expect(await rejection(task.result)).toBe(task.ctx.err());
  expect(task.outcome).toBe("terminated");
  await expectWhole(pool);
});

describe("maxQueue", () => {
  test("tasks beyond it are refused with ERR_QUEUE_FULL, and not counted", async () => {
    await using pool = pooled({ threads: 1, maxQueue: 2 });
    await pool.ready();
    const gate = threadGate();
    const running = pool.run(background, "hold", gate.view);
    await gate.entered();
    const waiting = [pool.run(background, "add", 1, 1), pool.run(background, "add", 2, 2)];
    const refused = pool.submit(background, "add", [3, 3]);
    expect(await failure(refused.result)).toMatchObject({ name: "PoolError", code: "ERR_QUEUE_FULL" });
    expect(refused).toMatchObject({ state: "settled", outcome: "failed" });
    expect(pool.stats()).toMatchObject({ submitted: 3, queued: 2 });
    gate.open();
    await running;
    expect(await Promise.all(waiting)).toEqual([2, 4]);
    expect(await pool.run(background, "add", 3, 3)).toBe(6);
  });

  test("0: a task is taken only when a thread is there for it", async () => {
    await using pool = pooled({ threads: 1, maxQueue: 0 });
    const gate = threadGate();
    const running = pool.run(background, "hold", gate.view); // taken while the thread is coming up
    expect((await failure(pool.run(background, "nothing"))).code).toBe("ERR_QUEUE_FULL");
    await gate.entered();
    expect((await failure(pool.run(background, "nothing"))).code).toBe("ERR_QUEUE_FULL");
    gate.open();
    await running;
    expect(await pool.run(background, "add", 1, 1)).toBe(2);
  });

  test("a cancelled task makes room", async () => {
    await using pool = pooled({ threads: 1, maxQueue: 1 });
    const gate = threadGate();
    const running = pool.run(background, "hold", gate.view);
    await gate.entered();
    const waiting = pool.submit(background, "nothing", []);
    expect((await failure(pool.run(background, "nothing"))).code).toBe("ERR_QUEUE_FULL");
    waiting.cancel();
    const next = pool.run(background, "add", 1, 1);
    gate.open();
    await running;
    expect(await next).toBe(2);
  });
});

describe("order and priority", () => {
  async function orderOf(
    options: ConstructorParameters<typeof Pool>[1],
    submit: (pool: Pool, log: ThreadGate) => Promise<unknown>[],
  ): Promise<number[]> {
    await using pool = pooled({ threads: 1, ...options });
    const gate = threadGate();
    const log = threadGate(128);
    const first = pool.run(background, "hold", gate.view);
    await gate.entered();
    const all = submit(pool, log);
    gate.open();
    await Promise.all([first, ...all]);
    return Array.from({ length: log.read(0) }, (_, i) => log.read(i + 1));
  }

  test('"fifo": as they came, whatever their deadlines', async () => {
    const order = await orderOf({}, (pool, log) =>
      [3000, 1000, 2000].map((s, i) => pool.run(withTimeout(background, s * 1000)[0], "log", log.view, i)),
    );
    expect(order).toEqual([0, 1, 2]);
  });

  test('"deadline": the earliest first, those without one last and as they came', async () => {
    const order = await orderOf({ order: "deadline" }, (pool, log) => [
      pool.run(background, "log", log.view, 1),
      ...[3000, 1000, 2000].map((s) => pool.run(withTimeout(background, s * 1000)[0], "log", log.view, s)),
      pool.run(background, "log", log.view, 2),
    ]);
    expect(order).toEqual([1000, 2000, 3000, 1, 2]);
  });

  test.each([
    ["of ours", (): Context => withTimeout(background, 1e6)[0]],
    ["of somebody else's", (): Context => new Delegating(withTimeout(background, 1e6)[0])],
  ])('"deadline": those of one context %s as they came', async (_, make) => {
    const ids = Array.from({ length: 100 }, (_, i) => i);
    const order = await orderOf({ order: "deadline" }, (pool, log) => {
      const ctx = make();
      return ids.map((id) => pool.run(ctx, "log", log.view, id));
    });
    expect(order).toEqual(ids);
  });

  for (const order of ["fifo", "deadline"] as const) {
    test(`priority goes before "${order}", and any number is one`, async () => {
      const seen = await orderOf({ order }, (pool, log) =>
        [0, -1, 5, 0.5, Infinity, -Infinity, 5].map(
          (priority, i) =>
            pool.submit(
              withTimeout(background, 1e6 - i * 1000)[0],
              "log",
              [log.view, priority === 5 ? 50 + i : i],
              { priority },
            ).result,
        ),
      );
      const fives = order === "fifo" ? [52, 56] : [56, 52];
      expect(seen).toEqual([4, ...fives, 3, 0, 1, 5]);
    });
  }
});

describe("what the threads get", () => {
  test("workerData is what the module finds, cloned, otherwise unchanged", async () => {
    const data = { list: [1, { two: 2 }], map: new Map([[1, 2]]) };
    await using pool = pooled({ threads: 1, workerData: data });
    expect(await pool.run(background, "data")).toEqual(data);
  });

  for (const value of [null, 0, "", [1, 2], false]) {
    test(`workerData may be ${JSON.stringify(value)}`, async () => {
      await using pool = pooled({ threads: 1, workerData: value });
      expect(await pool.run(background, "data")).toEqual(value);
    });
  }

  test("without workerData there is none", async () => {
    await using pool = pooled({ threads: 1 });
    expect((await pool.run(background, "data")) ?? undefined).toBeUndefined();
  });

  test("replaced threads get the same workerData", async () => {
    await using pool = pooled({ threads: 1, spares: 0, grace: 0, workerData: "same" });
    const gate = threadGate();
    const task = pool.submit(background, "spin", [gate.view]);
    await gate.entered();
    task.cancel();
    expect(await pool.run(background, "data")).toBe("same");
    await settled(task);
  });

  test("env: its own, a copy of the process's by default, or shared", async () => {
    await using own = pooled({ threads: 1, env: { LIFEGUARD_TEST: "own" } });
    expect(await own.run(background, "environment", "LIFEGUARD_TEST")).toBe("own");
    expect(await own.run(background, "environment", "PATH")).toBeUndefined();
    process.env.LIFEGUARD_TEST = "process";
    try {
      await using copy = pooled({ threads: 1 });
      expect(await copy.run(background, "environment", "LIFEGUARD_TEST")).toBe("process");
      await using shared = pooled({ threads: 1, env: SHARE_ENV });
      await shared.ready();
      process.env.LIFEGUARD_TEST = "changed";
      expect(await shared.run(background, "environment", "LIFEGUARD_TEST")).toBe("changed");
      expect(await copy.run(background, "environment", "LIFEGUARD_TEST")).toBe("process");
    } finally {
      delete process.env.LIFEGUARD_TEST;
    }
  });

  test("execArgv", async () => {
    await using pool = pooled({ threads: 1, execArgv: ["--no-warnings"] });
    expect(await pool.run(background, "nodeOptions")).toEqual(["--no-warnings"]);
  });

  test("resourceLimits", async () => {
    await using pool = pooled({ threads: 1, resourceLimits: { maxOldGenerationSizeMb: 24 } }, "native.mjs");
    expect(await pool.run(background, "limits")).toMatchObject({ maxOldGenerationSizeMb: 24 });
  });
});

test("name appears in messages", async () => {
  const pool = pooled({ threads: 1, name: "resizers" });
  await pool.destroy();
  expect((await failure(pool.run(background, "nothing"))).message).toContain("resizers");
});

test("a module as URL, as string, and as path", async () => {
  const url = fixture("tasks.mjs");
  for (const module of [url, url.href, url.pathname]) {
    await using pool = new Pool(module, { threads: 1 });
    expect(await pool.run(background, "add", 1, 2)).toBe(3);
  }
});

describe("run, submit and tasks", () => {
  test("do the same in three ways", async () => {
    await using pool = pooled({ threads: 1 });
    expect(await pool.run(background, "echo", 1, "two", [3])).toEqual([1, "two", [3]]);
    expect(await pool.submit(background, "echo", [1, "two", [3]]).result).toEqual([1, "two", [3]]);
    expect(await pool.tasks.echo!(background, 1, "two", [3])).toEqual([1, "two", [3]]);
  });

  test("arguments are cloned at the hand-over: what is changed while the task waits counts", async () => {
    await using pool = pooled({ threads: 1 });
    const gate = threadGate();
    const first = pool.run(background, "hold", gate.view);
    await gate.entered();
    const list = [1];
    const second = pool.run(background, "echo", list);
    list.push(2);
    gate.open();
    await first;
    list.push(3);
    expect(await second).toEqual([[1, 2]]);
  });

  test("results of every simple kind come back as they are", async () => {
    await using pool = pooled({ threads: 1 });
    const values = [
      undefined,
      null,
      0,
      -0,
      Number.NaN,
      Infinity,
      10n,
      "",
      "text",
      true,
      new Date(5),
      /x/g,
      new Map([[1, new Set([2])]]),
      new Error("as a value"),
    ];
    for (const value of values) expect(await pool.run(background, "echo", value)).toEqual([value]);
    expect(await pool.run(background, "nothing")).toBeUndefined();
    expect(await pool.run(background, "hold", new Int32Array(new SharedArrayBuffer(8)).fill(1), -0)).toBe(-0);
  });

  test("ids count up from 1 in each pool, and result is one promise", async () => {
    await using pool = pooled({ threads: 1 });
    const tasks = [pool.submit(background, "nothing", []), pool.submit(background, "nothing", [])];
    expect(tasks.map((task) => task.id)).toEqual([1, 2]);
    expect(tasks[0]!.result).toBe(tasks[0]!.result);
    await Promise.all(tasks.map((task) => task.result));
  });

  test("a result asked for after the task has settled is there", async () => {
    await using pool = pooled({ threads: 1 });
    const task = pool.submit(background, "add", [1, 2]);
    await until(() => task.outcome !== undefined);
    expect(await task.result).toBe(3);
  });
});

describe("ready", () => {
  test("resolves when all threads are up, at every call", async () => {
    await using pool = pooled({ threads: 3 });
    await Promise.all([pool.ready(), pool.ready()]);
    expect(pool.stats()).toMatchObject({ threads: 3, idle: 3 });
    await pool.ready();
  });

  test("gives up when its context ends; the threads come up all the same", async () => {
    await using pool = pooled({ threads: 1 });
    const [ctx, cancel] = withCancel(background);
    const ready = pool.ready(ctx);
    cancel("not now");
    expect(await rejection(ready)).toBe(ctx.err());
    await pool.ready();
  });
});
