/** Nothing is left behind: threads, ports, listeners, tasks, contexts. */
import type { Worker } from "node:worker_threads";
import { background, withCancel, withProcessSignal } from "lifeguard";
import { describe, expect, test } from "vitest";
import { collectable } from "../support/memory.js";
import { expectWhole, pooled, settled, threadGate } from "../support/pool.js";
import { turn } from "../support/turn.js";

/** What of the kinds that a pool uses keeps this process alive. */
function active(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => kind === "MessagePort" || kind === "Worker");
}

function listeners(): Record<string, number> {
  return Object.fromEntries(process.eventNames().map((name) => [String(name), process.listenerCount(name)]));
}

test("200 hard stops in a row leave no thread, no port and no listener", async () => {
  const before = { active: active(), listeners: listeners() };
  const workers = new Set<Worker>();
  const warnings: Error[] = [];
  const exited: number[] = [];
  const onWorker = (worker: Worker): void => {
    workers.add(worker);
    worker.once("exit", (code) => exited.push(code));
  };
  const onWarning = (warning: Error): void => {
    warnings.push(warning);
  };
  process.on("worker", onWorker);
  process.on("warning", onWarning);
  try {
    await using pool = pooled({ threads: 2, spares: 1, grace: 0 });
    const [root, cancelRoot] = withCancel(background);
    for (let i = 0; i < 200; i++) {
      const [ctx, cancel] = withCancel(root);
      const gate = threadGate();
      const task = pool.submit(ctx, i % 2 === 0 ? "spin" : "hold", [gate.view]);
      await gate.entered();
      cancel(i);
      expect(await settled(task)).toBe("terminated");
    }
    cancelRoot();
    expect(pool.stats().outcomes.terminated).toBe(200);
    await expectWhole(pool);
    // Two threads and a spare, and all the others gone.
    expect(workers.size - exited.length).toBeLessThanOrEqual(3);
    expect(exited.length).toBeGreaterThanOrEqual(200);
  } finally {
    process.off("worker", onWorker);
    await turn();
    process.off("warning", onWarning);
  }
  expect(workers.size - exited.length).toBe(0);
  expect([...workers].filter((worker) => worker.threadId !== -1)).toEqual([]);
  expect(warnings).toEqual([]);
  expect(active()).toEqual(before.active);
  expect(listeners()).toEqual(before.listeners);
}, 120_000);

describe("after the pool has ended", () => {
  for (const how of ["close", "destroy"] as const) {
    test(`${how}: no port, no thread, no listener of its keeps the process alive`, async () => {
      const before = { active: active(), listeners: listeners() };
      const pool = pooled({ threads: 2 });
      await Promise.all(Array.from({ length: 20 }, (_, i) => pool.run(background, "echo", { i })));
      await pool[how]();
      await turn();
      expect(active()).toEqual(before.active);
      expect(listeners()).toEqual(before.listeners);
    });
  }

  test("an idle pool holds no port or thread active either", async () => {
    const before = active();
    await using pool = pooled({ threads: 2 });
    await pool.ready();
    await pool.run(background, "nothing");
    await turn();
    expect(active()).toEqual(before);
  });
});

describe("what has settled is let go", () => {
  test("a long-lived context holds nothing of the tasks that ran under it", async () => {
    await using pool = pooled({ threads: 1 });
    const [ctx, cancel] = withCancel(background);
    await pool.ready();
    const result = { settledYet: false };
    expect(
      await collectable(() => {
        const task = pool.submit(ctx, "nothing", [{ big: new Array(1000).fill(0) }]);
        task.result.then(
          () => {
            result.settledYet = true;
          },
          () => {},
        );
        // The task itself is held by its thread until it has settled.
        return task;
      }),
    ).toBe(true);
    expect(result.settledYet).toBe(true);
    cancel();
  });

  test("so does a pool, of dropped ones", async () => {
    await using pool = pooled({ threads: 1 });
    const gate = threadGate();
    const first = pool.run(background, "hold", gate.view, 1);
    await gate.entered();
    expect(
      await collectable(() => {
        const task = pool.submit(background, "nothing", []);
        task.result.catch(() => {});
        task.cancel();
        return task;
      }),
    ).toBe(true);
    gate.open();
    await first;
  });
});

describe("withProcessSignal", () => {
  test("listens until it has ended, and gives its listeners back", () => {
    const before = listeners();
    const [parent, cancelParent] = withCancel(background);
    const [, cancel] = withProcessSignal(background, "SIGINT", "SIGTERM");
    const [child] = withProcessSignal(parent, "SIGINT");
    expect(process.listenerCount("SIGINT")).toBe((before.SIGINT ?? 0) + 2);
    expect(process.listenerCount("SIGTERM")).toBe((before.SIGTERM ?? 0) + 1);
    cancelParent();
    expect(child.err()).toMatchObject({ code: "ABORT_ERR" });
    expect(process.listenerCount("SIGINT")).toBe((before.SIGINT ?? 0) + 1);
    cancel();
    expect(listeners()).toEqual(before);
    // Below one that has ended it does not even begin.
    withProcessSignal(parent, "SIGINT");
    expect(listeners()).toEqual(before);
  });
});
