// @ts-check
/** How what a task costs grows with the number of tasks. */
import { format } from "../../support/print.mjs";
import { median } from "../../support/stats.mjs";

/** What is asked of ours: linear, but for the garbage collector, whose young generation takes all of the small ones. */
const ASKED = { from: 100_000, to: 1_000_000, atMost: 2 };

/**
 * One side at one size.
 *
 * @typedef {object} Taken
 * @property {readonly number[]} samples of the measure
 * @property {string | undefined} note why there are no more of them
 */

/**
 * @param {import("../../support/report.mjs").Report} report
 * @param {import("./suite.mjs").Measure} measure
 * @param {readonly import("./suite.mjs").Side[]} sides
 * @param {readonly number[]} sizes those that were reached
 * @param {(side: import("./suite.mjs").Side, n: number) => Taken} taken
 */
export function reportGrowth(report, measure, sides, sizes, taken) {
  /** @param {import("./suite.mjs").Side} side @param {number} n */
  const each = (side, n) => median(taken(side, n).samples) / (measure.of === "batch" ? n : 1);
  const rows = sides.map((side) => [
    side.name,
    ...sizes.map((n, at) => {
      const value = each(side, n);
      const before = sizes[at - 1];
      if (Number.isNaN(value)) return taken(side, n).note?.replace(/:.*/, "") ?? "";
      const cost = format(value, measure.unit);
      const factor = before === undefined ? Number.NaN : value / each(side, before);
      return Number.isNaN(factor) ? cost : `${cost} (× ${factor.toFixed(2)})`;
    }),
  ]);
  const table = columns([["", ...sizes.map((n) => n.toLocaleString("en"))], ...rows]);
  const isPerTask = measure.of !== "moment";
  const what = isPerTask ? "per task, by the number of tasks" : "by the number of tasks";
  report.note(`${measure.text}: ${what}, and the factor from one to the next\n${table}\n`);

  if (!isPerTask) return;
  if (!sizes.includes(ASKED.from) || !sizes.includes(ASKED.to)) return;
  for (const side of sides.filter(({ ours }) => ours === true)) {
    const factor = each(side, ASKED.to) / each(side, ASKED.from);
    const note = taken(side, ASKED.to).note ?? taken(side, ASKED.from).note;
    report.row(
      `${measure.text}: growth per task from ${ASKED.from.toLocaleString("en")} to ${ASKED.to.toLocaleString("en")} tasks`,
      [
        {
          name: side.name,
          samples: Number.isNaN(factor) ? [] : [factor],
          ...(note !== undefined && { note }),
        },
      ],
      { unit: "times", asked: [{ of: side.name, atMost: ASKED.atMost }] },
    );
  }
}

/** @param {readonly (readonly string[])[]} rows the first column to the left, the others to the right */
function columns(rows) {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows
    .map((row) =>
      row.map((text, at) => (at === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[at] ?? 0))),
    )
    .map((row) => `    ${row.join("  ")}`)
    .join("\n");
}
