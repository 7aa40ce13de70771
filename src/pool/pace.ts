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

export class Pace {
  readonly #averages = new Map<string, number>();

  /** A task has run for `ms`. */
  took(name: string, ms: number): void {
    const average = this.#averages.get(name);
    this.#averages.set(name, average === undefined ? ms : average + (ms - average) * LATEST);
  }

  /** What share of an envelope such a task fills: 1 or more when it should go alone, as one does of which nothing is known. */
  share(name: string): number {
    const average = this.#averages.get(name);
    return average === undefined ? 1 : average / ENVELOPE;
  }
}
