// @ts-check
/** Whether two runs agree: the ratios of one beside those of the other. Times are not compared: they drift with the machine. */

/** @typedef {import("./results.mjs").Results} Results */

/** What two runs on one quiet machine may differ by, as a part of the ratio. */
const TOLERANCE = 0.1;

/**
 * @typedef {object} Agreement
 * @property {string} what the suite and the row
 * @property {string} over
 * @property {number} before
 * @property {number} after
 * @property {number} change of the ratio, as a part of it: 0.1 is a tenth more
 * @property {boolean} agrees within the tolerance
 * @property {boolean} overlaps whether the spreads of both runs do
 */

/**
 * The ratios that both have, of lifeguard over somebody. What was only noted is left out: no run measures it.
 *
 * @param {Results} before
 * @param {Results} after
 * @returns {Agreement[]}
 */
export function agreementsOf(before, after) {
  const old = new Map(ratiosOf(before).map((each) => [each.key, each]));
  return ratiosOf(after).flatMap(({ key, what, over, value, low, high }) => {
    const was = old.get(key);
    if (was === undefined) return [];
    const change = value / was.value - 1;
    return [
      {
        what,
        over,
        before: was.value,
        after: value,
        change,
        agrees: Math.abs(change) <= TOLERANCE,
        overlaps: low <= was.high && was.low <= high,
      },
    ];
  });
}

/** @param {Results} results */
function ratiosOf({ suites }) {
  return suites.flatMap(({ name, rows }) =>
    rows.flatMap(({ what, ratios }) =>
      ratios.flatMap(({ of, over, value, low, high }) =>
        low === undefined || high === undefined || !Number.isFinite(value)
          ? []
          : [{ key: [name, what, of, over].join("\n"), what: `${name}: ${what}`, over, value, low, high }],
      ),
    ),
  );
}

/**
 * @param {Results} before
 * @param {Results} after
 * @returns {string}
 */
export function printAgreement(before, after) {
  const all = agreementsOf(before, after);
  if (all.length === 0) return "These two have no ratio in common.";
  const within = all.filter(({ agrees }) => agrees).length;
  const overlapping = all.filter(({ overlaps }) => overlaps).length;
  const lines = all
    .toSorted((a, b) => Math.abs(b.change) - Math.abs(a.change))
    .map(
      ({ what, over, before, after, change, overlaps }) =>
        `${percent(change).padStart(6)}  ${before.toPrecision(3)} then ${after.toPrecision(3)} × ${over}${overlaps ? "" : ", beyond the spreads"}: ${what}`,
    );
  return [
    `${String(within)} of ${String(all.length)} ratios at p50 agree within ${100 * TOLERANCE} %, the spreads of ${String(overlapping)} overlap`,
    ...lines,
  ].join("\n");
}

/** @param {number} part */
function percent(part) {
  return `${part > 0 ? "+" : ""}${(100 * part).toFixed(0)} %`;
}
