// @ts-check
/** The documents that figures stand in: each with what the results give between its markers. */
import { format as formatted, ratioText } from "../../bench/support/print.mjs";
import {
  besides,
  bySide,
  everything,
  latency,
  misses,
  promises,
  runs,
  sideBySide,
  table,
} from "./tables.mjs";

/** @typedef {import("../../bench/support/results.mjs").Results} Results */

/**
 * Puts each text between `<!-- figures:NAME -->` and `<!-- /figures:NAME -->`.
 *
 * @param {string} document
 * @param {Readonly<Record<string, string>>} texts
 * @returns {string}
 * @throws {Error} where a marker has no text, a text no marker, or a marker no end
 */
export function fill(document, texts) {
  const left = new Set(Object.keys(texts));
  const filled = document.replaceAll(
    /<!-- figures:([\w-]+) -->\n[\s\S]*?(<!-- \/figures:\1 -->|$(?![\s\S]))/g,
    (_, /** @type {string} */ name, /** @type {string} */ end) => {
      const text = texts[name];
      if (text === undefined) throw new Error(`no figures are called ${name}`);
      if (end === "") throw new Error(`<!-- figures:${name} --> has no end`);
      left.delete(name);
      return `<!-- figures:${name} -->\n${text}\n${end}`;
    },
  );
  if (left.size > 0) throw new Error(`no marker for the figures ${[...left].join(", ")}`);
  return filled;
}

const PISCINA = "piscina";

/** The one table that everybody sees. */
const short = [
  { suite: "polling", what: "ctx.err(), a deadline armed", label: "a poll, `ctx.err()`", over: ["Go "] },
  {
    suite: "seen",
    what: "cancel() to the loop seeing it",
    label: "`cancel()` until a loop that polls sees it",
    over: ["bare flag"],
  },
  {
    suite: "settled",
    what: "cancel() to the promise settled",
    label: "… until its promise has settled",
    over: ["bare flag"],
  },
  {
    suite: "capacity",
    what: "cancel() of two running tasks that poll, to both threads usable again",
    label: "… until both threads of two such tasks are usable again",
    over: [PISCINA],
  },
  {
    suite: "capacity",
    what: "hard stop of a task that never polls, to the capacity usable again, with a warm spare",
    label: "hard stop of a task that never polls, until there is a thread for the next",
    over: [PISCINA],
  },
  {
    suite: "capacity",
    what: "the same with onOverrun: interrupt, its thread kept and no spare, to the thread's next task",
    label: '… with `onOverrun: "interrupt"`',
    over: [PISCINA],
  },
  {
    suite: "blocked",
    what: "lateness of a deadline, the main thread blocked for 500 ms",
    label: "how late a deadline is, the main thread blocked for 500 ms",
    over: [PISCINA],
  },
  {
    suite: "queue",
    what: "100,000 tasks: cancel() to all settled",
    label: "100,000 queued tasks cancelled, until all have settled",
    over: [],
  },
  {
    suite: "throughput",
    what: "100,000 tasks submitted at once, each",
    label: "100,000 tasks that do nothing, each",
    over: [PISCINA],
  },
  {
    suite: "context",
    what: "withCancel + cancel",
    label: "`withCancel` and `cancel`",
    over: ["Go ", "AbortController"],
  },
];

/**
 * @param {Results} bench
 * @param {Results} compare
 */
export function textsOfReadme(bench, compare) {
  return { short: besides(bench, short), runs: `${oneLine(bench, compare)}\n${WHY_TWO}` };
}

/** The table and the picture answer questions that sound alike. */
const WHY_TWO =
  "The table and the picture are not the same measurement: in the table the code is warm, or two tasks are cancelled at " +
  "once; in the picture each pool has a process of its own, where one task is cancelled straight from a timer " +
  "([more](docs/performance.md#beside-other-pools)).";

/**
 * @param {Results} bench
 * @param {Results} compare
 */
function oneLine({ machine, date, scale, isComplete, versions }, compare) {
  const isWhole = [scale, compare.scale].every((part) => part === 1) && isComplete && compare.isComplete;
  const trial = isWhole ? "" : " **A trial: these are no measurements.**";
  const go = versions.go == null ? "" : `, Go ${versions.go}`;
  return `Node ${machine.node}${go}, ${String(machine.cores)} × ${machine.processor}, ${date.slice(0, 10)}.${trial}`;
}

/** The largest size that was measured. @param {Results} compare @param {string} suite */
function largest(compare, suite) {
  const rows = compare.suites.find(({ name }) => name === suite)?.rows ?? [];
  const sizes = rows.flatMap(({ what }) => /^([\d,]+) tasks: /.exec(what)?.[1] ?? []);
  return sizes.at(-1) ?? "";
}

/**
 * @param {Results} bench
 * @param {Results} compare
 */
export function textsOfPerformance(bench, compare) {
  const n = largest(compare, "throughput");
  return {
    runs: runs([bench, compare]),
    misses: misses(bench),
    promises: promises(bench),
    latency: latency(bench),
    context: sideBySide(bench, "context", ["lifeguard", "AbortController", "setTimeout", "Go "]),
    harness: promisesOfHarness(bench),
    comlink: inPairs(bench, "comlink", ["with it", "beside it"]),
    http: inPairs(bench, "http", ["cancellation on", "cancellation off"]),
    cancel: bySide(compare, "cancel", cancelColumns("a task that computes")),
    hard: bySide(compare, "cancel", cancelColumns("a task that never looks up and never ends")),
    pools: bySide(compare, "throughput", [
      { what: `${n} tasks: run, all submitted at once, each`, head: `${n} tasks that do nothing, each` },
    ]),
    queued: bySide(compare, "batch", [
      { what: `${n} tasks: submitting under one context, each`, head: `${n} tasks: submitting, each` },
      { what: `${n} tasks: inside cancel()`, head: "inside `cancel()`" },
      { what: `${n} tasks: cancel() to all settled`, head: "until all have settled" },
    ]),
  };
}

/**
 * @param {string} what
 * @returns {{ what: string, head: string, also: "p99" | "max" }[]}
 */
function cancelColumns(what) {
  return [
    {
      what: `${what}: cancel() to its promise settled`,
      head: "its promise has settled: p50 (p99)",
      also: "p99",
    },
    {
      what: `${what}: runs on after its promise has settled`,
      head: "it runs on for: p50 (max)",
      also: "max",
    },
    {
      what: `${what}: cancel() to both threads usable again`,
      head: "both threads usable again: p50 (p99)",
      also: "p99",
    },
  ];
}

/**
 * Two sides a row: ours, and what it is beside.
 *
 * @param {Results} bench
 * @param {string} suite
 * @param {readonly string[]} heads
 */
function inPairs(bench, suite, heads) {
  const rows = bench.suites.find(({ name }) => name === suite)?.rows ?? [];
  const lines = rows.map(({ what, unit, sides, ratios }) => [
    what,
    ...sides.map(({ summary }) =>
      summary === undefined ? "" : `${formatted(summary.p50, unit)} (${formatted(summary.p99, unit)})`,
    ),
    ratios[0] === undefined ? "" : ratioText(ratios[0]),
  ]);
  const empty = [["not measured", ...heads.map(() => ""), ""]];
  return table(["p50 (p99)", ...heads, "ratio"], lines.length > 0 ? lines : empty);
}

/** @param {Results} bench */
function promisesOfHarness(bench) {
  const rows = bench.suites.find(({ name }) => name === "harness")?.rows ?? [];
  const lines = rows.flatMap(({ what, unit, sides, verdicts }) =>
    verdicts.length > 0
      ? [[what.replace("noise: ", ""), verdicts[0]?.got ?? ""]]
      : sides.map(({ name, summary }) => [
          `${what}: ${name}`,
          summary === undefined ? "" : `${formatted(summary.p50, unit)} (${formatted(summary.p99, unit)})`,
        ]),
  );
  return table(["", "p50 (p99), or the ratio with its spread"], lines);
}

/**
 * @param {Results} bench
 * @param {Results} compare
 */
export function allFigures(bench, compare) {
  return `# All figures

Written by \`npm run figures\` from the files beside this one; what they mean stands in [performance.md](../performance.md).

${runs([bench, compare])}

${everything(bench)}

# Beside other pools

${everything(compare)}
`;
}
