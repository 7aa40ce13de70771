/** Logarithmic axes: charts draw log10 of a value on a linear axis, with ticks from here. */

export interface LogScale {
  /** log10 of the axis' ends. */
  readonly min: number;
  readonly max: number;
  /** log10 of the ticks, rising. */
  readonly ticks: readonly number[];
}

/** Times may be 0, which has no logarithm: below 1 is 1. */
export function logOf(value: number): number {
  return Math.log10(Math.max(value, 1));
}

/**
 * A scale that shows all of `values`, `decades` at least, with `most` ticks or fewer. `most` is 3 or more, `decades` 0.03
 * or more: ticks written with three digits differ then.
 */
export function logScale(values: readonly number[], most: number, decades = 1): LogScale {
  const logs = values.length === 0 ? [0] : values.map(logOf);
  const lowest = Math.min(...logs);
  const highest = Math.max(...logs);
  // Below a microsecond times are written with two digits.
  const least = lowest < 3 ? Math.max(decades, 0.3) : decades;
  const spare = Math.max((highest - lowest) * 0.02, (least - (highest - lowest)) / 2);
  const min = Math.max(0, lowest - spare);
  const max = Math.max(highest + spare, min + least);
  return { min, max, ticks: logTicks(min, max, most) };
}

/** Round numbers from `min` to `max`, evenly spread, `most` or fewer, but two or more. */
export function roundTicks(min: number, max: number, most: number): number[] {
  const power = 10 ** Math.floor(Math.log10((max - min) / most));
  // By 4 only where everything else leaves one or too many: from 126 to 134.
  const candidates = [1, 2, 5, 10, 20, 4].map((digit) => {
    const first = Math.ceil(min / (digit * power));
    const last = Math.floor(max / (digit * power));
    return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * digit * power);
  });
  return candidates.find(({ length }) => length >= 2 && length <= most) ?? [min, max];
}

/** What ticks there can be, fine ones first, and how many decades lie between two of them at least. 3 are from unit to unit. */
const patterns = [
  { step: 1, digits: [1, 2, 5], gap: Math.log10(2) },
  { step: 1, digits: [1, 3], gap: Math.log10(3) },
  ...[1, 2, 3, 6].map((step) => ({ step, digits: [1], gap: step })),
];

function logTicks(min: number, max: number, most: number): number[] {
  // Within so little a logarithmic scale looks like any other.
  if (ticksEvery(1, min, max, [1, 2, 5]).length < 3) return roundTicks(10 ** min, 10 ** max, most).map(logOf);
  for (const { step, digits, gap } of patterns) {
    const ticks = ticksEvery(step, min, max, digits);
    if (ticks.length <= most && (max - min) / gap < most + 0.3) return ticks;
  }
  return ticksEvery(9, min, max, [1]);
}

/** The ticks at `digits` in every `step`th decade. */
function ticksEvery(step: number, min: number, max: number, digits: readonly number[]): number[] {
  const ticks: number[] = [];
  for (let decade = Math.floor(min / step) * step; decade <= max; decade += step) {
    for (const digit of digits) {
      const tick = decade + Math.log10(digit);
      if (tick >= min && tick <= max) ticks.push(tick);
    }
  }
  return ticks;
}
