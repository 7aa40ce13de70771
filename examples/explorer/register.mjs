// @ts-check
/**
 * The tiles that were asked for: those under way, those that are over, and the sums. An entry lasts from the submission of its
 * task until that has settled, which may be long after its client has gone.
 */
import { afterFunc, cause } from "lifeguard";

/** @typedef {import("lifeguard").Context} Context */
/** @typedef {import("lifeguard").Task<Uint16Array>} TileTask */
/** @typedef {import("./tiles.mjs").Wish} Wish */

/** Why somebody cancelled, for the page to tell. */
export const byHand = new Error("cancelled by hand");

/**
 * @typedef {object} Entry
 * @property {number} number
 * @property {string} ticket
 * @property {Wish} wish
 * @property {(cause: Error) => void} cancel - ends the request's context
 * @property {TileTask} task
 * @property {number} asked - when, ms
 * @property {number | undefined} unwanted - since when nobody wants it
 * @property {string | undefined} why
 */

/**
 * What became of a tile; times are those of performance.now().
 *
 * @typedef {object} Ended
 * @property {number} number
 * @property {string} ticket
 * @property {readonly [zoom: number, x: number, y: number]} at
 * @property {boolean} cancels
 * @property {number | null} thread - null: it never ran
 * @property {number | null} from - when it began to run
 * @property {number} to - when its task settled
 * @property {number | null} unwanted - since when nobody wanted it; null: it was wanted to the end
 * @property {string | null} outcome - of its task
 * @property {string | null} why - it was not wanted any more
 */

/** So many of what is over can be told to somebody who comes later. */
const REMEMBERED = 300;

/** The latest times from which the figures are made. */
const SAMPLES = 500;

export class Register {
  #board;
  #next = 1;
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  /** @type {Ended[]} */
  #ended = [];
  /** @type {Record<string, number>} */
  #outcomes = {};
  #submitted = 0;
  #refused = 0;
  #on = new Lateness();
  #off = new Lateness();

  /** Counts up whenever something begins or ends. */
  version = 0;

  /** @param {import("./board.mjs").Board} board */
  constructor(board) {
    this.#board = board;
  }

  get size() {
    return this.#entries.size;
  }

  entries() {
    return this.#entries.values();
  }

  /** @param {string} ticket */
  find(ticket) {
    return this.#entries.get(ticket);
  }

  /** A request that was turned away before there was a task. */
  refuse() {
    this.#refused++;
    this.version++;
  }

  /**
   * Follows a tile from here to the end of its task.
   *
   * @param {Wish} wish
   * @param {Context} client - ends when nobody waits for the answer any more
   * @param {Context} ctx - what the task is submitted with; with cancellation off it is not below `client`
   * @param {(cause: Error) => void} cancel - of `ctx`
   * @param {(number: number) => TileTask} submit
   * @returns {Promise<Uint16Array>} settles with the task
   */
  async follow(wish, client, ctx, cancel, submit) {
    const number = this.#next++;
    this.#board.clear(number);
    const task = submit(number);
    /** @type {Entry} */
    const entry = {
      number,
      ticket: wish.ticket ?? `tile-${number}`,
      wish,
      cancel,
      task,
      asked: performance.now(),
      unwanted: undefined,
      why: undefined,
    };
    const stops = [client, ctx].map((each) => afterFunc(each, () => this.#leave(entry, cause(each))));
    this.#entries.set(entry.ticket, entry);
    this.#submitted++;
    this.version++;
    try {
      return await task.result;
    } finally {
      this.#settle(entry);
      for (const stop of stops) stop();
    }
  }

  /**
   * @param {Entry} entry
   * @param {"request" | "task"} what - the task's context lies below the request's
   */
  cancelByHand(entry, what) {
    if (what === "request") entry.cancel(byHand);
    else {
      entry.task.cancel(byHand);
      this.#leave(entry, byHand);
    }
  }

  /**
   * @param {Entry} entry
   * @param {unknown} why
   */
  #leave(entry, why) {
    if (entry.unwanted !== undefined) return;
    entry.unwanted = performance.now();
    entry.why = why instanceof Error ? why.message : String(why);
    this.version++;
  }

  /** @param {Entry} entry */
  #settle(entry) {
    const to = performance.now();
    const { number, ticket, wish, task, unwanted, why } = entry;
    const run = this.#board.read(number);
    const outcome = task.outcome;
    this.#entries.delete(ticket);
    // Without an outcome the pool has not even accepted it.
    if (outcome === undefined) this.#submitted--;
    else this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + 1;
    if (unwanted !== undefined) {
      const idle = run === undefined ? 0 : to - Math.max(unwanted, run.began);
      // One that waited, or came to run only later, had nothing to stop: with it these times would look better, or worse, than they are.
      const wasRunning = run !== undefined && run.began <= unwanted;
      (wish.cancels ? this.#on : this.#off).add(wasRunning ? to - unwanted : undefined, idle);
    }
    const { zoom, x, y } = wish.tile;
    this.#ended.push({
      number,
      ticket,
      at: [zoom, x, y],
      cancels: wish.cancels,
      thread: run?.thread ?? null,
      from: run?.began ?? null,
      to,
      unwanted: unwanted ?? null,
      outcome: outcome ?? null,
      why: why ?? null,
    });
    if (this.#ended.length > REMEMBERED) this.#ended.shift();
    this.version++;
  }

  /**
   * What is over, of those that settled after the `count`th.
   *
   * @param {number} count
   */
  endedSince(count) {
    const all = this.settled;
    return { ended: this.#ended.slice(Math.max(0, this.#ended.length - (all - count))), all };
  }

  /** How many have settled. */
  get settled() {
    return this.#submitted - this.#entries.size;
  }

  totals() {
    return {
      submitted: this.#submitted,
      live: this.#entries.size,
      refused: this.#refused,
      outcomes: this.#outcomes,
      on: this.#on.figures(),
      off: this.#off.figures(),
    };
  }
}

/** How long it took from the moment nobody wanted a tile that was running until its task had settled. */
class Lateness {
  /** @type {number[]} */
  #latest = [];
  #left = 0;
  #running = 0;
  #wasted = 0;

  /**
   * @param {number | undefined} ms - undefined: it was not running when it was left
   * @param {number} wasted - ms that a thread computed meanwhile
   */
  add(ms, wasted) {
    this.#left++;
    this.#wasted += Math.max(0, wasted);
    if (ms === undefined) return;
    this.#running++;
    this.#latest.push(ms);
    if (this.#latest.length > SAMPLES) this.#latest.shift();
  }

  figures() {
    const sorted = this.#latest.toSorted((a, b) => a - b);
    /** @param {number} part */
    const at = (part) => sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? null;
    return {
      left: this.#left,
      running: this.#running,
      p50: at(0.5),
      p95: at(0.95),
      last: this.#latest.at(-1) ?? null,
      wasted: this.#wasted,
    };
  }
}
