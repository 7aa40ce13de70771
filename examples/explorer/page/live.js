// @ts-check
/** What the server tells of itself, as it comes; and its clock beside ours. */

/**
 * A tile that was asked for, and whose task has not settled. Times are the server's.
 *
 * @typedef {object} Asked
 * @property {string} ticket
 * @property {number} number
 * @property {readonly [zoom: number, x: number, y: number]} at
 * @property {number} detail
 * @property {boolean} cancels
 * @property {"queued" | "running" | "stopping"} state
 * @property {number | null} thread
 * @property {number | null} began
 * @property {number} asked
 * @property {number | null} unwanted - since when nobody wants it
 * @property {number} progress
 */

/**
 * One that has settled.
 *
 * @typedef {object} Ended
 * @property {number} number
 * @property {string} ticket
 * @property {readonly [zoom: number, x: number, y: number]} at
 * @property {boolean} cancels
 * @property {number | null} thread - null: it never ran
 * @property {number | null} from
 * @property {number} to
 * @property {number | null} unwanted
 * @property {string | null} outcome
 * @property {string | null} why
 */

/**
 * Of the tiles that nobody wanted any more.
 *
 * @typedef {object} Lateness
 * @property {number} left - all of them
 * @property {number} running - those that ran when they were left: the times are theirs
 * @property {number | null} p50
 * @property {number | null} p95
 * @property {number | null} last
 * @property {number} wasted
 */

/**
 * @typedef {object} Snapshot
 * @property {number} now
 * @property {readonly Asked[]} requests
 * @property {number} more - requests that are not among them
 * @property {readonly Ended[]} ended - since the snapshot before
 * @property {{ submitted: number, live: number, refused: number, outcomes: Record<string, number>, on: Lateness, off: Lateness }} totals
 * @property {{ threads: number, idle: number, queued: number, running: number }} pool
 */

/** So much of the past is kept. */
const KEPT = 400;

/** What is shown is so much older than now, ms: what happens between two snapshots is then there in time. */
const BEHIND = 160;

export class Live {
  /** @type {Snapshot | undefined} */
  latest;
  /** @type {ReadonlyMap<string, Asked>} */
  asked = new Map();
  /** @type {Ended[]} */
  ended = [];
  isConnected = false;
  /** Ours less the server's. Of all that were seen the smallest: the others were longer on the way. */
  #offset = Number.POSITIVE_INFINITY;

  /** @param {(snapshot: Snapshot | undefined) => void} told - with undefined: the connection is there, or lost */
  constructor(told) {
    const source = new EventSource("./live");
    source.addEventListener("open", () => {
      // It tells from the beginning; another server may be there.
      this.ended = [];
      this.#offset = Number.POSITIVE_INFINITY;
      this.isConnected = true;
      told(undefined);
    });
    source.addEventListener("error", () => {
      this.isConnected = false;
      this.asked = new Map();
      told(undefined);
    });
    source.addEventListener("message", (event) => {
      const snapshot = /** @type {Snapshot} */ (JSON.parse(String(event.data)));
      this.latest = snapshot;
      this.asked = new Map(snapshot.requests.map((each) => [each.ticket, each]));
      this.ended.push(...snapshot.ended);
      this.ended.splice(0, this.ended.length - KEPT);
      this.#offset = Math.min(this.#offset, performance.now() - snapshot.now);
      told(snapshot);
    });
  }

  /** The server's time that is shown now. */
  get shownAt() {
    return performance.now() - this.#offset - BEHIND;
  }

  /** Whether anything was going on within the last so many ms. @param {number} ms */
  isLively(ms) {
    return this.asked.size > 0 || (this.ended.at(-1)?.to ?? Number.NEGATIVE_INFINITY) > this.shownAt - ms;
  }
}
