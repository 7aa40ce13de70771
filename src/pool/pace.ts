/** How long the tasks of a pool take, as far as has been seen: what decides how many go into one envelope, and how long one more would wait. */
import { now } from "../context/clock.js";

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
  /** The same of those that did all of it, whose number is `wholes`, the last of them `at` that time, on the monotonic clock. */
  whole: number;
  wholes: number;
  at: number;
}

/**
 * How long it counts how long such tasks took, ms: so many times that, and no less than the second figure. Who is turned
 * away for it does not run, and nothing would put it right.
 */
const COUNTS_FOR = 10;
const COUNTS_AT_LEAST = 1000;

export class Pace {
  readonly #seen = new Map<string, Seen>();
  #each: number | undefined;

  /**
   * A task has run for `ms`.
   *
   * @param at the time now: the caller has looked at the clock for several
   * @param isWhole whether it did all that it had to do: neither failed, nor hurried because its context had ended
   */
  took(name: string, ms: number, at: number, isWhole: boolean): void {
    this.#each = this.#each === undefined ? ms : towards(this.#each, ms);
    let seen = this.#seen.get(name);
    if (seen === undefined) {
      seen = { count: 0, average: ms, whole: ms, wholes: 0, at: 0 };
      this.#seen.set(name, seen);
    }
    seen.average = next(seen.average, ms, seen.count++);
    if (!isWhole) return;
    seen.whole = seen.wholes === 0 ? ms : next(seen.whole, ms, seen.wholes);
    seen.wholes++;
    seen.at = at;
  }

  /** How long a thread has been at a task lately, whatever its name and its end, ms; 0 before the first. */
  get each(): number {
    return this.#each ?? 0;
  }

  /** How long such a task takes that does all of it, ms; 0 before the first, and when the last one is too long ago to tell. */
  whole(name: string): number {
    const seen = this.#seen.get(name);
    if (seen === undefined || seen.wholes === 0) return 0;
    return now() - seen.at > Math.max(COUNTS_AT_LEAST, COUNTS_FOR * seen.whole) ? 0 : seen.whole;
  }

  /** What share of an envelope such a task fills: 1 or more when it should go alone, as one does of which nothing is known. */
  share(name: string): number {
    const seen = this.#seen.get(name);
    return seen === undefined ? 1 : seen.average / ENVELOPE;
  }
}

/** @param count how many there were before */
function next(average: number, ms: number, count: number): number {
  return count < FIRST ? Math.min(average, ms) : towards(average, ms);
}

function towards(average: number, latest: number): number {
  return average + (latest - average) * LATEST;
}
