/** How long the tasks of a pool take, as far as has been seen: what decides how many go into one envelope, and how long one more would wait. */

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
  /** Of those that nobody stopped; undefined before the first. */
  whole: number | undefined;
}

export class Pace {
  readonly #seen = new Map<string, Seen>();
  #each: number | undefined;

  /**
   * A task has run for `ms`.
   *
   * @param isWhole whether it came to an end of its own
   */
  took(name: string, ms: number, isWhole: boolean): void {
    this.#each = nextAverage(this.#each, ms);
    let seen = this.#seen.get(name);
    if (seen === undefined) {
      seen = { count: 1, average: ms, whole: undefined };
      this.#seen.set(name, seen);
    } else if (seen.count++ < FIRST) seen.average = Math.min(seen.average, ms);
    else seen.average = nextAverage(seen.average, ms);
    if (isWhole) seen.whole = nextAverage(seen.whole, ms);
  }

  /** How long a thread has been at a task lately, whatever its name and its end, ms; 0 before the first. */
  get each(): number {
    return this.#each ?? 0;
  }

  /** How long such a task takes that nobody stops, ms; 0 before the first. */
  whole(name: string): number {
    return this.#seen.get(name)?.whole ?? 0;
  }

  /** What share of an envelope such a task fills: 1 or more when it should go alone, as one does of which nothing is known. */
  share(name: string): number {
    const seen = this.#seen.get(name);
    return seen === undefined ? 1 : seen.average / ENVELOPE;
  }
}

function nextAverage(average: number | undefined, latest: number): number {
  return average === undefined ? latest : average + (latest - average) * LATEST;
}
