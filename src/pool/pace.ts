/** How long the tasks of a pool take, by name, as far as has been seen: what decides how many go into one envelope. */

/**
 * An envelope is filled with tasks that take this long together, ms. A hand-over costs some 0.06 ms on both sides, so
 * that it is a tenth of the work at most; and what is at the end of an envelope waits no longer than this for its turn.
 */
const ENVELOPE = 0.5;

/** The share of an envelope that takes as long as a hand-over costs at the least. */
export const SMALL = 0.05;

/** The weight of the latest task in the average. */
const LATEST = 1 / 8;

/** Of the first so many the shortest counts: before they are compiled, tasks take up to a hundred times as long as afterwards. */
const FIRST = 8;

interface Seen {
  count: number;
  average: number;
}

export class Pace {
  readonly #seen = new Map<string, Seen>();

  /** A task has run for `ms`. */
  took(name: string, ms: number): void {
    const seen = this.#seen.get(name);
    if (seen === undefined) this.#seen.set(name, { count: 1, average: ms });
    else if (seen.count++ < FIRST) seen.average = Math.min(seen.average, ms);
    else seen.average += (ms - seen.average) * LATEST;
  }

  /** What share of an envelope such a task fills: 1 or more when it should go alone, as one does of which nothing is known. */
  share(name: string): number {
    const seen = this.#seen.get(name);
    return seen === undefined ? 1 : seen.average / ENVELOPE;
  }
}
