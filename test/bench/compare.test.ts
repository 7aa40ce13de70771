/** Two reports beside each other. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { changesBetween, comparisonText, readReport } from "../../src/bench/compare.js";
import type { BenchReport } from "../../src/bench/report.js";
import { benchCase, benchReport, cancellation, distribution, hardCase } from "./reports.js";

/** One case whose tasks settle in so many ns, with so much spread, in parts of that. */
function report(settled: number, spread = 0.05, change: Partial<BenchReport> = {}): BenchReport {
  const { latency } = cancellation();
  const figure = distribution(settled, { spread: [settled * (1 - spread), settled * (1 + spread)] });
  const cases = [benchCase({ report: cancellation({ latency: { ...latency, settled: figure } }) })];
  return benchReport({ cases, ...change });
}

const verdictOf = (before: BenchReport, after: BenchReport) =>
  changesBetween(before, after).find(({ figure }) => figure === "settled");

describe("a change", () => {
  test("beyond the spread of both is one", () => {
    expect(verdictOf(report(20_000), report(30_000))).toMatchObject({ ratio: 1.5, verdict: "slower" });
    expect(verdictOf(report(30_000), report(15_000))).toMatchObject({ ratio: 0.5, verdict: "faster" });
  });

  test("within it is none", () => {
    expect(verdictOf(report(20_000), report(20_000))).toMatchObject({ ratio: 1, verdict: "same" });
    expect(verdictOf(report(20_000, 0.3), report(30_000, 0.3))).toMatchObject({ verdict: "same" });
    expect(verdictOf(report(30_000, 0.3), report(20_000, 0.3))).toMatchObject({ verdict: "same" });
  });

  test("is told of what both have", () => {
    const both = changesBetween(benchReport({ cases: [hardCase()] }), benchReport({ cases: [hardCase()] }));
    expect(both.map(({ figure }) => figure)).toEqual(["stopped", "settled", "next"]);
    const renamed = benchReport({ cases: [hardCase({ name: "another" })] });
    expect(changesBetween(benchReport({ cases: [hardCase()] }), renamed)).toEqual([]);
    expect(comparisonText(benchReport({ cases: [] }), renamed)).toMatch(/no case in common/);
  });
});

test("a file that --json has written is read as it was, also of cases without bare figures or a next task", () => {
  const { latency } = cancellation();
  const unfollowed = cancellation({ latency: { ...latency, next: undefined } });
  const written = benchReport({ cases: [benchCase(), hardCase(), benchCase({ report: unfollowed })] });
  const folder = mkdtempSync(join(tmpdir(), "lifeguard-compare-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, "run.json");
  writeFileSync(file, JSON.stringify(written));
  expect(readReport(file)).toEqual(written);
});

describe("the text", () => {
  test("has both medians and tails, their ratio, and what to think of it", () => {
    const text = comparisonText(report(20_000), report(30_000));
    expect(text).toMatch(/^before: 2026-01-31T.*lifeguard 0\.1\.0, Node 22/);
    expect(text).toMatch(/^polls, one thread: settled +20 µs +30 µs +1\.50× +104 µs +156 µs +slower$/m);
  });

  test("compares the ratios to the bare primitives as well", () => {
    // 20 and 30 µs over 14.9.
    expect(comparisonText(report(20_000), report(30_000))).toMatch(
      /^polls, one thread: settled +1\.34× +2\.01× +\+50 %$/m,
    );
    const bare = undefined;
    expect(comparisonText(benchReport({ cases: [benchCase({ bare })] }), report(20_000))).not.toMatch(
      /over the bare/,
    );
  });

  test("compares to the bare flag only what was seen in both runs", () => {
    const { latency } = cancellation();
    const unseen = cancellation({ latency: { ...latency, seen: undefined } });
    const never = benchReport({ cases: [benchCase({ report: unseen })] });
    for (const [before, after] of [
      [never, report(20_000)],
      [report(20_000), never],
      [never, never],
    ] as const) {
      const text = comparisonText(before, after);
      expect(text).toMatch(/^polls, one thread: settled +[\d.]+× +[\d.]+× +[+-]?\d+ %$/m);
      expect(text).not.toContain("polls, one thread: seen");
    }
  });

  test("warns of other conditions", () => {
    const { args, pool } = benchCase();
    const other = benchReport({ cases: [benchCase({ args: [1], pool: { ...pool, grace: 0 } })] });
    expect(comparisonText(benchReport({ cases: [benchCase({ args, pool })] }), other)).toMatch(
      /^polls, one thread: not measured in the same way: \{"args":\[\],.*"grace":250.* before, \{"args":\[1\],.*"grace":0/m,
    );
    expect(comparisonText(other, other)).not.toMatch(/not measured in the same way/);
  });

  test("warns of another machine", () => {
    const { machine } = benchReport();
    const other = report(20_000, 0.05, { machine: { ...machine, node: "24.0.0" } });
    expect(comparisonText(report(20_000), other)).toMatch(/Not the same machine or Node/);
    expect(comparisonText(report(20_000), other)).not.toMatch(/(same|faster|slower)$/m);
    expect(comparisonText(report(20_000), report(20_000))).not.toMatch(/Not the same/);
  });
});
