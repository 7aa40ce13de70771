/** Reports as a measurement gives them, with invented figures: the defaults are whole and plausible. */
import type { BenchReport, CancellationReport, Case, Distribution, Growth } from "../../src/bench/report.js";

/** Spread around `p50` with a tail; everything in proportion to it. */
export function distribution(p50: number, overrides: Partial<Distribution> = {}): Distribution {
  const times = (factor: number) => Math.round(Number((p50 * factor).toPrecision(3)));
  const curve = [
    [0.42, 0.1],
    [0.55, 1],
    [0.66, 5],
    [0.75, 10],
    [0.87, 25],
    [1, 50],
    [1.31, 75],
    [1.9, 90],
    [2.6, 95],
    [5.2, 99],
    [12, 99.9],
    [31, 100],
  ].map(([factor, percent]): [number, number] => [times(factor!), percent!]);
  return {
    n: 1000,
    min: times(0.42),
    p50: times(1),
    p75: times(1.31),
    p90: times(1.9),
    p99: times(5.2),
    p999: times(12),
    max: times(31),
    mean: times(1.37),
    spread: [times(0.93), times(1.08)],
    curve,
    ...overrides,
  };
}

/** Of no samples at all. */
export const emptyDistribution: Distribution = {
  n: 0,
  min: 0,
  p50: 0,
  p75: 0,
  p90: 0,
  p99: 0,
  p999: 0,
  max: 0,
  mean: 0,
  spread: [0, 0],
  curve: [],
};

/** A task that polls often. */
export function cancellation(overrides: Partial<CancellationReport> = {}): CancellationReport {
  return {
    task: "countPrimes",
    tasks: 2,
    samples: 1000,
    isComplete: true,
    duration: { ns: 2.5e9, atLeast: true },
    window: 2e6,
    latency: {
      cancel: distribution(1_730),
      seen: distribution(412),
      stopped: distribution(3_270),
      settled: distribution(23_600),
      next: distribution(8_450),
    },
    first: { cancel: 112_000, settled: 487_000 },
    heard: 0,
    polls: { perSecond: 4_180_000, longestGap: 61_400, meanWait: 187 },
    outcomes: {
      completed: 0,
      failed: 0,
      dropped: 0,
      stopped: 1000,
      interrupted: 0,
      terminated: 0,
      crashed: 0,
    },
    hard: 0,
    finishedFirst: 3,
    timeline: { returned: 1_710, seen: 433, stopped: 3_190, next: 8_620, settled: 23_400 },
    summary: [
      "Half of the cancelled tasks had stopped after 3.27 µs, 99 of 100 after 17 µs.",
      "The task looks at its context 4,180,000 times a second; the longest it went without was 61.4 µs.",
    ],
    ...overrides,
  };
}

/** A task that never polls: stopped hard after its grace, its thread replaced. */
export function hardCancellation(overrides: Partial<CancellationReport> = {}): CancellationReport {
  const after = (ns: number) =>
    distribution(ns, {
      n: 40,
      min: ns - 1_000_000,
      p75: ns + 1_000_000,
      p90: ns + 2_000_000,
      p99: ns + 5_000_000,
      p999: ns + 7_000_000,
      max: ns + 7_000_000,
      mean: ns + 1_000_000,
      spread: [ns, ns + 1_000_000],
      curve: [
        [ns - 1_000_000, 7.5],
        [ns, 52.5],
        [ns + 1_000_000, 80],
        [ns + 2_000_000, 92.5],
        [ns + 3_000_000, 97.5],
        [ns + 7_000_000, 100],
      ],
    });
  const regular = cancellation();
  return {
    ...regular,
    task: "matchPattern",
    samples: 40,
    latency: {
      cancel: distribution(2_050, { n: 40 }),
      seen: undefined,
      stopped: after(251_000_000),
      settled: after(252_000_000),
      next: after(250_000_000),
    },
    polls: undefined,
    outcomes: { ...regular.outcomes, stopped: 0, terminated: 40 },
    hard: 1,
    finishedFirst: 0,
    timeline: {
      returned: 2_110,
      seen: undefined,
      stopped: 251_300_000,
      next: 252_040_000,
      settled: 251_360_000,
    },
    summary: ["It never looked at its context: each time it took the grace of 250 ms and a hard stop."],
    ...overrides,
  };
}

export function benchCase(overrides: Partial<Case> = {}): Case {
  return {
    name: "polls, one thread",
    about: "A loop of arithmetic that polls at each step.",
    args: [],
    pool: { threads: 2, spares: 1, grace: 250, onOverrun: "terminate" },
    report: cancellation(),
    bare: { seen: distribution(335), settled: distribution(14_900) },
    ...overrides,
  };
}

export function hardCase(overrides: Partial<Case> = {}): Case {
  return benchCase({
    name: "never polls, thread ended",
    about: "A regular expression that backtracks for hours.",
    report: hardCancellation(),
    bare: undefined,
    ...overrides,
  });
}

export const growth: readonly Growth[] = [
  { size: 1, submit: 6_120, cancel: 1_940, settled: 25_300 },
  { size: 10, submit: 3_870, cancel: 2_480, settled: 38_200 },
  { size: 100, submit: 2_010, cancel: 9_730, settled: 121_000 },
  { size: 1_000, submit: 1_640, cancel: 74_900, settled: 884_000 },
  { size: 10_000, submit: 1_580, cancel: 812_000, settled: 9_260_000 },
  { size: 100_000, submit: 1_710, cancel: 9_440_000, settled: 114_000_000 },
];

/** Three cases, all of them measured to the end on a quiet machine. */
export function benchReport(overrides: Partial<BenchReport> = {}): BenchReport {
  const rarely = cancellation({
    task: "countRarely",
    latency: {
      cancel: distribution(1_810),
      seen: distribution(512_000),
      stopped: distribution(516_000),
      settled: distribution(541_000),
      next: distribution(524_000),
    },
    timeline: { returned: 1_790, seen: 498_000, stopped: 502_000, next: 508_000, settled: 529_000 },
  });
  return {
    format: "lifeguard-bench",
    version: 1,
    date: "2026-01-31T12:34:56.789Z",
    lifeguard: "0.1.0",
    machine: {
      node: "22.18.0",
      v8: "12.4.254.21-node.27",
      platform: "linux x64",
      cpu: "AMD EPYC 7763 64-Core Processor",
      cores: 8,
      load: 0.12,
    },
    harness: { stamp: 43, countedPoll: 2.6, timedPoll: 58 },
    isComplete: true,
    cases: [
      benchCase(),
      benchCase({
        name: "polls each millisecond",
        about: "The same, but it polls seldom.",
        report: rarely,
        bare: undefined,
      }),
      hardCase(),
    ],
    growth,
    remarks: [],
    ...overrides,
  };
}
