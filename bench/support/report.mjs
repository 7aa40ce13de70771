// @ts-check
/** What a suite hands to the runner, and how that is printed. Owns no measuring. */
import { median, ratioOf, summarize } from "./stats.mjs";

/** @typedef {"ns" | "bytes" | "times" | "count"} Unit */

/**
 * One side of a comparison.
 *
 * @typedef {object} Side
 * @property {string} name
 * @property {readonly number[]} samples
 * @property {boolean} [isReference] shown to see what the machine does: no ratio to it is printed
 * @property {boolean} [noted] taken from the notes: another machine, another day, so there is no spread
 * @property {string} [note] why there are no samples, or no more: it crashed, it was not finished in time
 */

/**
 * What is asked of one side.
 *
 * @typedef {object} Asked
 * @property {string} [of] whom it is asked of; without one, the first side
 * @property {string} [over] the side it is compared with; without one, the bound is absolute
 * @property {number} [atMost] ours is at most this many times theirs, or at most this much
 * @property {number} [atLeast] theirs is at least this many times ours, "× faster"; or ours is at least this much
 * @property {string} [goal] what one would like beyond
 */

/**
 * @typedef {object} Verdict
 * @property {string} asked
 * @property {string} got
 * @property {boolean} reached
 */

/**
 * @typedef {object} Row
 * @property {string} what
 * @property {readonly string[]} lines
 * @property {readonly Verdict[]} verdicts
 */

/** @typedef {{ readonly type: "row", readonly row: Row } | { readonly type: "note", readonly text: string }} Message */

/** How a suite tells what it has measured. */
export class Report {
  #send;
  #suite;

  /**
   * @param {string} suite
   * @param {(message: Message) => void} send
   */
  constructor(suite, send) {
    this.#suite = suite;
    this.#send = send;
  }

  /**
   * For whoever is waiting; goes to stderr.
   *
   * @param {string} text
   */
  progress(text) {
    process.stderr.write(`  ${this.#suite}: ${text}\n`);
  }

  /** @param {string} text */
  note(text) {
    this.#send({ type: "note", text });
  }

  /**
   * A row: every side's figures, and what is asked of the first one.
   *
   * @param {string} what
   * @param {readonly Side[]} sides ours first
   * @param {{ unit?: Unit, asked?: readonly Asked[], spread?: boolean }} [options] spread: p10 and p90 in place of the
   * tail, where a sample is the mean of a thousand and more
   */
  row(what, sides, { unit = "ns", asked = [], spread = false } = {}) {
    const shown = sides.filter((side) => side.samples.length > 0 || side.note !== undefined);
    const [ours] = shown;
    // Stopped before the first sample.
    if (ours === undefined || ours !== sides[0]) return;
    const width = Math.max(...shown.map((side) => side.name.length));
    const lines = shown.map((side) => `${side.name.padEnd(width)}  ${figures(side, unit, spread)}`);
    const measured = shown.filter((side) => side.samples.length > 0);
    if (measured.includes(ours)) {
      const others = measured.filter(
        (side) => side !== ours && side.isReference !== true && !asked.some(({ over }) => over === side.name),
      );
      for (const other of others) lines.push(`${"".padEnd(width)}  ${ratioText(ours, other)}`);
    }
    /** @type {Verdict[]} */
    const verdicts = [];
    for (const each of asked) {
      const subject = each.of === undefined ? ours : shown.find((side) => side.name === each.of);
      const verdict = subject === undefined ? undefined : judge(subject, measured, each, unit);
      if (verdict !== undefined) verdicts.push(verdict);
    }
    this.#send({ type: "row", row: { what, lines, verdicts } });
  }
}

/**
 * @param {Side} side
 * @param {Unit} unit
 * @param {boolean} spread
 */
function figures(side, unit, spread) {
  const { n, p10, p50, p90, p99, max } = summarize(side.samples);
  const show = (/** @type {number} */ value) => format(value, unit);
  const after = side.note === undefined ? "" : `; then ${side.note}`;
  if (n === 0) return side.note ?? "";
  if (n === 1) return show(p50) + (side.noted === true ? "  (noted)" : "") + after;
  const tail = spread
    ? `p10 ${show(p10)}  p90 ${show(p90)}`
    : `p90 ${show(p90)}  p99 ${show(p99)}  max ${show(max)}`;
  return `p50 ${show(p50)}  ${tail}  (n ${String(n)})${after}`;
}

/**
 * @param {Side} ours
 * @param {Side} theirs
 */
function ratioText(ours, theirs) {
  const { value, low, high } = ratioOf(ours.samples, theirs.samples);
  const [ratio, word] =
    value >= 1 || value < 0
      ? [(/** @type {number} */ x) => x, "×"]
      : [(/** @type {number} */ x) => 1 / x, "× less than"];
  const [from, to] = [ratio(low), ratio(high)].sort((a, b) => a - b);
  const spread =
    ours.noted === true || theirs.noted === true || ours.samples.length < 2
      ? ""
      : ` (${digits(from ?? 0)} to ${digits(to ?? 0)})`;
  return `${digits(ratio(value))} ${word} ${theirs.name}${spread}`;
}

/**
 * @param {Side} ours
 * @param {readonly Side[]} sides
 * @param {Asked} asked
 * @param {Unit} unit
 * @returns {Verdict | undefined}
 */
function judge(ours, sides, asked, unit) {
  const goal = asked.goal === undefined ? "" : ` (the goal: ${asked.goal})`;
  const whose = asked.of === undefined ? "" : `${asked.of}: `;
  if (asked.over === undefined) {
    const value = median(ours.samples);
    const isFloor = asked.atLeast !== undefined;
    const bound = asked.atLeast ?? asked.atMost ?? Number.NaN;
    return {
      asked: `at ${isFloor ? "least" : "most"} ${format(bound, unit)}${goal}`,
      // What could not be measured has not been reached.
      got: whose + (ours.samples.length > 0 ? format(value, unit) : (ours.note ?? "")),
      reached: isFloor ? value >= bound : value <= bound,
    };
  }
  if (ours.samples.length === 0) {
    return {
      asked: `a comparison with ${asked.over}${goal}`,
      got: whose + (ours.note ?? ""),
      reached: false,
    };
  }
  const theirs = sides.find((side) => side.name === asked.over);
  if (theirs === undefined) return undefined;
  const { value } = ratioOf(ours.samples, theirs.samples);
  const got = whose + ratioText(ours, theirs);
  if (asked.atLeast !== undefined) {
    return {
      asked: `at least ${digits(asked.atLeast)} × less than ${theirs.name}${goal}`,
      got,
      reached: 1 / value >= asked.atLeast,
    };
  }
  const atMost = asked.atMost ?? 1;
  const text = atMost === 1 ? `not above ${theirs.name}` : `at most ${digits(atMost)} × ${theirs.name}`;
  return { asked: `${text}${goal}`, got, reached: value <= atMost };
}

/** @param {number} value */
function digits(value) {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 100) return String(Math.round(value));
  return value.toFixed(size >= 10 ? 1 : 2);
}

/** @type {readonly (readonly [number, string])[]} */
const times = [
  [1e9, "s"],
  [1e6, "ms"],
  [1e3, "µs"],
];

/** @type {readonly (readonly [number, string])[]} */
const sizes = [
  [1e6, "MB"],
  [1e4, "kB"],
];

/**
 * @param {number} value in the unit itself
 * @param {Unit} unit
 */
export function format(value, unit) {
  if (unit === "count") return String(value);
  if (unit === "times") return `${digits(value)} ×`;
  const size = Math.abs(value);
  const [scale, name] = (unit === "ns" ? times : sizes).find(([from]) => size >= from) ?? [
    1,
    unit === "ns" ? "ns" : "B",
  ];
  return `${digits(value / (name === "kB" ? 1000 : scale))} ${name}`;
}

/**
 * @param {Row} row
 * @returns {string}
 */
export function printRow({ what, lines, verdicts }) {
  const asked = verdicts.map((verdict) => `asked ${verdict.asked}: ${verdict.got}: ${word(verdict)}`);
  return [what, ...[...lines, ...asked].map((line) => `    ${line}`), ""].join("\n");
}

/** @param {Verdict} verdict */
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
