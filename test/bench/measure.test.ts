/** `measureCancellation`: what it tells of tasks of all kinds, and what it says where it can tell nothing. */
import { background, type Pool, PoolError, withCancel, withTimeout } from "lifeguard";
import { MeasurementError, type MeasureOptions, measureCancellation } from "lifeguard/bench";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { expectWhole, failure, pooled, rejection, until } from "../support/pool.js";
import { longSecondGrace } from "../support/second-grace.mjs";

/** A grace for tasks that stop by themselves, whatever else the machine has to do. */
const PATIENT = 30_000;

// One for all: each measurement leaves it whole, or the next one fails.
let pool: Pool;
beforeAll(async () => {
  pool = pooled({ threads: 1, grace: PATIENT }, "measured.mjs");
  await pool.ready();
});
afterAll(() => pool.destroy());

const quick: MeasureOptions = { time: 800, samples: 20 };
const measure = (name: string, args: unknown[] = [], options: MeasureOptions = {}) =>
  measureCancellation(pool, name, args, { ...quick, ...options });

describe("what it tells", () => {
  test("of a task that polls: the moments come in their order, and all have stopped", async () => {
    const report = await measure("spins", [], { time: 30_000 });
    const { latency, outcomes, timeline, polls } = report;
    expect(report).toMatchObject({
      task: "spins",
      tasks: 1,
      samples: 20,
      isComplete: true,
      hard: 0,
      heard: 0,
    });
    expect(outcomes).toMatchObject({ stopped: 20, completed: 0, terminated: 0 });
    // Every second one had another one behind it.
    for (const figure of [latency.cancel, latency.seen, latency.stopped, latency.settled])
      expect(figure?.n).toBe(10);
    expect(latency.next?.n).toBe(10);
    expect(latency.seen?.p50).toBeLessThanOrEqual(latency.stopped.p50);
    // Nothing settles before it has stopped, so no part of them does.
    for (const part of ["min", "p50", "p75", "p90", "p99", "p999", "max"] as const)
      expect(latency.stopped[part]).toBeLessThanOrEqual(latency.settled[part]);
    expect(timeline).toBeDefined();
    expect(timeline?.seen).toBeLessThanOrEqual(timeline?.stopped ?? 0);
    expect(timeline?.stopped).toBeLessThan(timeline?.next ?? 0);
    expect(timeline?.stopped).toBeLessThan(timeline?.settled ?? 0);
    expect(polls?.perSecond).toBeGreaterThan(10_000);
    expect(report.duration.atLeast).toBe(true);
    expect(report.first.settled).toBeGreaterThan(report.first.cancel);
    expect(report.summary[0]).toMatch(/^It polls every /);
    await expectWhole(pool, 1);
  });

  test("of one that polls rarely: its gap, the wait that follows from it, and where to poll", async () => {
    const { polls, latency, summary } = await measure("pollsEvery", [5]);
    expect(polls?.longestGap).toBeGreaterThanOrEqual(5e6);
    expect(polls?.perSecond).toBeLessThan(300);
    expect(polls?.meanWait).toBeGreaterThanOrEqual(2.4e6);
    // The mean of what waits for the end of a gap is at most half of the longest.
    expect(polls?.meanWait).toBeLessThanOrEqual((1.001 * (polls?.longestGap ?? 0)) / 2);
    expect(latency.seen?.max).toBeLessThanOrEqual(latency.stopped.max);
    expect(summary.join(" ")).toMatch(/poll inside the inner loop|poll there, too/);
  });

  test("of one that awaits: it is told", async () => {
    const report = await measure("awaits");
    expect(report.heard).toBe(1);
    expect(report.outcomes.stopped).toBe(report.samples);
    expect(report.summary[0]).toMatch(/^Its thread is told of a cancellation while it awaits something/);
  });

  test("of one that never polls: it was stopped hard, and what to do", async () => {
    const report = await measure("neverPolls", [], { grace: 0, samples: 10 });
    expect(report).toMatchObject({ hard: 1, samples: 10, window: 20e6 });
    expect(report.latency.seen).toBeUndefined();
    expect(report.outcomes.terminated).toBe(10);
    expect(report.polls?.perSecond).toBe(0);
    expect(report.timeline).toBeDefined();
    expect(report.timeline?.seen).toBeUndefined();
    expect(report.summary.join(" ")).toMatch(/never looked.*throwIfDone/);
    await expectWhole(pool, 1);
  });

  test("of one that is cut off", async () => {
    const takeBack = longSecondGrace();
    onTestFinished(takeBack);
    const report = await measure("neverPolls", [], { grace: 0, samples: 10, onOverrun: "interrupt" });
    expect(report.outcomes.interrupted).toBe(10);
    expect(report.hard).toBe(1);
  });

  test("of one that takes long to clean up", async () => {
    const report = await measure("cleansUp", [10]);
    expect(report.outcomes.stopped).toBe(report.samples);
    expect(report.latency.stopped.min).toBeGreaterThanOrEqual(10e6 - 1e4);
    expect(report.polls?.perSecond).toBeGreaterThan(10_000);
    expect(report.summary.join(" ")).toMatch(/clean-up/);
  });

  test("of one that gives up with an error of its own, and of one that returns its best", async () => {
    const failed = await measure("throwsItsOwn");
    expect(failed.outcomes.failed).toBe(failed.samples);
    expect(failed.summary.join(" ")).toMatch(/All failed with an error of their own/);
    const completed = await measure("bestSoFar");
    expect(completed.outcomes.completed).toBe(completed.samples);
    expect(completed.summary.join(" ")).toMatch(/All completed although/);
  });

  // A run that was held up is taken for the usual one: then most others are over before they are cancelled.
  test("of one that ends by itself: how long it takes; and it is cancelled all over that time", {
    retry: 9,
  }, async () => {
    const { duration, window, finishedFirst, samples } = await measure("worksFor", [20], {
      time: 5000,
    });
    expect(duration.atLeast).toBe(false);
    expect(duration.ns).toBeGreaterThanOrEqual(20e6 - 1e4);
    expect(window).toBe(duration.ns);
    expect(samples).toBeGreaterThanOrEqual(10);
    expect(finishedFirst).toBeLessThan(samples);
  });

  test("of several at once", async () => {
    await using three = pooled({ threads: 3, grace: PATIENT }, "measured.mjs");
    const { tasks, samples, outcomes, latency } = await measureCancellation(three, "spins", [], {
      ...quick,
      tasks: 3,
      samples: 10,
    });
    expect({ tasks, samples }).toEqual({ tasks: 3, samples: 10 });
    expect(outcomes.stopped).toBe(30);
    expect(latency.seen?.n).toBe(15);
    expect(latency.cancel.n).toBe(5);
    expect(latency.next?.n).toBe(15);
    await expectWhole(three, 3);
  });

  test("of fewer than fill the pool: nothing of the next task", async () => {
    await using two = pooled({ threads: 2, grace: PATIENT }, "measured.mjs");
    const { latency, timeline } = await measureCancellation(two, "spins", [], { ...quick, samples: 10 });
    expect(latency.next).toBeUndefined();
    expect(timeline).toBeUndefined();
    expect(latency.settled.n).toBe(10);
  });

  test("how far it is: counts up to the samples", async () => {
    const seen: [number, number][] = [];
    await measure("spins", [], {
      samples: 10,
      onProgress: (done, of) => {
        seen.push([done, of]);
        throw new Error("nobody's business");
      },
    });
    expect(seen.at(-1)).toEqual([10, 10]);
    expect(seen.map(([done]) => done)).toEqual([...seen.map(([done]) => done)].sort((a, b) => a - b));
  });
});

test("of a pool whose queue takes nothing: all but the next task", async () => {
  await using full = pooled({ threads: 1, maxQueue: 0, grace: PATIENT }, "measured.mjs");
  const { latency, samples } = await measureCancellation(full, "spins", [], { ...quick, samples: 10 });
  expect(samples).toBe(10);
  expect(latency.next).toBeUndefined();
});

describe("where nothing can be told: a code, and what to do", () => {
  const errors: [name: string, args: unknown[], options: MeasureOptions, code: string, message: RegExp][] = [
    ["fails", [], {}, "ERR_TASK_FAILED", /"fails" failed before it was cancelled: TypeError: no such file/],
    ["failsAfter", [5], {}, "ERR_TASK_FAILED", /RangeError: out of paper/],
    [
      "throwsText",
      [],
      {},
      "ERR_TASK_FAILED",
      /"throwsText" failed before it was cancelled: out of ink; make/,
    ],
    ["exits", [], {}, "ERR_TASK_FAILED", /exited with code 3/],
    ["nothing", [], {}, "ERR_TASK_TOO_SHORT", /over before it can be cancelled; give it arguments/],
    [
      "spins",
      [],
      { tasks: 2, patience: 50 },
      "ERR_TASK_NOT_STARTED",
      /cannot run 2 times at once: the pool has 1 threads/,
    ],
    ["neverPolls", [], { grace: 3000, patience: 1000 }, "ERR_TASK_NOT_STOPPED", /went on for 1000 ms/],
    ["missing", [], {}, "ERR_UNKNOWN_TASK", /no function "missing"/],
    ["worksFor", [() => {}], {}, "ERR_NOT_CLONEABLE", /argument/],
  ];
  test.each(errors)("%s(%j) with %o", async (name, args, options, code, message) => {
    const error = await failure(measure(name, args, options));
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(message);
    // Also after one that was left running: it is stopped after its grace.
    await until(() => pool.stats().running + pool.stats().stuck === 0);
    await expectWhole(pool, 1);
  });

  test("what a task failed with is the cause", async () => {
    const error = await failure(measure("fails"));
    expect(error).toBeInstanceOf(MeasurementError);
    expect(error).toMatchObject({ name: "MeasurementError", code: "ERR_TASK_FAILED" });
    expect(error.cause).toBeInstanceOf(TypeError);
    expect((await failure(measure("throwsText"))).cause).toBe("out of ink");
  });

  test("a pool that is busy with other tasks: it did not begin", async () => {
    const [ctx, cancel] = withCancel(background);
    const other = pool.run(ctx, "spins").catch(() => {});
    const error = await failure(measure("spins", [], { patience: 50 }));
    expect(error).toMatchObject({ code: "ERR_TASK_NOT_STARTED" });
    expect(error.message).toMatch(/of the pool's 1 threads 0 are idle/);
    cancel();
    await other;
    await expectWhole(pool, 1);
  });

  test("a module that does not load, or never gets done with it", async () => {
    await using broken = pooled({ threads: 1 }, "throws-while-loading.mjs");
    expect(await failure(measureCancellation(broken, "a", []))).toBeInstanceOf(PoolError);
    await using never = pooled({ threads: 1 }, "never-loads.mjs");
    const error = await failure(measureCancellation(never, "a", [], { patience: 50 }));
    expect(error).toMatchObject({ code: "ERR_TASK_NOT_STARTED" });
    expect(error.message).toMatch(/was not loaded within 50 ms/);
  });

  test("a pool that is closed", async () => {
    const closed = pooled({ threads: 1 }, "measured.mjs");
    await closed.destroy();
    expect(await failure(measureCancellation(closed, "spins", []))).toMatchObject({
      code: "ERR_POOL_CLOSED",
    });
  });
});

describe("when its context ends", () => {
  test("later on: it resolves with what there is", async () => {
    const [ctx, cancel] = withCancel(background);
    const report = await measure("spins", [], {
      ctx,
      samples: 1000,
      time: 60_000,
      onProgress: (done) => {
        if (done === 3) cancel();
      },
    });
    expect(report).toMatchObject({ isComplete: false, samples: 3 });
    expect(report.summary.join(" ")).toMatch(/3 cancellations are few, since it was ended early/);
    await expectWhole(pool, 1);
  });

  test("before there is anything: it rejects with err(), and nothing is left behind", async () => {
    const before = pool.stats().submitted;
    const [over, cancel] = withCancel(background);
    cancel();
    expect(await rejection(measure("spins", [], { ctx: over }))).toBe(over.err());
    expect(pool.stats().submitted).toBe(before);
    const [soon] = withTimeout(background, 30);
    expect(await rejection(measure("neverPolls", [], { ctx: soon, time: 60_000, grace: 0 }))).toBe(
      soon.err(),
    );
    await expectWhole(pool, 1);
  });

  test("after cancellations that are not in the figures: it rejects with err()", async () => {
    const [ctx, cancel] = withCancel(background);
    const told: number[] = [];
    const onProgress = (done: number): void => {
      told.push(done);
      cancel();
    };
    expect(await rejection(measure("spins", [], { ctx, time: 60_000, onProgress }))).toBe(ctx.err());
    expect(told).toEqual([0]);
    await expectWhole(pool, 1);
  });

  test("while the pool is busy with other tasks: it rejects with err(), and its own task never begins", async () => {
    const [busy, goOn] = withCancel(background);
    const other = pool.run(busy, "spins").catch(() => {});
    await until(() => pool.stats().running === 1);
    const { started, outcomes } = pool.stats();
    const [ctx, cancel] = withCancel(background);
    const measured = rejection(measure("spins", [], { ctx, patience: 3_600_000 }));
    await until(() => pool.stats().queued === 1);
    cancel();
    expect(await measured).toBe(ctx.err());
    expect(pool.stats()).toMatchObject({
      started,
      queued: 0,
      outcomes: { ...outcomes, dropped: outcomes.dropped + 1 },
    });
    goOn();
    await other;
    await expectWhole(pool, 1);
  });
});

describe("bad input", () => {
  const wrong: [
    what: string,
    pool: unknown,
    name: unknown,
    args: unknown,
    options: unknown,
    message: RegExp,
  ][] = [
    ["no pool", {}, "spins", [], {}, /pool: expected a Pool/],
    ["no name", 0, 5, [], {}, /pool: expected a Pool/],
    ["a name that is none", undefined, 5, [], {}, /name: expected the name of a task, got 5/],
    ["arguments that are no array", undefined, "spins", "x", {}, /args: expected an array/],
    ["options that are none", undefined, "spins", [], 5, /options: expected an object/],
    ["a context that is none", undefined, "spins", [], { ctx: {} }, /options\.ctx: expected a Context/],
    ...[0, 1.5, Number.NaN, "1"].flatMap((value): (typeof wrong)[number][] => [
      [
        `tasks: ${String(value)}`,
        undefined,
        "spins",
        [],
        { tasks: value },
        /options\.tasks: expected an integer/,
      ],
      [
        `samples: ${String(value)}`,
        undefined,
        "spins",
        [],
        { samples: value },
        /options\.samples: expected an/,
      ],
    ]),
    [
      "time: 0",
      undefined,
      "spins",
      [],
      { time: 0 },
      /options\.time: expected more than 0 milliseconds, got 0/,
    ],
    [
      "patience: NaN",
      undefined,
      "spins",
      [],
      { patience: Number.NaN },
      /options\.patience: expected more than 0/,
    ],
    ["onProgress: 5", undefined, "spins", [], { onProgress: 5 }, /options\.onProgress: expected a function/],
    ["grace: -1", undefined, "spins", [], { grace: -1 }, /options\.grace: expected 0 or more/],
    [
      "onOverrun: stop",
      undefined,
      "spins",
      [],
      { onOverrun: "stop" },
      /options\.onOverrun: expected "terminate"/,
    ],
  ];
  test.each(wrong)("%s", async (_, which, name, args, options, message) => {
    const call = measureCancellation as unknown as (...args: unknown[]) => Promise<unknown>;
    const error = await failure(call(which ?? pool, name, args, options));
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ code: "ERR_INVALID_ARG" });
    expect(error.message).toMatch(message);
  });
});
