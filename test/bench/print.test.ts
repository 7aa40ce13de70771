/** A report as text. */
import { describe, expect, test } from "vitest";
import { table, textOf } from "../../src/bench/print.js";
import { benchCase, benchReport, cancellation, distribution, hardCase } from "./reports.js";

const linesOf = (change: Parameters<typeof benchReport>[0]) => textOf(benchReport(change)).split("\n");

test("a table: the first column to the left, the others to the right", () => {
  expect(table([["name", "p50"], ["a", "1 ns"], ["longer", "1.25 µs"], ["short"]])).toEqual([
    "name        p50",
    "a          1 ns",
    "longer  1.25 µs",
    "short",
  ]);
});

describe("the text of a report", () => {
  test("begins with versions and the machine", () => {
    expect(linesOf({})[0]).toBe(
      "lifeguard 0.1.0, Node 22.18.0, 8 × AMD EPYC 7763 64-Core Processor, load 0.12",
    );
    expect(linesOf({})[1]).toBe("");
  });

  test("says when the machine was not quiet, and when it was ended early", () => {
    const { machine } = benchReport();
    expect(linesOf({ machine: { ...machine, load: 1.5 } })[1]).toMatch(/not quiet/);
    expect(linesOf({ isComplete: false }).at(-2)).toBe("Ended early: these are the figures so far.");
    expect(linesOf({}).join()).not.toMatch(/Ended early|not quiet/);
  });

  test("ends with the remarks, a line each, before it says that it was ended early", () => {
    const remarks = ["The growth was not measured: no memory.", "Another remark."];
    expect(linesOf({ remarks }).slice(-4)).toEqual(["", ...remarks, ""]);
    expect(linesOf({ remarks, isComplete: false }).slice(-6)).toEqual([
      "",
      ...remarks,
      "",
      "Ended early: these are the figures so far.",
      "",
    ]);
  });

  test("says how long a task takes that ends by itself", () => {
    const report = cancellation({ duration: { ns: 20e6, atLeast: false }, window: 20e6 });
    expect(linesOf({ cases: [benchCase({ report })] })).toContain(
      "  Alone it takes 20 ms; it was cancelled at random moments of its first 20 ms.",
    );
  });

  test("has a row for each figure, by name, and the ratios to what is bare", () => {
    const lines = linesOf({ cases: [benchCase()] });
    expect(lines.slice(2, 11)).toEqual([
      "polls, one thread: A loop of arithmetic that polls at each step.",
      "  from cancel() to       p50      p75      p90      p99    p99.9      max     n",
      "  its return         1.73 µs  2.27 µs  3.29 µs     9 µs  20.8 µs  53.6 µs  1000",
      "  seen               0.41 µs  0.54 µs  0.78 µs  2.14 µs  4.94 µs  12.8 µs  1000",
      "  stopped            3.27 µs  4.28 µs  6.21 µs    17 µs  39.2 µs   101 µs  1000",
      "  settled            23.6 µs  30.9 µs  44.8 µs   123 µs   283 µs   732 µs  1000",
      "  next task begun    8.45 µs  11.1 µs  16.1 µs  43.9 µs   101 µs   262 µs  1000",
      "  bare flag seen     0.34 µs  0.44 µs  0.64 µs  1.74 µs  4.02 µs  10.4 µs  1000",
      "  bare message back  14.9 µs  19.5 µs  28.3 µs  77.5 µs   179 µs   462 µs  1000",
    ]);
    expect(lines[11]).toBe("  At p50, seen 1.2× a bare flag, settled 1.6× a bare message.");
    expect(lines[12]).toBe(
      "  Alone it goes on and on; it was cancelled at random moments of its first 2 ms.",
    );
    expect(lines[13]).toMatch(/^ {2}1000 cancellations of 2 tasks each: 1000 stopped\. p50 of settled was /);
    expect(lines).toContain("  The very first: cancel() 112 µs, settled after 487 µs.");
    expect(lines).toContain("  4.18M polls a second, each; the longest gap 61.4 µs, a mean wait of 0.19 µs.");
  });

  test("has no p99.9 where there are too few samples for one", () => {
    const few = distribution(1000, { n: 999 });
    const report = cancellation({
      latency: { cancel: few, seen: few, stopped: few, settled: few, next: few },
    });
    expect(linesOf({ cases: [benchCase({ report, bare: undefined })] })[5]).toMatch(/ µs +– +31 µs +999$/);
  });

  test("of one that never looked, that was not compared, nor followed", () => {
    const report = cancellation({ polls: { perSecond: 0, longestGap: 5, meanWait: 2 }, timeline: undefined });
    const { latency } = report;
    const changed = { ...report, latency: { ...latency, seen: undefined, next: undefined } };
    const text = linesOf({ cases: [hardCase({ report: changed })] }).join("\n");
    expect(text).toMatch(/^ {2}seen +never$/m);
    expect(text).not.toMatch(/next task|bare|polls a second|One of them|undefined/);
  });

  test("one cancellation, in the order of its moments", () => {
    expect(linesOf({}).join("\n")).toMatch(
      /One of them: seen 0\.43 µs, cancel\(\) returned 1\.71 µs, stopped 3\.19 µs, next task begun 8\.62 µs, settled 23\.4 µs\./,
    );
  });

  test("the growth, and what measuring costs", () => {
    const text = linesOf({}).join("\n");
    expect(text).toMatch(/^tasks under one context +submit, each +cancel\(\) +all settled +each$/m);
    expect(text).toMatch(/^100,000 +1\.71 µs +9\.44 ms +114 ms +1\.14 µs$/m);
    expect(text).toMatch(/^Measuring costs: a stamp 43 ns.* counting a poll 2\.6 ns and timing it 58 ns/m);
    expect(linesOf({ growth: [] }).join("\n")).not.toMatch(/tasks under one context/);
  });
});
