// @ts-check
/** Which tasks there are, and whether each has run once, or never, or not once it was over. Read at each end of a task, and of all at each quiet point. */
import { IN, OUT, POOL, POOLS, poolAt, SLOT, SLOTS, slotAt, WORDS } from "./words.mjs";

/** @typedef {"never" | "once" | "at most once"} Runs */

/** What has become of a slot's task. */
const OPEN = 1;
/** @type {Record<Runs, number>} */
const FATES = { never: 2, once: 3, "at most once": 4 };
const RUNS = /** @type {readonly Runs[]} */ (Object.keys(FATES));

export class Ledger {
  words = new Int32Array(new SharedArrayBuffer(4 * WORDS));
  #fates = new Uint8Array(SLOTS);
  #slots = 0;
  #pools = 1;
  #kept = 1;
  #broken;

  /** @param {(invariant: string, details: string) => void} broken */
  constructor(broken) {
    this.#broken = broken;
  }

  /** No more tasks before the next quiet point. */
  get isFull() {
    return this.#slots > SLOTS * 0.9 || this.#pools > POOLS - 20;
  }

  /** A slot for a task. */
  open() {
    if (this.#slots === SLOTS) throw new Error("the ledger is full");
    this.#fates[this.#slots] = OPEN;
    return this.#slots++;
  }

  openPool() {
    if (this.#pools === POOLS) throw new Error("the ledger of pools is full");
    const pool = this.#pools++;
    this.words.fill(0, poolAt(pool), poolAt(pool + 1));
    return pool;
  }

  /** From now on, the pools there are stay over quiet points. */
  keepPools() {
    this.#kept = this.#pools;
  }

  /**
   * The task has settled.
   *
   * @param {number} slot
   * @param {number} pool
   * @param {Runs} runs how often it may have run by that
   * @param {string} what
   * @returns {boolean} it has not told that it no longer runs: it was stopped hard, or its thread has gone
   */
  close(slot, pool, runs, what) {
    const fate = this.#fates[slot];
    if (fate !== OPEN) {
      this.#broken("settles once", `${what} has settled already`);
      return false;
    }
    this.#fates[slot] = FATES[runs];
    this.#check(slot, what);
    // Out, whatever it was: one that was stopped hard as it began comes in no more.
    const wasIn = Atomics.exchange(this.words, slotAt(slot) + SLOT.state, OUT) === IN;
    if (wasIn) Atomics.sub(this.words, poolAt(pool) + POOL.now, 1);
    return wasIn;
  }

  /** @param {number} slot */
  isIn(slot) {
    return Atomics.load(this.words, slotAt(slot) + SLOT.state) === IN;
  }

  /** As which of its pool's tasks it has begun. @param {number} slot */
  order(slot) {
    return Atomics.load(this.words, slotAt(slot) + SLOT.order);
  }

  /** @param {number} pool @param {number} word */
  read(pool, word) {
    return Atomics.load(this.words, poolAt(pool) + word);
  }

  /** The most tasks at once since the last call. @param {number} pool */
  takeMost(pool) {
    return Atomics.exchange(this.words, poolAt(pool) + POOL.most, 0);
  }

  /** With nothing under way: every task has settled, and none has begun since. From then on all slots are free again. */
  settle() {
    for (let slot = 0; slot < this.#slots; slot++) {
      if (this.#fates[slot] === OPEN)
        this.#broken("settles once", `the task of slot ${String(slot)} never has`);
      else this.#check(slot, `the task of slot ${String(slot)}, long over`);
    }
    for (let pool = 1; pool < this.#pools; pool++) {
      const now = this.read(pool, POOL.now);
      Atomics.store(this.words, poolAt(pool) + POOL.now, 0);
      const strays = this.read(pool, POOL.strays);
      // Less than none: one was stopped hard while it told that it came or went.
      if (now > 0)
        this.#broken(
          "threads at once",
          `${String(now)} tasks run on in pool ${String(pool)}, which is quiet`,
        );
      if (strays !== 0)
        this.#broken("over when settled", `${String(strays)} times work left behind saw a live context`);
    }
    this.words.fill(0, slotAt(0), slotAt(this.#slots));
    this.#fates.fill(0, 0, this.#slots);
    this.#slots = 0;
    this.#pools = this.#kept;
  }

  /** @param {number} slot @param {string} what */
  #check(slot, what) {
    const begun = Atomics.load(this.words, slotAt(slot) + SLOT.begun);
    const runs = RUNS.find((each) => FATES[each] === this.#fates[slot]);
    if (begun > 1) this.#broken("runs once", `${what} has run ${String(begun)} times`);
    else if (runs === "never" && begun > 0)
      this.#broken("nothing runs that was dropped", `${what} was not to run`);
    else if (runs === "once" && begun === 0) this.#broken("runs once", `${what} has never run`);
  }
}
