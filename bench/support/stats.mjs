// @ts-check
/** What a list of samples says: percentiles, and how sure a ratio of two of them is. */

/**
 * @typedef {object} Summary
 * @property {number} n
 * @property {number} min
 * @property {number} p10
 * @property {number} p50
 * @property {number} p75
 * @property {number} p90
 * @property {number} p99
 * @property {number} max
 */

/**
 * @param {readonly number[]} samples
 * @returns {Summary}
 */
export function summarize(samples) {
  const sorted = Float64Array.from(samples).sort();
  const at = (/** @type {number} */ part) => quantile(sorted, part);
  return {
    n: sorted.length,
    min: at(0),
    p10: at(0.1),
    p50: at(0.5),
    p75: at(0.75),
    p90: at(0.9),
    p99: at(0.99),
    max: at(1),
  };
}

/**
 * @param {readonly number[]} samples
 * @returns {number}
 */
export function median(samples) {
  return quantile(Float64Array.from(samples).sort(), 0.5);
}

/**
 * Interpolated between the two nearest.
 *
 * @param {Float64Array} sorted
 * @param {number} part 0 to 1
 */
function quantile(sorted, part) {
  if (sorted.length === 0) return Number.NaN;
  const at = part * (sorted.length - 1);
  const low = Math.floor(at);
  const from = sorted[low] ?? Number.NaN;
  const to = sorted[Math.min(low + 1, sorted.length - 1)] ?? Number.NaN;
  return from + (to - from) * (at - low);
}

/** Parts that a run is cut into for the spread of a ratio. */
const PARTS = 20;

/**
 * The ratio of the medians of two lists whose samples were taken in turn, and its spread: the run is cut into some 20
 * parts, in time, and each gives a ratio of its own. What slows the machine for a while slows both sides of a part.
 *
 * @param {readonly number[]} over
 * @param {readonly number[]} under
 */
export function ratioOf(over, under) {
  const parts = Math.min(PARTS, over.length, under.length);
  const ratios = [];
  for (let part = 0; part < parts; part++)
    ratios.push(median(cut(over, part, parts)) / median(cut(under, part, parts)));
  const { p10, p90 } = summarize(ratios);
  return { value: median(over) / median(under), low: p10, high: p90 };
}

/**
 * @param {readonly number[]} samples
 * @param {number} part
 * @param {number} parts
 */
function cut(samples, part, parts) {
  return samples.slice(
    Math.floor((part * samples.length) / parts),
    Math.floor(((part + 1) * samples.length) / parts),
  );
}
