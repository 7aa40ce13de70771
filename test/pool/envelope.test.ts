/** Short tasks share an envelope when many wait, and nothing else: each is cancelled, dropped, stopped and settled on its own. */
import {
  background,
  type Context,
  sharedKey,
  type Task,
  transfer,
  withCancel,
  withDeadline,
  withTimeout,
  withValue,
} from "lifeguard";
import { describe, expect, test, vi } from "vitest";
import {
  expectBalanced,
  expectWhole,
  failure,
  rejection,
  settled,
  threadGate,
  until,
} from "../support/pool.js";
import { type Steps, stepsOf } from "../support/steps.js";
import { turn } from "../support/turn.js";

/** How often each of the steps has begun. */
function begunOf({ begun }: Steps, ids: readonly number[]): number[] {
  return ids.map((id) => Atomics.load(begun, id));
}

/** Blocks this thread, event loop included, until the step has begun. */
function blockUntilBegun({ begun }: Steps, id: number): void {
  if (Atomics.wait(begun, id, 0, 60_000) === "timed-out") throw new Error(`step ${id} has not begun`);
}

describe("who goes together", () => {
  test("many short tasks that wait go in few envelopes, in their order", async () => {
    const steps = await stepsOf();
    await using pool = steps.pool;
    const tasks = await steps.together(() =>
      Array.from({ length: 200 }, (_, i) => steps.step(i + 1, "envelope")),
    );
    const envelopes = (await Promise.all(tasks.map(({ result }) => result))) as number[];
    expect(envelopes).toEqual([...envelopes].sort((a, b) => a - b));
    expect(new Set(envelopes).size).toBeLessThan(50);
    expect(pool.stats().started).toBe(60 + 1 + 200);
  });

  test("a task of which nothing is known goes alone, and so does one that takes long", async () => {
    const steps = await stepsOf();
    await using pool = steps.pool;
    // One thread: as long as `hold` blocks it, nothing that shared its envelope could have been settled or taken back.
    const gate = threadGate();
    const tasks = await steps.together(() => [
      steps.step(1, "envelope"),
      pool.submit(background, "meet", [threadGate().view, 1]),
      steps.step(2, "envelope"),
    ]);
    gate.open();
    const [first, , second] = await Promise.all(tasks.map(({ result }) => result));
    expect(first).not.toBe(second);
  });

  test("with two threads and nothing but few tasks, each thread has its share", async () => {
    const steps = await stepsOf({ threads: 2 });
    await using pool = steps.pool;
    const gate = threadGate();
    const tasks = await steps.together(() => [
      steps.step(1, "wait", gate.view),
      steps.step(2, "wait", gate.view),
    ]);
    await gate.entered(2);
    gate.open();
    expect(await Promise.all(tasks.map(({ result }) => result))).toEqual([1, 2]);
    expect(pool.stats().running).toBe(0);
  });

  test("a task with something to transfer goes alone", async () => {
    const steps = await stepsOf();
    await using pool = steps.pool;
    const bytes = new Uint8Array(16);
    const tasks = await steps.together(() => [
      steps.step(1, "envelope"),
      pool.submit(background, "step", [steps.begun, 2, "length", bytes], { transfer: [bytes.buffer] }),
      steps.step(3, "length", transfer(new Uint8Array(3), [])),
      steps.step(4, "envelope"),
    ]);
    const [first, second, third, fourth] = await Promise.all(tasks.map(({ result }) => result));
    expect([second, third]).toEqual([16, 3]);
    expect(bytes.byteLength).toBe(0);
    expect(first).not.toBe(fourth);
  });
});

describe("what comes back is each one's own", () => {
  test("values of every kind, at every place", async () => {
    const steps = await stepsOf();
    await using _ = steps.pool;
    const names = [
      "undefined",
      "null",
      "true",
      "false",
      "zero",
      "minusZero",
      "nan",
      "fraction",
      "string",
      "empty",
      "bigint",
      "object",
      "array",
      "date",
    ];
    const expected = [
      undefined,
      null,
      true,
      false,
      0,
      -0,
      Number.NaN,
      0.1,
      "a string",
      "",
      2n ** 70n,
      { a: [1, new Map([[1, "one"]])] },
      [1, 2, 3],
      new Date(0),
    ];
    for (let round = 0; round < names.length; round++) {
      const turned = [...names.slice(round), ...names.slice(0, round)];
      const tasks = await steps.together(() => turned.map((name, i) => steps.step(i + 1, "value", name)));
      const got = await Promise.all(tasks.map(({ result }) => result));
      expect(got).toEqual([...expected.slice(round), ...expected.slice(0, round)]);
    }
  });

  test("errors, results that cannot be cloned and transferred ones, beside values", async () => {
    const steps = await stepsOf();
    await using pool = steps.pool;
    const tasks = await steps.together(() => [
      steps.step(1, "fail"),
      steps.step(2, "id"),
      steps.step(3, "uncloneable"),
      steps.step(4, "give"),
      steps.step(5, "async"),
      steps.step(6, "fail"),
      steps.step(7, "turn"),
      steps.step(8, "value", "string"),
    ]);
    const outcomes = await Promise.all(tasks.map(settled));
    expect(outcomes).toEqual([
      "failed",
      "completed",
      "failed",
      "completed",
      "completed",
      "failed",
      "completed",
      "completed",
    ]);
    const at = (i: number): Promise<unknown> => (tasks[i] as Task<unknown>).result;
    expect(await failure(at(0))).toMatchObject({ name: "RangeError", message: "step 1" });
    expect(await at(1)).toBe(2);
    expect(await failure(at(2))).toMatchObject({ code: "ERR_NOT_CLONEABLE" });
    expect(await at(3)).toEqual(new Uint8Array(8).fill(4));
    expect(await at(4)).toBe(5);
    expect(await failure(at(5))).toMatchObject({ message: "step 6" });
    expect(await at(6)).toBe(7);
    expect(await at(7)).toBe("a string");
    expect(begunOf(steps, [1, 2, 3, 4, 5, 6, 7, 8])).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
    await expectWhole(pool, 1);
  });

  test("contexts: values, deadline, progress", async () => {
    const steps = await stepsOf();
    await using pool = steps.pool;
    const key = sharedKey<string>("test.envelope");
    const at = Date.now() + 3_600_000;
    const contexts: Context[] = [
      background,
      withValue(background, key, "one"),
      withDeadline(withValue(background, key, "two"), at)[0],
      withValue(background, key, "one"),
    ];
    const tasks = await steps.together(() =>
      contexts.map((ctx, i) => pool.submit(ctx, "step", [steps.begun, i + 1, "context", "test.envelope"])),
    );
    expect(await Promise.all(tasks.map(({ result }) => result))).toMatchObject([
      { value: undefined, deadline: undefined },
      { value: "one", deadline: undefined },
      { value: "two", deadline: at },
      { value: "one", deadline: undefined },
    ]);
    const told = await steps.together(() =>
      [0.25, 0.5, 0.75].map((part, i) => steps.step(i + 1, "progress", part)),
    );
    await Promise.all(told.map(settled));
    expect(told.map(({ progress }) => progress)).toEqual([0.25, 0.5, 0.75]);
  });

  test("a context that a task has kept is over when the next one in the envelope runs", async () => {
    const steps = await stepsOf();
    await using _ = steps.pool;
    const [, look] = await steps.together(() => [steps.step(1, "stray"), steps.step(2, "look")]);
    expect(await look.result).toBe("ABORT_ERR");
  });
});

describe("objects are each one's own, though they came in one message", () => {
  test("an argument that all of them were given", async () => {
    const steps = await stepsOf();
    await using pool = steps.pool;
    const flat = { count: 0 };
    const nested = { inner: { count: 0 } };
    for (let i = 0; i < 40; i++) await pool.run(background, "touch", { count: 0 }, "test.none");
    for (const shared of [flat, nested]) {
      const tasks = await steps.together(() =>
        Array.from({ length: 20 }, () => pool.submit(background, "touch", [shared, "test.none"])),
      );
      const seen = await Promise.all(tasks.map(({ result }) => result));
      expect(seen).toEqual(Array(20).fill([0, undefined]));
      const twice = pool.run(background, "touch", shared, "test.none");
      expect(await twice).toEqual([0, undefined]);
    }
    // The inputs of a chunk, and what is inside of them.
    const inner = { count: 0 };
    for (const inputs of [
      Array(20).fill(flat),
      Array.from({ length: 20 }, () => ({ inner })),
    ] as unknown[][]) {
      const seen = await pool.map(background, "touch", inputs, { chunk: 20 }).results();
      expect(seen).toEqual(Array(20).fill([0, undefined]));
    }
  });

  test("a shared value", async () => {
    const steps = await stepsOf();
    await using pool = steps.pool;
    const key = sharedKey<{ count: number }>("test.shared");
    const ctx = withValue(background, key, { count: 0 });
    for (let i = 0; i < 40; i++) await pool.run(background, "touch", { count: 0 }, "test.none");
    const tasks = await steps.together(() =>
      Array.from({ length: 20 }, () => pool.submit(ctx, "touch", [{ count: 0 }, "test.shared"])),
    );
    expect(await Promise.all(tasks.map(({ result }) => result))).toEqual(Array(20).fill([0, 0]));
  });

  test("a buffer that one of them gives away", async () => {
    const steps = await stepsOf();
    await using pool = steps.pool;
    const bytes = new Uint8Array(5);
    for (let i = 0; i < 40; i++) await pool.run(background, "takeAway", bytes);
    const tasks = await steps.together(() =>
      Array.from({ length: 20 }, (_, i) =>
        pool.submit(background, "takeAway", [i % 2 === 0 ? bytes : bytes.subarray(1)]),
      ),
    );
    const lengths = await Promise.all(tasks.map(({ result }) => result));
    expect(lengths).toEqual(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 5 : 4)));
    expect(bytes.byteLength).toBe(5);
  });

  test("with tasks that await between them, and ones that are cancelled, each gets what it was given", async () => {
    const steps = await stepsOf();
    await using pool = steps.pool;
    const [ctx, cancel] = withCancel(background);
    const hold = threadGate();
    const held = pool.submit(background, "hold", [hold.view]);
    await hold.entered();
    const config = { deep: [1] };
    const gate = threadGate();
    const first = steps.step(100, "wait", gate.view);
    const tasks = Array.from({ length: 60 }, (_, i) =>
      pool.submit(i % 7 === 3 ? ctx : background, "step", [
        steps.begun,
        i + 1,
        i % 5 === 2 ? "turn" : "return",
        { i, config },
      ]),
    );
    hold.open();
    await held.result;
    blockUntilBegun(steps, 100);
    cancel("why");
    gate.open();
    expect(await first.result).toBe(100);
    for (const [i, task] of tasks.entries()) {
      if (i % 7 === 3) expect(await settled(task)).toBe("dropped");
      else expect(await task.result).toEqual(i % 5 === 2 ? i + 1 : { i, config });
    }
    await expectWhole(pool, 1);
  });
});

describe("cancelled while it waits behind another one", () => {
  test("it is dropped inside cancel(), never begins, and its neighbours hear nothing of it", async () => {
    const steps = await stepsOf();
    await using pool = steps.pool;
    const gate = threadGate();
    const hold = threadGate();
    const held = pool.submit(background, "hold", [hold.view]);
    await hold.entered();
    const [ctx, cancel] = withCancel(background);
    const first = steps.step(1, "wait", gate.view);
    const doomed = pool.submit(ctx, "step", [steps.begun, 2, "id"]);
    const last = steps.step(3, "id");
    expect([first.state, doomed.state, last.state]).toEqual(["queued", "queued", "queued"]);
    hold.open();
    await held.result;
    // From here on without a turn of the event loop: nothing can be taken back.
    gate.blockUntilWritten(0);
    expect([first.state, doomed.state, last.state]).toEqual(["running", "queued", "queued"]);
    expect(pool.stats()).toMatchObject({ running: 1, queued: 2, started: 62 });
    cancel("away");
    expect([doomed.state, doomed.outcome]).toEqual(["settled", "dropped"]);
    expect(pool.stats()).toMatchObject({ running: 1, queued: 1, started: 62 });
    gate.open();
    expect(await Promise.all([first.result, last.result])).toEqual([1, 3]);
    expect(await rejection(doomed.result)).toBe(ctx.err());
    expect(begunOf(steps, [1, 2, 3])).toEqual([1, 0, 1]);
    await expectWhole(pool, 1);
  });

  test.each([[], ["a cause"]])(
    "one of them running, all of them under one context: it stops, the others are dropped",
    async (...causes) => {
      const steps = await stepsOf();
      await using pool = steps.pool;
      const [ctx, cancel] = withCancel(background);
      const hold = threadGate();
      const held = pool.submit(background, "hold", [hold.view]);
      await hold.entered();
      const tasks = Array.from({ length: 100 }, (_, i) =>
        pool.submit(ctx, "step", [steps.begun, i + 1, "poll"]),
      );
      hold.open();
      await held.result;
      blockUntilBegun(steps, 1);
      cancel(...causes);
      expect(tasks.map(({ state }) => state)).toEqual(["stopping", ...Array<string>(99).fill("settled")]);
      const outcomes = await Promise.all(tasks.map(settled));
      expect(outcomes).toEqual(["stopped", ...Array<string>(99).fill("dropped")]);
      expect(begunOf(steps, [1, 2, 100])).toEqual([1, 0, 0]);
      await expectWhole(pool, 1);
    },
  );

  test("its deadline passes behind a busy one while this thread is blocked: it is dropped, and not begun", async () => {
    const steps = await stepsOf();
    await using pool = steps.pool;
    const hold = threadGate();
    const held = pool.submit(background, "hold", [hold.view]);
    await hold.entered();
    const [ctx, cancel] = withTimeout(background, 3_600_000);
    const busy = steps.step(1, "busy", 60);
    const [short] = withTimeout(ctx, 30);
    const late = pool.submit(short, "step", [steps.begun, 2, "id"]);
    const last = steps.step(3, "id");
    hold.open();
    await held.result;
    steps.pool.stats(); // hands over, if that had not happened yet
    const from = performance.now();
    while (performance.now() < from + 100);
    expect(await settled(late)).toBe("dropped");
    expect(await failure(late.result)).toMatchObject({ code: "ERR_DEADLINE_EXCEEDED" });
    expect(await Promise.all([busy.result, last.result])).toEqual([1, 3]);
    expect(begunOf(steps, [1, 2, 3])).toEqual([1, 0, 1]);
    cancel();
    await expectWhole(pool, 1);
  });
});

describe("a fault of one of them", () => {
  for (const how of ["value", "object"]) {
    test(`a hard stop: those before it keep their ${how}, those behind it run, once`, async () => {
      const steps = await stepsOf({ grace: 0 });
      await using pool = steps.pool;
      const [ctx, cancel] = withCancel(background);
      const hold = threadGate();
      const held = pool.submit(background, "hold", [hold.view]);
      await hold.entered();
      const before = Array.from({ length: 10 }, (_, i) =>
        how === "value" ? steps.step(i + 1, "id") : steps.step(i + 1, "value", "object"),
      );
      const spinning = pool.submit(ctx, "step", [steps.begun, 11, "spin"]);
      const behind = Array.from({ length: 10 }, (_, i) => steps.step(i + 12, "id"));
      hold.open();
      await held.result;
      blockUntilBegun(steps, 11);
      cancel();
      expect(await settled(spinning)).toBe("terminated");
      expect(await rejection(spinning.result)).toBe(ctx.err());
      const ids = Array.from({ length: 10 }, (_, i) => i + 1);
      expect(await Promise.all(before.map(({ result }) => result))).toEqual(
        ids.map((id) => (how === "value" ? id : { a: [1, new Map([[1, "one"]])] })),
      );
      expect(await Promise.all(behind.map(({ result }) => result))).toEqual(ids.map((id) => id + 11));
      expect(
        begunOf(
          steps,
          Array.from({ length: 21 }, (_, i) => i + 1),
        ),
      ).toEqual(Array<number>(21).fill(1));
      await until(() => pool.stats().stuck === 0);
      await expectWhole(pool, 1);
    });
  }

  test("a crash: those before it keep their results, it is crashed alone, those behind it run, once", async () => {
    const steps = await stepsOf();
    await using pool = steps.pool;
    const tasks = await steps.together(() => [
      steps.step(1, "id"),
      steps.step(2, "value", "string"),
      steps.step(3, "fail"),
      steps.step(4, "value", "object"),
      steps.step(5, "exit", 3),
      steps.step(6, "id"),
      steps.step(7, "value", "object"),
    ]);
    expect(await Promise.all(tasks.map(settled))).toEqual([
      "completed",
      "completed",
      "failed",
      "completed",
      "crashed",
      "completed",
      "completed",
    ]);
    const [one, two, three, four, five, six] = tasks as [
      Task<unknown>,
      Task<unknown>,
      Task<unknown>,
      Task<unknown>,
      Task<unknown>,
      Task<unknown>,
    ];
    expect([await one.result, await two.result, await four.result, await six.result]).toEqual([
      1,
      "a string",
      { a: [1, new Map([[1, "one"]])] },
      6,
    ]);
    expect(await failure(three.result)).toMatchObject({ message: "step 3" });
    const error = await failure(five.result);
    expect(error.code).toBe("ERR_WORKER_CRASHED");
    expect(String(error.cause)).toContain("code 3");
    expect(begunOf(steps, [1, 2, 3, 4, 5, 6, 7])).toEqual([1, 1, 1, 1, 1, 1, 1]);
    await expectWhole(pool, 1);
  });

  test("an argument that cannot be cloned: it fails alone and says which, the others run, once", async () => {
    const steps = await stepsOf();
    await using pool = steps.pool;
    const tasks = await steps.together(() => [
      steps.step(1, "id"),
      steps.step(2, "id", () => {}),
      steps.step(3, "id"),
      steps.step(4, "id", Symbol("no")),
      steps.step(5, "id"),
    ]);
    expect(await Promise.all(tasks.map(settled))).toEqual([
      "completed",
      "failed",
      "completed",
      "failed",
      "completed",
    ]);
    expect(await failure((tasks[1] as Task<unknown>).result)).toMatchObject({
      code: "ERR_NOT_CLONEABLE",
      message: expect.stringContaining('argument 4 of task "step"') as string,
    });
    expect(begunOf(steps, [1, 2, 3, 4, 5])).toEqual([1, 0, 1, 0, 1]);
    expect(pool.stats().started).toBe(61 + 3);
    await expectWhole(pool, 1);
  });

  test("a getter among the arguments that throws only once: each goes alone, and all of them run, once", async () => {
    const steps = await stepsOf();
    await using pool = steps.pool;
    let isFirst = true;
    const moody = {
      get value(): number {
        if (!isFirst) return 1;
        isFirst = false;
        throw new Error("not now");
      },
    };
    const tasks = await steps.together(() => [
      steps.step(1, "id"),
      steps.step(2, "id", moody),
      steps.step(3, "id"),
    ]);
    expect(await Promise.all(tasks.map(({ result }) => result))).toEqual([1, 2, 3]);
    expect(begunOf(steps, [1, 2, 3])).toEqual([1, 1, 1]);
    await expectWhole(pool, 1);
  });

  test("one that turns out to take long: those behind it go to the other thread, once", async () => {
    const steps = await stepsOf({ threads: 2 });
    await using pool = steps.pool;
    const gate = threadGate();
    const tasks = await steps.together(() => [
      steps.step(1, "wait", gate.view),
      ...Array.from({ length: 9 }, (_, i) => steps.step(i + 2, "id")),
    ]);
    const [long, ...others] = tasks as [Task<unknown>, ...Task<unknown>[]];
    expect(await Promise.all(others.map(({ result }) => result))).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(long.state).toBe("running");
    gate.open();
    expect(await long.result).toBe(1);
    expect(begunOf(steps, [1, 2, 5, 10])).toEqual([1, 1, 1, 1]);
    await expectWhole(pool, 2);
  });

  test("one that turns out to take long: those before it are settled meanwhile", async () => {
    const steps = await stepsOf();
    await using pool = steps.pool;
    const gate = threadGate();
    const tasks = await steps.together(() => [
      steps.step(1, "id"),
      steps.step(2, "value", "object"),
      steps.step(3, "wait", gate.view),
      steps.step(4, "id"),
    ]);
    expect(await tasks[0]?.result).toBe(1);
    expect(await tasks[1]?.result).toEqual({ a: [1, new Map([[1, "one"]])] });
    expect(pool.stats()).toMatchObject({ running: 1, queued: 1 });
    gate.open();
    expect(await Promise.all([tasks[2]?.result, tasks[3]?.result])).toEqual([3, 4]);
  });

  test("one that has ended in time, and of which this thread hears late: no thread is ended for it, since that is at the next one", async () => {
    const steps = await stepsOf({ grace: 100 });
    await using pool = steps.pool;
    const [ctx, cancel] = withCancel(background);
    const gates = [threadGate(), threadGate()] as const;
    const tasks = await steps.together(() => [
      pool.submit(ctx, "step", [steps.begun, 1, "wait", gates[0].view]),
      steps.step(2, "wait", gates[1].view),
    ]);
    try {
      blockUntilBegun(steps, 1);
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
      cancel();
      gates[0].open();
      blockUntilBegun(steps, 2);
      // The event loop stands still from the cancellation on: its grace passes, and the time that its news is given.
      vi.advanceTimersByTime(100);
      vi.advanceTimersByTime(1000);
    } finally {
      vi.useRealTimers();
    }
    gates[1].open();
    expect(await Promise.all(tasks.map(({ result }) => result))).toEqual([1, 2]);
    expect(tasks.map(({ outcome }) => outcome)).toEqual(["completed", "completed"]);
    await expectWhole(pool, 1);
  });

  test("a string at the end of an envelope is not taken before it is there", async () => {
    const steps = await stepsOf();
    await using _ = steps.pool;
    for (let round = 0; round < 20; round++) {
      const tasks = await steps.together(() => [
        steps.step(1, "busy", 3),
        steps.step(2, "value", "string"),
        steps.step(3, "async"),
        steps.step(4, "value", "string"),
      ]);
      expect(await Promise.all(tasks.map(({ result }) => result))).toEqual([1, "a string", 3, "a string"]);
    }
  });
});

test("destroy() ends the one that runs and drops those behind it", async () => {
  const steps = await stepsOf({ grace: 5 });
  const { pool } = steps;
  const hold = threadGate();
  const held = pool.submit(background, "hold", [hold.view]);
  await hold.entered();
  const tasks = Array.from({ length: 20 }, (_, i) => steps.step(i + 1, "spin"));
  hold.open();
  await held.result;
  blockUntilBegun(steps, 1);
  await pool.destroy();
  expect(tasks.map(({ outcome }) => outcome)).toEqual(["terminated", ...Array<string>(19).fill("dropped")]);
  await turn();
  for (const { result } of tasks)
    expect(await failure(result)).toMatchObject({ code: "ABORT_ERR", cause: { code: "ERR_POOL_CLOSED" } });
  expectBalanced(pool.stats());
});

test("the size of an envelope has a bound, and what is beyond it goes with the next", async () => {
  const steps = await stepsOf();
  await using pool = steps.pool;
  const tasks = await steps.together(() => Array.from({ length: 3000 }, (_, i) => steps.step(i + 1, "id")));
  const ids = Array.from({ length: 3000 }, (_, i) => i + 1);
  expect(await Promise.all(tasks.map(({ result }) => result))).toEqual(ids);
  expect(begunOf(steps, ids)).toEqual(Array<number>(3000).fill(1));
  expectBalanced(pool.stats());
});
