// @ts-check
/** Tables in Markdown from the results of `npm run bench` and `npm run compare`. What is in them is in the files; nothing is measured here. */
import { format, ratioText } from "../../bench/support/print.mjs";

/** @typedef {import("../../bench/support/results.mjs").Results} Results */
/** @typedef {import("../../bench/support/report.mjs").Row} Row */
/** @typedef {import("../../bench/support/report.mjs").SideResult} SideResult */

/** What stands where a suite did not get to, or a side could not. */
const NONE = "not measured";

/**
 * @param {Results} results
 * @param {string} suite
 * @param {string} what
 * @returns {Row | undefined}
 */
export function rowOf(results, suite, what) {
  return results.suites.find(({ name }) => name === suite)?.rows.find((row) => row.what === what);
}

/**
 * @param {readonly string[]} heads
 * @param {readonly (readonly string[])[]} rows
 */
export function table(heads, rows) {
  const line = (/** @type {readonly string[]} */ cells) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line)].join("\n");
}

/**
 * @param {Row | undefined} row
 * @param {SideResult | undefined} side
 * @param {"p50" | "p99" | "p999" | "max"} [also] in brackets
 */
function cell(row, side, also) {
  if (row === undefined || side === undefined) return NONE;
  const { summary, note } = side;
  if (summary === undefined) return note ?? NONE;
  const show = (/** @type {number} */ value) => format(value, row.unit);
  return show(summary.p50) + (also !== undefined && summary.n > 1 ? ` (${show(summary[also])})` : "");
}

/**
 * The first side of a row beside another one of it.
 *
 * @param {Results} results
 * @param {readonly { readonly suite: string, readonly what: string, readonly label: string, readonly over: readonly string[] }[]} lines
 * over: the beginnings of the names to compare with, the first that is there
 */
export function besides(results, lines) {
  return table(
    ["", "lifeguard: p50 (p99)", "beside it, in the same run"],
    lines.map(({ suite, what, label, over }) => {
      const row = rowOf(results, suite, what);
      const ratios = over.flatMap((name) => row?.ratios.find((ratio) => ratio.over.startsWith(name)) ?? []);
      return [label, cell(row, row?.sides[0], "p99"), ratios.slice(0, 1).map(ratioText).join("")];
    }),
  );
}

/**
 * Without the harness: what is asked there is asked of the machine.
 *
 * @param {Results} results
 */
function ofLifeguard({ suites }) {
  return suites.filter(({ name }) => name !== "harness");
}

/**
 * Everything that was asked, and what came of it.
 *
 * @param {Results} results
 */
export function promises(results) {
  const lines = ofLifeguard(results).flatMap(({ name, rows }) =>
    rows.flatMap((row) =>
      row.verdicts.map(({ asked, got, reached }) => [
        `\`${name}\``,
        row.what,
        asked,
        got,
        reached ? "reached" : "**missed**",
      ]),
    ),
  );
  return table(["suite", "what", "asked", "got, at p50", ""], lines);
}

/** @param {Results} results */
export function misses(results) {
  const all = ofLifeguard(results).flatMap(({ rows }) => rows.flatMap(({ verdicts }) => verdicts));
  const missed = all.filter(({ reached }) => !reached).length;
  return `Of ${String(all.length)} demands this run reached ${String(all.length - missed)} and missed ${String(missed)}.`;
}

/** What bench/latency has beside a task, by what that is at: at all times the least that the machine can do. */
const PRIMITIVES = [
  "bare flag + message back",
  "message there and back",
  "a promise that an AbortSignal's listener rejects",
];

/**
 * The cases of bench/latency: a line for each, a column for each moment.
 *
 * @param {Results} results
 */
export function latency(results) {
  const rows = results.suites.find(({ name }) => name === "latency")?.rows ?? [];
  const moments = /** @type {const} */ ([
    ["the task knowing", "the task knows"],
    ["its function ended", "its function has ended"],
    ["its promise settled", "its promise is settled"],
    ["the thread at its next task", "its thread is at the next task"],
  ]);
  /** @type {Map<string, Map<string, Row>>} */
  const cases = new Map();
  for (const row of rows) {
    const [what, moment] = row.what.split(": cancel() to ");
    if (what === undefined || !moments.some(([key]) => key === moment)) continue;
    /** @type {Map<string, Row>} */
    const taken = cases.get(what) ?? new Map();
    taken.set(moment ?? "", row);
    cases.set(what, taken);
  }
  return table(
    ["`cancel()` until …: p50 (p99), and × the bare primitive", ...moments.map(([, head]) => head)],
    [...cases].map(([what, taken]) => [
      what,
      ...moments.map(([key]) => {
        const row = taken.get(key);
        if (row === undefined) return "";
        const ratio = row.ratios.find(({ over }) => PRIMITIVES.includes(over));
        return `${cell(row, row.sides[0], "p99")}${ratio === undefined ? "" : `; ${ratio.value.toFixed(1)} ×`}`;
      }),
    ]),
  );
}

/**
 * Rows of one suite, each with all its sides side by side.
 *
 * @param {Results} results
 * @param {string} suite
 * @param {readonly string[]} sides the beginnings of their names
 */
export function sideBySide(results, suite, sides) {
  const rows = results.suites.find(({ name }) => name === suite)?.rows ?? [];
  return table(
    ["p50 (p99)", ...sides.map((name) => name.trim())],
    rows.map((row) => [
      row.what,
      ...sides.map((name) => {
        const side = row.sides.find((each) => each.name.startsWith(name));
        return side === undefined ? "" : cell(row, side, "p99");
      }),
    ]),
  );
}

/**
 * Several figures of the same sides, a line for each side.
 *
 * @param {Results} results
 * @param {string} suite
 * @param {readonly { readonly what: string, readonly head: string, readonly also?: "p99" | "max" }[]} columns
 */
export function bySide(results, suite, columns) {
  const rows = columns.map(({ what }) => rowOf(results, suite, what));
  const names = [...new Set(rows.flatMap((row) => row?.sides.map(({ name }) => name) ?? []))];
  return table(
    ["", ...columns.map(({ head }) => head)],
    names.map((name) => [
      name,
      ...columns.map(({ also }, at) =>
        cell(
          rows[at],
          rows[at]?.sides.find((side) => side.name === name),
          also,
        ),
      ),
    ]),
  );
}

/**
 * Where and with what: the head of each run.
 *
 * @param {readonly Results[]} runs
 */
export function runs(runs) {
  const lines = runs.map(({ command, date, seconds, machine, load, versions, isComplete, scale }) => [
    `\`${command}\``,
    `${date.slice(0, 10)}, ${String(Math.round(seconds / 60))} min`,
    `${String(machine.cores)} × ${machine.processor}, ${machine.system}; load before ${load.before.toFixed(2)}`,
    [
      `Node ${machine.node}, V8 ${machine.v8}`,
      ...Object.entries(versions).map(([name, version]) => `${name} ${version ?? "not there"}`),
    ].join(", "),
    scale !== 1 ? "**a trial, no measurement**" : isComplete ? "complete" : "**not complete**",
  ]);
  return table(["command", "when", "machine", "versions", ""], lines);
}

/**
 * All there is.
 *
 * @param {Results} results
 */
export function everything(results) {
  return results.suites
    .map(({ name, about, status, rows }) =>
      [`## ${name}`, about + (status === "completed" ? "" : ` (${status})`), ...rows.map(whole)].join("\n\n"),
    )
    .join("\n\n");
}

/** @param {Row} row */
function whole(row) {
  const lines = row.sides.map((side) => {
    const { name, summary, noted, note } = side;
    if (summary === undefined) return [name, note ?? NONE, "", "", "", "", "", "", ""];
    const show = (/** @type {number} */ value) => format(value, row.unit);
    const { n, p50, p75, p90, p99, p999, max, low, high } = summary;
    if (n === 1) return [name, show(p50), noted === true ? "noted" : "", "", "", "", "", "", "1"];
    const spread = `${show(low)} to ${show(high)}`;
    const after = note === undefined ? "" : `; then ${note}`;
    return [name, show(p50), spread, ...[p75, p90, p99, p999, max].map(show), String(n) + after];
  });
  const said = [
    ...row.ratios.map((ratio) => `- ${ratioText(ratio)}`),
    ...row.verdicts.map(
      ({ asked, got, reached }) => `- asked ${asked}: ${got}: ${reached ? "reached" : "**missed**"}`,
    ),
  ];
  const heads = [row.what, "p50", "in parts", "p75", "p90", "p99", "p99.9", "max", "n"];
  return table(heads, lines) + (said.length > 0 ? `\n\n${said.join("\n")}` : "");
}
