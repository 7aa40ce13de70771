/** `onOverrun: "interrupt"`: a task that overruns its grace is cut off, and its thread goes on. */
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  background,
  cause,
  type Pool,
  type PoolOptions,
  type Task,
  withCancel,
  withTimeout,
} from "lifeguard";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from "vitest";
import { runScript } from "../support/child.js";
import { inTime } from "../support/in-time.js";
import { outOfMemory } from "../support/nodes.js";
import {
  besideNeighbour,
  expectWhole,
  failure,
  fixture,
  pooled,
  rejection,
  settled,
  type ThreadGate,
  threadGate,
} from "../support/pool.js";
import { longSecondGrace } from "../support/second-grace.mjs";
import { turn } from "../support/turn.js";

function interrupting(options: PoolOptions = {}): Pool {
  return pooled({ threads: 1, spares: 0, grace: 0, onOverrun: "interrupt", ...options }, "runaway.mjs");
}

/** Begins the task, cancels it once it has come to the gate, or so many ms `after` that, and waits for its end. */
async function cutOff(
  pool: Pool,
  name: string,
  args: readonly unknown[] = [],
  after = 0,
): Promise<{ task: Task<unknown>; gate: ThreadGate }> {
  const gate = threadGate();
  const [ctx, cancel] = withCancel(background);
  const task = pool.submit(ctx, name, [gate.view, ...args]);
  await gate.entered();
  const until = performance.now() + after;
  while (performance.now() < until);
  cancel();
  await settled(task);
  return { task, gate };
}

/** In this group it is not asked how long a cut may take. */
function cutsTakeTheirTime(): void {
  let takeBack: () => void;
  beforeEach(() => {
    takeBack = longSecondGrace();
  });
  afterEach(() => {
    takeBack();
  });
}

describe("a loop that never polls", () => {
  cutsTakeTheirTime();

  test("is interrupted: result rejects with err, and its thread goes on with all it has", async () => {
    await using pool = interrupting();
    const before = await pool.run(background, "here");
    const gate = threadGate();
    const [ctx, cancel] = withCancel(background);
    const task = pool.submit(ctx, "spin", [gate.view]);
    const next = pool.run(background, "here");
    await gate.entered();
    cancel("enough");
    expect(task.state).toBe("stopping");
    expect(await rejection(task.result)).toBe(task.ctx.err());
    expect(cause(task.ctx)).toBe("enough");
    expect(task).toMatchObject({ state: "settled", outcome: "interrupted" });
    expect(await next).toEqual({ threadId: (before as { threadId: number }).threadId, calls: 2 });
    expect(pool.stats().outcomes).toMatchObject({ completed: 2, interrupted: 1, terminated: 0 });
    await expectWhole(pool, 1);
  });

  test("by its deadline, after its grace", async () => {
    await using pool = interrupting({ grace: 5 });
    const { started: task } = await inTime((ctx, { view }) => pool.submit(ctx, "spin", [view]), settled);
    expect(await rejection(task.result)).toMatchObject({ code: "ERR_DEADLINE_EXCEEDED" });
    expect(task.outcome).toBe("interrupted");
    await expectWhole(pool, 1);
  });

  test("does not run its finally blocks, and the event loop of its thread turns again", async () => {
    await using pool = interrupting();
    const { task, gate } = await cutOff(pool, "spinInTry");
    expect(task.outcome).toBe("interrupted");
    await gate.written(3);
    expect(gate.read(2)).toBe(0);
  });

  for (const name of ["spinAsync", "spinInResult"]) {
    test(`${name}: is interrupted as well`, async () => {
      await using pool = interrupting();
      const { task } = await cutOff(pool, name);
      expect(task.outcome).toBe("interrupted");
      await expectWhole(pool, 1);
    });
  }

  test("hundreds in a row, on two threads: the same two threads all along", async () => {
    await using pool = interrupting({ threads: 2 });
    await pool.ready();
    const ids = new Set<number>();
    for (let i = 0; i < 150; i++) {
      const both = await Promise.all([cutOff(pool, "spin"), cutOff(pool, "spin")]);
      expect(both.map(({ task }) => task.outcome)).toEqual(["interrupted", "interrupted"]);
      for (const id of await meet(pool, 2)) ids.add(id);
    }
    expect(ids.size).toBe(2);
    await expectWhole(pool, 2);
  });

  test("a neighbour on the other thread is untouched", async () => {
    await using pool = interrupting({ threads: 2 });
    await besideNeighbour(pool, async () => {
      for (let i = 0; i < 20; i++) expect((await cutOff(pool, "spin")).task.outcome).toBe("interrupted");
    });
  });

  test("among worker threads of others, which the cuts do not hit", async () => {
    const { stdout, stderr, code } = await runScript(`
      import { Worker } from "node:worker_threads";
      import { background, Pool, withCancel } from "lifeguard";
      import { longSecondGrace } from ${JSON.stringify(new URL("../support/second-grace.mjs", import.meta.url).href)};
      longSecondGrace();
      const count = new Int32Array(new SharedArrayBuffer(8));
      const own = async () => {
        const code = "import { workerData } from 'node:worker_threads'; for (;;) workerData[0]++;";
        const worker = new Worker(code, { eval: true, workerData: count });
        await new Promise((resolve) => worker.once("online", resolve));
        return worker;
      };
      // Some gone, some there, before and after: the inspector numbers them as it likes.
      for (let i = 0; i < 3; i++) await (await own()).terminate();
      const others = [await own()];
      const pool = new Pool(${JSON.stringify(fixture("runaway.mjs").href)}, { threads: 2, grace: 0, onOverrun: "interrupt" });
      await pool.ready();
      others.push(await own());
      const outcomes = [];
      for (let i = 0; i < 10; i++) {
        const gate = new Int32Array(new SharedArrayBuffer(128));
        const [ctx, cancel] = withCancel(background);
        const task = pool.submit(ctx, "spin", [gate]);
        while (Atomics.load(gate, 0) === 0) await new Promise((r) => setImmediate(r));
        cancel();
        await task.result.catch(() => {});
        outcomes.push(task.outcome);
      }
      const before = count[0];
      while (count[0] === before) await new Promise((r) => setImmediate(r));
      const gone = others.filter((worker) => worker.threadId === -1).length;
      console.log(new Set(outcomes), gone);
      await pool.close();
      process.exit();
    `);
    expect({ stdout, stderr, code }).toEqual({ stdout: "Set(1) { 'interrupted' } 0\n", stderr: "", code: 0 });
  });
});

async function meet(pool: Pool, threads: number): Promise<number[]> {
  const { view } = threadGate();
  return (await Promise.all(
    Array.from({ length: threads }, () => pool.run(background, "meet", view, threads)),
  )) as number[];
}

describe("what shares an envelope with it", () => {
  cutsTakeTheirTime();

  // On a machine that is busy otherwise they may not have been seen to be short: then they go one by one.
  test("keeps its results, or runs on the same thread after it; nothing runs twice", {
    retry: 9,
  }, async () => {
    await using pool = pooled({ threads: 1, spares: 0, grace: 0, onOverrun: "interrupt" }, "steps.mjs");
    const begun = new Int32Array(new SharedArrayBuffer(4 * 64));
    const run = (ctx: typeof background, id: number, ...how: unknown[]) =>
      pool.submit(ctx, "step", [begun, id, ...how]);
    // So short that they go together.
    await Promise.all(Array.from({ length: 200 }, () => run(background, 0, "id").result));
    const gate = threadGate();
    const holder = run(background, 1, "wait", gate.view);
    await gate.entered();
    const [ctx, cancel] = withCancel(background);
    const before = [2, 3, 4].map((id) => run(background, id, "envelope"));
    const loop = run(ctx, 5, "spin");
    const after = [6, 7, 8].map((id) => run(background, id, "id"));
    const letter = run(background, 9, "return", [{ nested: [1] }]);
    gate.open();
    await holder.result;
    while (Atomics.load(begun, 5) === 0) await turn();
    cancel();
    expect(await settled(loop)).toBe("interrupted");
    expect(new Set(await Promise.all(before.map(({ result }) => result))).size).toBe(1);
    expect(await Promise.all(after.map(({ result }) => result))).toEqual([6, 7, 8]);
    expect(await letter.result).toEqual([{ nested: [1] }]);
    expect([...begun.slice(1, 10)]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1]);
    await expectWhole(pool, 1);
  });
});

describe("per task", () => {
  cutsTakeTheirTime();

  test("only tasks that are to be interrupted are called by way of the inspector", async () => {
    await using pool = interrupting({ onOverrun: "terminate" });
    expect(await pool.run(background, "stack")).not.toContain("node:inspector");
    const chosen = pool.submit(background, "stack", [], { onOverrun: "interrupt" });
    expect(await chosen.result).toContain("node:inspector");
    expect(await pool.run(background, "stack")).not.toContain("node:inspector");
  });

  test("one of those that share an envelope", { retry: 9 }, async () => {
    await using pool = pooled({ threads: 1, spares: 0, grace: 0 }, "steps.mjs");
    const begun = new Int32Array(new SharedArrayBuffer(4 * 64));
    await Promise.all(Array.from({ length: 200 }, () => pool.run(background, "step", begun, 0, "id")));
    const gate = threadGate();
    const holder = pool.submit(background, "step", [begun, 1, "wait", gate.view]);
    await gate.entered();
    const [ctx, cancel] = withCancel(background);
    const first = pool.submit(background, "step", [begun, 2, "envelope"]);
    const second = pool.submit(background, "step", [begun, 3, "envelope"]);
    const loop = pool.submit(ctx, "step", [begun, 4, "spin"], { onOverrun: "interrupt" });
    gate.open();
    await holder.result;
    while (Atomics.load(begun, 4) === 0) await turn();
    cancel();
    expect(await settled(loop)).toBe("interrupted");
    expect(await first.result).toBe(await second.result);
    expect(pool.stats().outcomes).toMatchObject({ interrupted: 1, terminated: 0 });
  });

  test("a pool that ends threads, and a task that is to be interrupted", async () => {
    await using pool = interrupting({ onOverrun: "terminate" });
    const { threadId } = (await pool.run(background, "here")) as { threadId: number };
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const task = pool.submit(ctx, "spin", [gate.view], { onOverrun: "interrupt" });
    await gate.entered();
    cancel();
    expect(await settled(task)).toBe("interrupted");
    expect(await pool.run(background, "here")).toEqual({ threadId, calls: 2 });
    expect((await cutOff(pool, "spin")).task.outcome).toBe("terminated");
  });

  test("a pool that interrupts, and a task whose thread is to be ended", async () => {
    await using pool = interrupting();
    const { threadId } = (await pool.run(background, "here")) as { threadId: number };
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const task = pool.submit(ctx, "spin", [gate.view], { onOverrun: "terminate" });
    await gate.entered();
    cancel();
    expect(await settled(task)).toBe("terminated");
    expect(await pool.run(background, "here")).not.toMatchObject({ threadId });
  });
});

describe("where a cut does not take, the thread is ended after a second grace", () => {
  describe("a task that has returned a promise, of which nothing is cut", () => {
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    });
    afterEach(() => {
      vi.useRealTimers();
    });

    for (const name of ["neverSettles", "spinAfterAwait"]) {
      test(`${name}: one grace, another one, and its thread is ended`, async () => {
        await using pool = interrupting({ grace: 200 });
        const gate = threadGate();
        const [ctx, cancel] = withCancel(background);
        const task = pool.submit(ctx, name, [gate.view]);
        await gate.entered();
        cancel();
        await vi.advanceTimersByTimeAsync(399);
        expect(task.state).toBe("stopping");
        expect(pool.stats()).toMatchObject({ running: 1, stuck: 0 });
        // No event of the thread's end can come in between.
        vi.advanceTimersByTime(1);
        expect(pool.stats()).toMatchObject({ running: 0, stuck: 1 });
        vi.useRealTimers();
        expect(await settled(task)).toBe("terminated");
        await expectWhole(pool, 1);
      });
    }

    test("the second one is 100 ms at least", async () => {
      await using pool = interrupting({ grace: 0 });
      const gate = threadGate();
      const [ctx, cancel] = withCancel(background);
      const task = pool.submit(ctx, "spinAfterAwait", [gate.view]);
      await gate.entered();
      cancel();
      await vi.advanceTimersByTimeAsync(99);
      expect(pool.stats()).toMatchObject({ running: 1, stuck: 0 });
      await vi.advanceTimersByTimeAsync(1);
      vi.useRealTimers();
      expect(await settled(task)).toBe("terminated");
    });

    test("one that settles in its second grace has ended by itself", async () => {
      await using pool = interrupting({ grace: 200 });
      const gate = threadGate();
      const late = threadGate();
      const [ctx, cancel] = withCancel(background);
      const task = pool.submit(ctx, "awaitThen", [gate.view, "hold", late.view, "in the end"]);
      await gate.entered();
      cancel();
      await late.entered();
      await vi.advanceTimersByTimeAsync(300);
      late.open();
      expect(await task.result).toBe("in the end");
      expect(task.outcome).toBe("completed");
      await vi.advanceTimersByTimeAsync(1000);
      await expectWhole(pool, 1);
    });
  });

  describe("native code", () => {
    let directory: string;
    beforeAll(() => {
      directory = mkdtempSync(join(tmpdir(), "lifeguard-"));
    });
    afterAll(() => {
      rmSync(directory, { recursive: true });
    });

    test("is terminated, and settles when it has returned", async () => {
      await using pool = interrupting({ spares: 1 });
      const fifo = join(directory, "never-written");
      execFileSync("/usr/bin/env", ["mkfifo", fifo]);
      const gate = threadGate();
      const [ctx, cancel] = withCancel(background);
      const task = pool.submit(ctx, "readNatively", [gate.view, fifo]);
      await gate.entered();
      cancel();
      // Another thread takes the place of the one that is stuck.
      expect(await pool.run(background, "add", 1, 2)).toBe(3);
      expect(pool.stats()).toMatchObject({ stuck: 1, running: 0 });
      expect(task.outcome).toBeUndefined();
      appendFileSync(fifo, "at last");
      expect(await settled(task)).toBe("terminated");
      await expectWhole(pool, 1);
    });
  });

  test("a task that catches Node's own timeouts may catch the cut as one of them: interrupted or terminated", async () => {
    await using pool = interrupting();
    for (let i = 0; i < 5; i++)
      expect(["interrupted", "terminated"]).toContain((await cutOff(pool, "spinInVm")).task.outcome);
    await expectWhole(pool, 1);
  });
});

describe("the next task in the thread does not find", () => {
  cutsTakeTheirTime();

  for (const name of ["spinWithStore", "spinWithEnteredStore"]) {
    test(`${name}: the AsyncLocalStorage of the one that was cut off`, async () => {
      await using pool = interrupting();
      const { threadId } = (await pool.run(background, "here")) as { threadId: number };
      expect((await cutOff(pool, name)).task.outcome).toBe("interrupted");
      expect(await pool.run(background, "stored")).toBe("nothing");
      expect(await pool.run(background, "here")).toMatchObject({ threadId });
    });
  }

  test("an async scope that was never left: its thread is ended, the process lives", async () => {
    await using pool = interrupting();
    // With a hook in place Node looks whether scopes are left in order, and ends the process if they are not.
    await pool.run(background, "stored");
    const { task } = await cutOff(pool, "spinInScope");
    expect(task.outcome).toBe("terminated");
    expect((await cutOff(pool, "spinWithStore")).task.outcome).toBe("interrupted");
    expect((await cutOff(pool, "spinInScope")).task.outcome).toBe("terminated");
    await expectWhole(pool, 1);
  });

  test("the same where the task's module has put something in the place of process.exit", async () => {
    await using pool = interrupting();
    await pool.run(background, "stored");
    expect((await cutOff(pool, "spinInScopePatched")).task.outcome).toBe("terminated");
    await expectWhole(pool, 1);
  });

  test("errors without stack frames", async () => {
    await using pool = interrupting();
    const frames = await pool.run(background, "frames");
    expect(frames).toBeGreaterThan(1);
    expect((await cutOff(pool, "spinWithoutFrames")).task.outcome).toBe("interrupted");
    expect(await pool.run(background, "frames")).toBe(frames);
  });

  test("the thread's alarms in disorder", async () => {
    await using pool = interrupting();
    for (let i = 0; i < 10; i++) {
      expect((await cutOff(pool, "spinWithDeadlines")).task.outcome).toBe("interrupted");
      expect(await pool.run(background, "deadlines", [29, 23, 32, 26, 20, 35])).toEqual([
        20, 23, 26, 29, 32, 35,
      ]);
    }
    expect((await pool.run(background, "here")) as object).toMatchObject({ calls: 1 });
  });

  test("contexts that have ended by half", async () => {
    await using pool = interrupting();
    let over = 0;
    for (let i = 0; i < 60; i++) {
      const { task } = await cutOff(pool, "spinWithFamilies", [1500], i % 3);
      expect(task.outcome).toBe("interrupted");
      const now = (await pool.run(background, "familyNow")) as { isOver: boolean };
      // One that has not ended has deadlines: they pass without harm to anybody.
      if (!now.isOver) continue;
      over++;
      expect(now).toEqual({ isOver: true, left: 0, unheard: 0 });
    }
    expect(over).toBeGreaterThan(0);
    expect((await pool.run(background, "here")) as object).toMatchObject({ calls: 1 });
  });
});

describe("a thread that dies under a task that could be cut off", () => {
  for (const watchdog of [false, true]) {
    const how = watchdog ? "with a watchdog" : "without one";

    test(`process.exit(), ${how}, with its context ended meanwhile: crashed, and nothing is cut off`, async () => {
      onTestFinished(longSecondGrace());
      await using pool = interrupting({ watchdog });
      const gate = threadGate();
      const [ctx, cancel] = withCancel(background);
      const task = pool.submit(ctx, "exitSlowly", [gate.view, 7]);
      const innocent = pool.submit(background, "here", []);
      await gate.entered();
      cancel();
      for (let i = 0; i < 20; i++) await turn();
      Atomics.store(gate.view, 1, 1);
      expect((await failure(task.result)).message).toContain("exited with code 7");
      expect(task.outcome).toBe("crashed");
      expect(await innocent.result).toMatchObject({ calls: 1 });
      await expectWhole(pool, 1);
    });

    test(`process.exit(), ${how}: crashed, with the exit code; the context it was under lives on`, async () => {
      await using pool = interrupting({ watchdog });
      const [ctx] = withTimeout(background, 3_600_000);
      const task = pool.submit(ctx, "exit", [7]);
      const error = await failure(task.result);
      expect(error.code).toBe("ERR_WORKER_CRASHED");
      expect(error.message).toContain("exited with code 7");
      expect(task.outcome).toBe("crashed");
      expect(ctx.err()).toBeUndefined();
      await expectWhole(pool, 1);
    });

    test(`out of memory, ${how}: crashed, and it says so`, outOfMemory, async () => {
      await using pool = interrupting({ watchdog, resourceLimits: { maxOldGenerationSizeMb: 16 } });
      const [ctx] = withTimeout(background, 3_600_000);
      const task = pool.submit(ctx, "outOfMemory", []);
      const error = await failure(task.result);
      expect(error).toMatchObject({
        code: "ERR_WORKER_CRASHED",
        cause: { code: "ERR_WORKER_OUT_OF_MEMORY" },
      });
      expect(task.outcome).toBe("crashed");
      expect(ctx.err()).toBeUndefined();
      await expectWhole(pool, 1);
    });
  }
});

test("an uncaught error in a thread whose tasks could be cut off is an uncaught error", async () => {
  onTestFinished(longSecondGrace());
  await using pool = interrupting();
  expect((await cutOff(pool, "spin")).task.outcome).toBe("interrupted");
  const task = pool.submit(background, "uncaughtFromTimer", []);
  expect(await failure(task.result)).toMatchObject({
    code: "ERR_WORKER_CRASHED",
    cause: { name: "RangeError", message: "from a timer" },
  });
  await expectWhole(pool, 1);
});

describe("a listener that never returns, for the end of the task's own context", () => {
  for (const onOverrun of ["interrupt", "terminate"] as const) {
    for (const how of ["signal", "afterFunc"]) {
      test(`${how}, ${onOverrun}: the task has completed, and its thread is ended once its context is cancelled`, async () => {
        await using pool = interrupting({ onOverrun });
        const gate = threadGate();
        const [ctx, cancel] = withCancel(background);
        const task = pool.submit(ctx, "leaveListener", [gate.view, how]);
        await gate.written(2);
        cancel();
        expect(await task.result).toBeUndefined();
        expect(task.outcome).toBe("completed");
        await expectWhole(pool, 1);
      });
    }
  }

  test("destroy ends it", async () => {
    const pool = interrupting();
    const gate = threadGate();
    const task = pool.submit(background, "leaveListener", [gate.view, "signal"]);
    await gate.written(2);
    await pool.destroy();
    expect(await task.result).toBeUndefined();
  });
});

describe("a loop that makes promises", () => {
  for (const withStore of [false, true]) {
    test(`of Node's, ${withStore ? "with" : "without"} AsyncLocalStorage: its thread may be lost, the process lives`, async () => {
      await using pool = interrupting({ spares: 1 });
      for (let i = 0; i < 60; i++) {
        const { task } = await cutOff(pool, "spinInPromises", [withStore], 3 * Math.random());
        expect(["interrupted", "terminated"]).toContain(task.outcome);
      }
      await expectWhole(pool, 1);
    });
  }

  for (const onOverrun of ["interrupt", "terminate"] as const) {
    test(`that are rejected, ${onOverrun}: it ends, though V8 may lose the first order to`, async () => {
      await using pool = interrupting({ spares: 1, onOverrun });
      for (let i = 0; i < 10; i++) {
        const { task } = await cutOff(pool, "spinInRejections");
        expect(["interrupted", "terminated"]).toContain(task.outcome);
      }
      await expectWhole(pool, 1);
    });
  }
});

describe("the pool ends", () => {
  cutsTakeTheirTime();

  test("destroy: a running task's thread is ended anyway, after one grace", async () => {
    const pool = interrupting({ grace: 10 });
    const gate = threadGate();
    const task = pool.submit(background, "spin", [gate.view]);
    await gate.entered();
    await pool.destroy();
    expect(task.outcome).toBe("terminated");
  });

  test("destroy between the cut and its end", async () => {
    const pool = interrupting();
    const gate = threadGate();
    const [ctx, cancel] = withCancel(background);
    const task = pool.submit(ctx, "spin", [gate.view]);
    await gate.entered();
    cancel();
    await pool.destroy();
    expect(["interrupted", "terminated"]).toContain(task.outcome);
  });

  test("close with a context: what runs when that ends is interrupted", async () => {
    const pool = interrupting();
    const gate = threadGate();
    const task = pool.submit(background, "spin", [gate.view]);
    await gate.entered();
    const [ctx, cancel] = withCancel(background);
    const closed = pool.close(ctx);
    cancel();
    await closed;
    expect(await settled(task)).toBe("interrupted");
  });
});

describe("the process", () => {
  const prelude = `
    import { background, Pool, withCancel } from "lifeguard";
    import { longSecondGrace } from ${JSON.stringify(new URL("../support/second-grace.mjs", import.meta.url).href)};
    longSecondGrace();
    const gate = new Int32Array(new SharedArrayBuffer(128));
    const pool = new Pool(${JSON.stringify(fixture("runaway.mjs").href)}, { threads: 1, grace: 0, onOverrun: "interrupt" });
    const stop = async () => {
      gate[0] = 0;
      const [ctx, cancel] = withCancel(background);
      const task = pool.submit(ctx, "spin", [gate]);
      while (Atomics.load(gate, 0) === 0) await new Promise((r) => setImmediate(r));
      cancel();
      await task.result.catch(() => {});
      return task.outcome;
    };
  `;

  test("has one session of the inspector, from the first pool that may need it on", async () => {
    const { code, stdout, stderr } = await runScript(`
      import { Session } from "node:inspector";
      const calls = [];
      for (const name of ["connect", "disconnect"]) {
        const real = Session.prototype[name];
        Session.prototype[name] = function () {
          calls.push(name);
          return real.call(this);
        };
      }
      ${prelude}
      const before = calls.length;
      await stop();
      await pool.close();
      const other = new Pool(${JSON.stringify(fixture("runaway.mjs").href)}, { threads: 1, onOverrun: "interrupt" });
      await other.ready();
      await other.close();
      console.log(before, calls.join());
    `);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "1 connect\n", stderr: "" });
  });

  test("ends by itself after interrupts, with a pool that it forgot to close, and nothing is warned of", async () => {
    const { code, stdout, stderr } = await runScript(`${prelude} console.log(await stop(), await stop());`);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "interrupted interrupted\n", stderr: "" });
  });

  test.each([false, true])(
    "without permission for the inspector: terminated, and it is said once (watchdog: %s)",
    async (watchdog) => {
      const [major = 0] = process.versions.node.split(".").map(Number);
      const { code, stdout, stderr } = await runScript(
        `${prelude.replace("threads: 1", `threads: 1, watchdog: ${String(watchdog)}`)} console.log(await stop(), await stop()); await pool.close();`,
        [major >= 22 ? "--permission" : "--experimental-permission", "--allow-fs-read=*", "--allow-worker"],
      );
      expect({ code, stdout }).toEqual({ code: 0, stdout: "terminated terminated\n" });
      expect(stderr.match(/\[LIFEGUARD_NO_INTERRUPT\]/g)).toHaveLength(1);
      expect(stderr).toMatch(/pool: onOverrun: "interrupt" needs Node's inspector/);
    },
  );

  test("a pool in a worker thread: terminated, and it is said; its watchdog works", async () => {
    const inner = `${prelude}
      import { withTimeout } from "lifeguard";
      console.log(await stop());
      await pool.close();
      const watched = new Pool(${JSON.stringify(fixture("runaway.mjs").href)}, { threads: 1, grace: 0, onOverrun: "interrupt", watchdog: true });
      await watched.ready();
      let outcome = "dropped";
      for (let ms = 200; outcome === "dropped"; ms *= 2) {
        const [ctx] = withTimeout(background, ms);
        const task = watched.submit(ctx, "spin", [gate]);
        await task.result.catch(() => {});
        outcome = task.outcome;
      }
      console.log(outcome);
      await watched.close();
    `;
    const { code, stdout, stderr } = await runScript(`
      import { Worker } from "node:worker_threads";
      new Worker(${JSON.stringify(inner)}, { eval: true });
    `);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "terminated\ninterrupted\n" });
    expect(stderr).toMatch(/LIFEGUARD_NO_INTERRUPT/);
  });

  test("another session of the inspector, which listens to the threads as a debugger does", async () => {
    const { code, stdout } = await runScript(`${prelude}
      import inspector from "node:inspector";
      const session = new inspector.Session();
      session.connect();
      session.on("NodeWorker.attachedToWorker", ({ params: { sessionId } }) => {
        for (const method of ["Runtime.enable", "Debugger.enable"])
          session.post("NodeWorker.sendMessageToWorker", { sessionId, message: JSON.stringify({ id: 1, method }) });
      });
      session.post("NodeWorker.enable", { waitForDebuggerOnStart: false });
      console.log(await stop(), await stop());
      session.disconnect();
      console.log(await stop());
      await pool.close();
    `);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "interrupted interrupted\ninterrupted\n" });
  });
});
