/** The sentences under the figures: each situation has its own, and its own advice. */
import { describe, expect, test } from "vitest";
import { distributionOf } from "../../src/bench/distribution.js";
import type { CancellationReport, Polls } from "../../src/bench/report.js";
import { summaryOf } from "../../src/bench/summary.js";

const MS = 1e6;

type Change = Partial<Omit<CancellationReport, "latency">> & {
  latency?: Partial<Record<keyof CancellationReport["latency"], number | undefined>>;
};

/** Of a task that polls all the time and stops at once, with what is said to be otherwise; latencies by their one time. */
function summary({ latency = {}, ...change }: Change = {}): string {
  const times = { cancel: 500, seen: 600, stopped: 5000, settled: 15_000, next: 20_000, ...latency };
  const all = Object.fromEntries(
    Object.entries(times).map(([name, ns]) => [
      name,
      ns === undefined ? undefined : distributionOf(Array(100).fill(ns)),
    ]),
  );
  return summaryOf({
    task: "render",
    tasks: 1,
    samples: 100,
    isComplete: true,
    duration: { ns: 500 * MS, atLeast: true },
    window: 100 * MS,
    latency: all as unknown as CancellationReport["latency"],
    first: { cancel: 100_000, settled: 300_000 },
    heard: 0,
    polls: polls(10, 900, 6),
    outcomes: {
      completed: 0,
      failed: 0,
      dropped: 0,
      stopped: 100,
      interrupted: 0,
      terminated: 0,
      crashed: 0,
    },
    hard: 0,
    finishedFirst: 0,
    timeline: undefined,
    ...change,
  }).join("\n");
}

function polls(interval: number, longestGap: number, meanWait: number): Polls {
  return { perSecond: 1e9 / interval, longestGap, meanWait };
}

describe("the summary", () => {
  test("of one whose polls come later than its grace: not that it never looks", () => {
    const text = summary({ polls: polls(10 * MS, 11 * MS, 5 * MS), latency: { seen: undefined }, hard: 1 });
    expect(text).toMatch(
      /^It polls every 10 ms, 11 ms apart at most, and was stopped hard before it came to that/,
    );
    expect(text).not.toMatch(/never looked|throwIfDone/);
  });

  test("of one that awaits what does not know of the context", () => {
    const text = summary({ heard: 1, latency: { seen: 50_000, stopped: 17 * MS } });
    expect(text).toMatch(/But it goes on for another 1[67][.\d]* ms: .*sleep\(ctx, …\) or race\(ctx, …\)/);
    expect(text).not.toMatch(/its own clean-up, and counts|poll more often/);
    expect(summary({ heard: 1, hard: 1, latency: { seen: 50_000, stopped: 250 * MS } })).not.toMatch(
      /poll more/,
    );
  });

  test("of one that does not poll in each run", () => {
    expect(summary({ polls: polls(Infinity, 5 * MS, MS) })).toMatch(
      /^It looks at its context at times, and at times/,
    );
  });

  test("of one that is cut off: not to choose that", () => {
    const cut = { polls: polls(Infinity, MS, MS), latency: { seen: undefined }, hard: 1 };
    expect(summary({ ...cut, outcomes: { ...none, interrupted: 100 } })).not.toMatch(/choose/);
  });

  test("of a task that polls all the time: nothing to do", () => {
    expect(summary()).toBe(
      "It polls every 10 ns: a cancellation takes 0.6 µs on average to be seen, and 0.9 µs at worst; half of all cancellations have settled within 15 µs, 99 of 100 within 15 µs. There is nothing to gain by polling more.",
    );
  });

  test("of one that polls every 31 ms: 16 ms on average, and where to poll", () => {
    const text = summary({
      polls: polls(31 * MS, 32 * MS, 16 * MS),
      latency: { seen: 16 * MS, stopped: 16 * MS, settled: 16 * MS },
    });
    expect(text).toMatch(
      /^It polls every 31 ms: a cancellation takes 16 ms on average to be seen, and 32 ms at worst/,
    );
    expect(text).toMatch(/To stop sooner, poll inside the inner loop\.$/);
  });

  test("of one that polls often, but not always: to look for the gap", () => {
    const text = summary({ polls: polls(1000, 40 * MS, 8 * MS), latency: { seen: 8 * MS, stopped: 8 * MS } });
    expect(text).toMatch(/40 ms at worst, since it does not poll all the time/);
    expect(text).toMatch(/Look for what it does in between, and poll there, too/);
    expect(text).not.toMatch(/inner loop/);
  });

  test("of one that never polls: a poll, or a cut; and that it had to be stopped", () => {
    const outcomes = { ...none, terminated: 100 };
    const text = summary({
      polls: polls(Infinity, 500 * MS, 250 * MS),
      latency: { seen: undefined },
      outcomes,
      hard: 1,
    });
    expect(text).toMatch(/^It never looked at its context/);
    expect(text).toMatch(/Call ctx\.throwIfDone\(\) in its inner loop.*onOverrun: "interrupt"/);
    expect(text).toMatch(/All of the cancelled tasks had to be stopped hard/);
  });

  test("of one that awaits: nothing about polls", () => {
    const text = summary({ heard: 1, polls: polls(500 * MS, 1000, 10) });
    expect(text).toMatch(/^Its thread is told of a cancellation while it awaits something/);
    expect(text).not.toMatch(/polls every/);
  });

  test("of one that overran its grace at times: how many did", () => {
    const text = summary({ hard: 0.042, polls: polls(MS, 300 * MS, 20 * MS) });
    expect(text).toMatch(/4\.2 % had to be stopped hard, because they overran their grace/);
  });

  test("of one that cleans up at length: how long", () => {
    expect(summary({ latency: { stopped: 12 * MS } })).toMatch(/it takes another 12 ms to stop/);
    expect(summary({ latency: { stopped: 0.5 * MS } })).not.toMatch(/another/);
  });

  test("of outcomes that are not stopped", () => {
    expect(summary({ outcomes: { ...none, failed: 25, stopped: 75 } })).toMatch(
      /25 % failed with an error of their own/,
    );
    expect(summary({ outcomes: { ...none, completed: 100 } })).toMatch(
      /All completed although they had been cancelled/,
    );
    expect(summary({ outcomes: { ...none, crashed: 5, stopped: 95 } })).toMatch(
      /5\.0 % took their thread down/,
    );
  });

  test("of few samples, and of tasks that were over too soon", () => {
    expect(summary({ samples: 12 })).toMatch(/12 cancellations are few: more of them make/);
    expect(summary({ samples: 12, isComplete: false })).toMatch(/few, since it was ended early/);
    expect(summary({ samples: 1 })).toMatch(/One cancellation is few/);
    expect(summary({ finishedFirst: 80 })).toMatch(/80 tasks were over before they could be cancelled/);
    expect(summary({ finishedFirst: 3 })).not.toMatch(/over before/);
  });
});

const none = { completed: 0, failed: 0, dropped: 0, stopped: 0, interrupted: 0, terminated: 0, crashed: 0 };
