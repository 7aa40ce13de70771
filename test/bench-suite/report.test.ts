import { expect, test } from "vitest";
import { format, printRow, printSummary, ratioText } from "../../bench/support/print.mjs";
import { type Asked, Report, type Row, type Side } from "../../bench/support/report.mjs";

const times = (n: number, value: number) => Array.from({ length: n }, () => value);

/** The row that a suite's call gives; undefined where it gives none. */
function rowOf(sides: Side[], options: { asked?: Asked[]; unit?: "ns" | "bytes"; spread?: boolean } = {}) {
  let row: Row | undefined;
  const report = new Report("suite", (message) => {
    if (message.type === "row") row = message.row;
  });
  report.row("what", sides, options);
  return row;
}

const ours: Side = { name: "ours", samples: times(40, 300) };
const theirs: Side = { name: "theirs", samples: times(40, 600) };

test("a row is data that survives JSON", () => {
  const row = rowOf([ours, theirs], { asked: [{ over: "theirs", atMost: 1 }] });
  expect(JSON.parse(JSON.stringify(row))).toEqual(row);
  expect(row?.ratios).toEqual([{ of: "ours", over: "theirs", value: 0.5, low: 0.5, high: 0.5 }]);
  expect(row?.sides.map(({ name, summary }) => [name, summary?.p999])).toEqual([
    ["ours", 300],
    ["theirs", 600],
  ]);
});

test.each<[Asked, boolean]>([
  [{ atMost: 300 }, true],
  [{ atMost: 299 }, false],
  [{ atLeast: 300 }, true],
  [{ atLeast: 301 }, false],
  [{ of: "theirs", atMost: 300 }, false],
  [{ over: "theirs", atMost: 1 }, true],
  [{ over: "theirs", atMost: 0.49 }, false],
  [{ over: "theirs", atLeast: 2 }, true],
  [{ over: "theirs", atLeast: 2.1 }, false],
  [{ over: "theirs", within: 0.5 }, false],
  [{ over: "theirs", within: 1 }, true],
  [{ of: "theirs", over: "ours", within: 0.99 }, false],
])("asked %o: %s", (asked, reached) => {
  expect(rowOf([ours, theirs], { asked: [asked] })?.verdicts).toMatchObject([{ reached }]);
});

test("what could not be measured has not been reached, and says why", () => {
  const crashed = { name: "ours", samples: [], note: "crashed" };
  const row = rowOf([crashed, theirs], { asked: [{ over: "theirs", atMost: 1 }, { atMost: 1e9 }] });
  expect(row?.verdicts.map(({ got, reached }) => [got, reached])).toEqual([
    ["crashed", false],
    ["crashed", false],
  ]);
  expect(row?.ratios).toEqual([]);
});

test("a peer that crashed stays in the row, with the reason, and takes no demand with it", () => {
  const row = rowOf([ours, { name: "theirs", samples: [], note: "crashed: SIGSEGV" }], {
    asked: [{ over: "theirs", atMost: 1 }],
  });
  expect(row?.verdicts).toEqual([]);
  expect(printRow(row!)).toMatch(/theirs +crashed: SIGSEGV\n/);
});

test("stopped before the first sample of ours, there is no row", () => {
  expect(rowOf([{ name: "ours", samples: [] }, theirs])).toBeUndefined();
});

test("what was noted has no spread; a reference has no ratio", () => {
  const noted = { name: "noted", samples: [600], noted: true };
  const row = rowOf([ours, noted, { ...theirs, isReference: true }]);
  expect(row?.ratios).toEqual([{ of: "ours", over: "noted", value: 0.5 }]);
  expect(printRow(row!)).toContain("2.00 × less than noted\n");
});

test("a ratio over nothing is left out: JSON has no infinity", () => {
  expect(rowOf([ours, { name: "theirs", samples: [0, 0] }])?.ratios).toEqual([]);
});

test("a printed row has p50, its spread, p75, p90, p99, p99.9 and the number of samples under their heads", () => {
  const samples = Array.from({ length: 1001 }, (_, i) => 1e9 + 1e9 * ((i * 8) % 1001));
  const [, heads, line] = printRow(rowOf([{ name: "ours", samples }])!).split("\n");
  expect(heads?.trim().split(/ {2,}/)).toEqual(["p50", "in parts", "p75", "p90", "p99", "p99.9", "max", "n"]);
  const cells = line?.trim().split(/ {2,}/);
  expect(cells?.[2]).toMatch(/^\d+ to \d+ s$/);
  expect(cells?.toSpliced(2, 1)).toEqual([
    "ours",
    ...["501 s", "751 s", "901 s", "991 s", "1000 s", "1001 s"],
    "1001",
  ]);
});

test("columns end where their heads end", () => {
  const [, heads = "", ...lines] = printRow(rowOf([ours, theirs])!).split("\n");
  for (const line of lines.slice(0, 2)) expect(line).toHaveLength(heads.length);
});

test("a ratio asked for is said once: with the verdict", () => {
  const text = printRow(rowOf([ours, theirs], { asked: [{ over: "theirs", atMost: 1 }] })!);
  expect(text.match(/× less than theirs/g)).toHaveLength(1);
  expect(text).toContain("asked not above theirs: 2.00 × less than theirs (2.00 to 2.00): reached");
});

test("a ratio is told so that it is above one, its spread in order", () => {
  expect(ratioText({ of: "a", over: "b", value: 0.5, low: 0.25, high: 1 })).toBe(
    "2.00 × less than b (1.00 to 4.00)",
  );
  expect(ratioText({ of: "a", over: "b", value: 2, low: 1, high: 4 })).toBe("2.00 × b (1.00 to 4.00)");
});

test.each([
  [0, "ns", "0 ns"],
  [0.5, "ns", "0.50 ns"],
  [999, "ns", "999 ns"],
  [1000, "ns", "1.00 µs"],
  [15_300_000, "ns", "15.3 ms"],
  [-1_500, "ns", "-1.50 µs"],
  [2e9, "ns", "2.00 s"],
  [9_999, "bytes", "9999 B"],
  [10_000, "bytes", "10.0 kB"],
  [2_500_000, "bytes", "2.50 MB"],
  [1.956, "times", "1.96 ×"],
  [3, "count", "3"],
] as const)("%d %s is %s", (value, unit, text) => {
  expect(format(value, unit)).toBe(text);
});

test("the summary counts what was reached and what was missed", () => {
  const row = rowOf([ours, theirs], { asked: [{ atMost: 300 }, { atMost: 1 }] })!;
  const text = printSummary([{ suite: "suite", row }]);
  expect(text).toContain("What is asked: 1 reached, 1 missed");
  expect(text).toContain("missed   suite: what: 300 ns, asked at most 1.00 ns");
});
