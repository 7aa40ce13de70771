// @ts-check
/** What was measured, as text for a terminal. */

/** @typedef {import("./report.mjs").Row} Row */
/** @typedef {import("./report.mjs").Ratio} Ratio */
/** @typedef {import("./report.mjs").SideResult} SideResult */
/** @typedef {import("./report.mjs").Unit} Unit */

/** @param {number} value three digits of it, but never an exponent */
export function digits(value) {
  if (!Number.isFinite(value) || value === 0) return String(value);
  const size = Math.abs(value);
  if (size >= 100) return String(Math.round(value));
  return value.toFixed(size >= 10 ? 1 : 2);
}

/** From which size on, what is divided by, and the name of that. @type {readonly (readonly [number, number, string])[]} */
const times = [
  [1e9, 1e9, "s"],
  [1e6, 1e6, "ms"],
  [1e3, 1e3, "µs"],
  [0, 1, "ns"],
];

/** The bytes of a context or a task, some hundred or thousand, are read best as they are. @type {typeof times} */
const sizes = [
  [1e6, 1e6, "MB"],
  [1e4, 1e3, "kB"],
  [0, 1, "B"],
];

/**
 * @param {number} value in the unit itself
 * @param {Unit} unit
 * @param {number} [like] written on the scale of this one
 */
export function format(value, unit, like = value) {
  if (unit === "count") return String(value);
  if (unit === "times") return `${digits(value)} ×`;
  const size = Math.abs(like);
  const [, scale, name] = (unit === "ns" ? times : sizes).find(([from]) => size >= from) ?? [0, 1, ""];
  return `${digits(value / scale)} ${name}`.trimEnd();
}

/**
 * Which of the two is how many times the other, so that the number is 1 or more.
 *
 * @param {Ratio} ratio
 */
export function ratioText({ over, value, low, high }) {
  const isMore = value >= 1 || value < 0;
  const turned = (/** @type {number} */ x) => (isMore ? x : 1 / x);
  const [from = 0, to = 0] =
    low === undefined || high === undefined ? [] : [turned(low), turned(high)].sort((a, b) => a - b);
  const spread = low === undefined ? "" : ` (${digits(from)} to ${digits(to)})`;
  return `${digits(turned(value))} × ${isMore ? "" : "less than "}${over}${spread}`;
}

/**
 * @param {Row} row
 * @returns {string}
 */
export function printRow(row) {
  const asked = new Set(row.verdicts.map(({ over }) => over));
  const lines = [
    ...table(row),
    ...row.ratios.filter(({ over }) => !asked.has(over)).map(ratioText),
    ...row.verdicts.map((verdict) => `asked ${verdict.asked}: ${verdict.got}: ${word(verdict)}`),
  ];
  return [row.what, ...lines.map((line) => `    ${line}`), ""].join("\n");
}

/** @type {readonly (readonly [head: string, key: Exclude<keyof import("./stats.mjs").Summary, "n">])[]} */
const tail = [
  ["p75", "p75"],
  ["p90", "p90"],
  ["p99", "p99"],
  ["p99.9", "p999"],
  ["max", "max"],
];

/** In the place of the tail, where a sample is the mean of a thousand and more. @type {typeof tail} */
const around = [
  ["min", "min"],
  ["p10", "p10"],
  ["p90", "p90"],
  ["max", "max"],
];

/**
 * A line for each side, under the heads of its columns.
 *
 * @param {Row} row
 */
function table({ sides, unit, isSpread }) {
  const columns = isSpread ? around : tail;
  const hasMany = sides.some(({ summary }) => summary !== undefined && summary.n > 1);
  /** @param {SideResult} side */
  const cells = ({ name, summary, noted, note }) => {
    if (summary === undefined) return [name, note ?? ""];
    const show = (/** @type {number} */ value) => format(value, unit);
    const after = note === undefined ? "" : `; then ${note}`;
    if (summary.n === 1) return [name, show(summary.p50), (noted === true ? "noted" : "") + after];
    const { n, p50, low, high } = summary;
    return [
      name,
      show(p50),
      `${format(low, unit, p50 || high).replace(/ \D+$/, "")} to ${format(high, unit, p50 || high)}`,
      ...columns.map(([, key]) => show(summary[key])),
      String(n) + after,
    ];
  };
  const heads = ["", "p50", "in parts", ...columns.map(([head]) => head), "n"];
  return align([...(hasMany ? [heads] : []), ...sides.map(cells)]);
}

/**
 * The first column to the left, the others to the right; the last of a line may be as long as it likes.
 *
 * @param {readonly (readonly string[])[]} rows
 */
function align(rows) {
  const widthOf = (/** @type {number} */ at) =>
    Math.max(
      ...rows.map((row) => (at === 0 || at < row.length - 1 || row.length > 3 ? (row[at]?.length ?? 0) : 0)),
    );
  const widths = Array.from({ length: Math.max(...rows.map((row) => row.length)) }, (_, at) => widthOf(at));
  return rows.map((row) =>
    row
      .map((text, at) => {
        if (at === 0) return text.padEnd(widths[0] ?? 0);
        return row.length <= 3 && at === row.length - 1 && at > 1 ? text : text.padStart(widths[at] ?? 0);
      })
      .join("  ")
      .trimEnd(),
  );
}

/** @param {import("./report.mjs").Verdict} verdict */
function word({ reached }) {
  return reached ? "reached" : "missed";
}

/**
 * All that was asked, in one list.
 *
 * @param {readonly { readonly suite: string, readonly row: Row }[]} rows
 * @returns {string}
 */
export function printSummary(rows) {
  const entries = rows.flatMap(({ suite, row }) =>
    row.verdicts.map((verdict) => ({ suite, what: row.what, verdict })),
  );
  if (entries.length === 0) return "Nothing measured that something is asked of.";
  const missed = entries.filter(({ verdict }) => !verdict.reached).length;
  const lines = entries.map(
    ({ suite, what, verdict }) =>
      `${word(verdict).padEnd(7)}  ${suite}: ${what}: ${verdict.got}, asked ${verdict.asked}`,
  );
  return [
    `What is asked: ${String(entries.length - missed)} reached, ${String(missed)} missed`,
    ...lines,
  ].join("\n");
}
