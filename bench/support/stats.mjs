// @ts-check
/**
 * What a list of samples says: percentiles, and how sure they and a ratio of two of them are.
 *
 * Not `createHistogram` of node:perf_hooks: that counts whole numbers from 1 on, in buckets. Here are costs of a third of a
 * nanosecond, differences below zero, and the order of the samples, which the spread is made of; and never more than
 * some hundred thousand of them, which sort in milliseconds.
 */

/**
 * @typedef {object} Summary
 * @property {number} n
 * @property {number} min
 * @property {number} p10
 * @property {number} p50
 * @property {number} p75
 * @property {number} p90
 * @property {number} p99
 * @property {number} p999 with fewer than a thousand samples little else than the largest
 * @property {number} max
 * @property {number} low the spread of p50: p10 of what it is in the parts of the run, see PARTS
 * @property {number} high p90 of that
 */

/** Parts, in time, that a run is cut into for the spread of a p50 or a ratio. */
const PARTS = 20;

/**
 * @param {readonly number[]} samples in the order in which they were taken
 * @returns {Summary}
 */
export function summarize(samples) {
  const at = quantiles(samples);
  const parts = partsOf(samples, Math.min(PARTS, samples.length));
  const ofParts = quantiles(parts.map(median));
  return {
    n: samples.length,
    min: at(0),
    p10: at(0.1),
    p50: at(0.5),
    p75: at(0.75),
    p90: at(0.9),
    p99: at(0.99),
    p999: at(0.999),
    max: at(1),
    low: ofParts(0.1),
    high: ofParts(0.9),
  };
}

/**
 * @param {readonly number[]} samples
 * @returns {number}
 */
export function median(samples) {
  return quantiles(samples)(0.5);
}

/**
 * @param {readonly number[]} samples
 * @param {number} part 0 to 1
 * @returns {number}
 */
export function percentile(samples, part) {
  return quantiles(samples)(part);
}

/**
 * The ratio of two lists whose samples were taken in turn, and its spread: the run is cut into some 20 parts, in time, and
 * each gives a ratio of medians of its own. What slows the machine for a while slows both sides of a part. The value is the
 * median of those ratios: that of the medians of the whole lists may lie outside of the spread.
 *
 * @param {readonly number[]} over
 * @param {readonly number[]} under
 */
export function ratioOf(over, under) {
  const count = Math.min(PARTS, over.length, under.length);
  const unders = partsOf(under, count);
  const ratios = partsOf(over, count).map((part, at) => median(part) / median(unders[at] ?? []));
  const at = quantiles(ratios);
  return { value: at(0.5), low: at(0.1), high: at(0.9) };
}

/**
 * Interpolated between the two nearest.
 *
 * @param {readonly number[]} samples
 * @returns {(part: number) => number} part: 0 to 1
 */
function quantiles(samples) {
  const sorted = Float64Array.from(samples).sort();
  return (part) => {
    if (sorted.length === 0) return Number.NaN;
    const at = part * (sorted.length - 1);
    const low = Math.floor(at);
    const from = sorted[low] ?? Number.NaN;
    const to = sorted[Math.min(low + 1, sorted.length - 1)] ?? Number.NaN;
    return from + (to - from) * (at - low);
  };
}

/**
 * @param {readonly number[]} samples
 * @param {number} count
 */
function partsOf(samples, count) {
  return Array.from({ length: count }, (_, part) =>
    samples.slice(
      Math.floor((part * samples.length) / count),
      Math.floor(((part + 1) * samples.length) / count),
    ),
  );
}
