// @ts-check
/** What a side will take at the next size, from what it took at the smaller ones: whoever is quadratic is not waited for. */

/** @typedef {{ readonly n: number, readonly seconds: number }} Taken */

/**
 * The growth between the last two sizes goes on, as a power of the number; by less than in proportion nothing does,
 * whatever the small sizes say, where what is done once counts most.
 *
 * @param {readonly Taken[]} taken in order of size
 * @param {number} n
 * @returns {{ seconds: number, power: number } | undefined} undefined where nothing is known
 */
export function forecast(taken, n) {
  const last = taken.at(-1);
  if (last === undefined) return undefined;
  const before = taken.at(-2);
  const power =
    before === undefined
      ? 1
      : Math.max(1, Math.log(last.seconds / before.seconds) / Math.log(last.n / before.n));
  return { seconds: last.seconds * (n / last.n) ** power, power };
}

/** @param {number} power */
export function powerText(power) {
  if (Math.abs(power - 1) < 0.15) return "n";
  return Math.abs(power - 2) < 0.15 ? "n²" : `n^${power.toFixed(1)}`;
}
