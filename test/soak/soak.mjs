// @ts-check
/** One soak: what all parts of the load share. Who is waited for, what is counted, what has happened, and the end of it all. */
import { background, cause, withCancel } from "lifeguard";
import { Ledger } from "./ledger.mjs";
import { Random } from "./random.mjs";

/** @typedef {import("lifeguard").Context} Context */
/** @typedef {import("./sabotage.mjs").Sabotage} Sabotage */
/** @typedef {import("./pool.mjs").SoakPool} SoakPool */

/** @typedef {{ readonly invariant: string, readonly details: string, readonly at: number }} Broken */

/**
 * @typedef {object} Followed
 * @property {string} what
 * @property {number} since as LoopClock has it
 * @property {Context | undefined} ctx what ends it, if anything does
 * @property {number} grace ms it has once that has ended
 * @property {number | undefined} endedAt
 */

/** Of what has happened, so much is told in the end. */
const EVENTS = 300;

/** What ends by itself, waits in queues and for threads first: so many times the patience. */
const WITHOUT_END = 4;

const TICK = 20;

/** Time in which the event loop turned: a machine that sleeps, or a thread that has no core, takes nobody's time. */
class LoopClock {
  now = 0;
  #last = performance.now();
  #timer = setInterval(() => {
    const now = performance.now();
    this.now += Math.min(now - this.#last, 5 * TICK);
    this.#last = now;
  }, TICK).unref();

  stop() {
    clearInterval(this.#timer);
  }
}

export class Soak {
  clock = new LoopClock();
  random;
  /** Those that every part of the load may choose from. @type {SoakPool[]} */
  pools = [];
  /** All there are. @type {Set<SoakPool>} */
  watched = new Set();
  /** By kind, how often which end. @type {Map<string, Record<string, number>>} */
  outcomes = new Map();
  counts = {
    tasks: 0,
    requests: 0,
    left: 0,
    actors: 0,
    calls: 0,
    batches: 0,
    groups: 0,
    contexts: 0,
    pools: 0,
    cancellations: 0,
    hardStops: 0,
    crashes: 0,
    blocks: 0,
  };
  /** A context that lasts as long as the soak: most others are below it. */
  root;
  /** Signals and contexts that last, each of which would show who has not left. */
  lasting = new AbortController();
  /** Contexts that were let go: some of all. @type {WeakRef<object>[]} */
  released = [];
  /** @type {Broken | undefined} */
  broken;
  startedAt = performance.now();
  ledger;
  sabotage;
  patience;
  #cancelRoot;
  #onBroken;
  /** @type {Set<Followed>} */
  #followed = new Set();
  /** @type {{ at: number, text: string }[]} */
  #events = [];
  #next = 0;

  /**
   * @param {string} seed
   * @param {number} patience ms
   * @param {Sabotage} sabotage
   * @param {() => void} onBroken
   */
  constructor(seed, patience, sabotage, onBroken) {
    this.random = new Random(seed);
    this.patience = patience;
    this.sabotage = sabotage;
    this.#onBroken = onBroken;
    this.ledger = new Ledger((invariant, details) => {
      this.fail(invariant, details);
    });
    [this.root, this.#cancelRoot] = withCancel(background);
  }

  /** The first one counts. @param {string} invariant @param {string} details */
  fail(invariant, details) {
    if (this.broken !== undefined) return;
    this.broken = { invariant, details, at: performance.now() - this.startedAt };
    this.tell(`BROKEN ${invariant}: ${details}`);
    this.#onBroken();
  }

  /** @param {boolean} holds @param {string} invariant @param {() => string} details */
  check(holds, invariant, details) {
    if (!holds) this.fail(invariant, details());
  }

  /** @param {string} text */
  tell(text) {
    this.#events[this.#next++ % EVENTS] = { at: performance.now() - this.startedAt, text };
  }

  /** The latest events, in their order. */
  events() {
    return [...this.#events].sort((a, b) => a.at - b.at);
  }

  /**
   * Sees to it that `promise` settles within the patience, once `ctx` has ended and its grace is over.
   *
   * @template T
   * @param {string} what
   * @param {PromiseLike<T>} promise
   * @param {Context} [ctx]
   * @param {number} [grace]
   * @returns {Promise<T>}
   */
  async follow(what, promise, ctx, grace = 0) {
    const followed = { what, since: this.clock.now, ctx, grace, endedAt: undefined };
    this.#followed.add(followed);
    try {
      return await promise;
    } finally {
      this.#followed.delete(followed);
    }
  }

  get following() {
    return this.#followed.size;
  }

  /** To be called now and then. */
  lookForHangs() {
    const { now } = this.clock;
    for (const each of this.#followed) {
      if (each.endedAt === undefined && each.ctx?.err() !== undefined) each.endedAt = now;
      const { endedAt } = each;
      const late =
        endedAt === undefined
          ? now - each.since > WITHOUT_END * this.patience
          : now - endedAt > this.patience + each.grace;
      if (!late) continue;
      const why =
        each.ctx?.err() === undefined
          ? "its context is live"
          : `its context ended: ${String(cause(each.ctx))}`;
      this.fail(
        "settles in time",
        `${each.what} has not settled ${((now - each.since) / 1000).toFixed(1)} s of loop time after its start; ${why}, grace ${String(each.grace)} ms`,
      );
    }
  }

  /** @param {string} kind @param {string} outcome */
  count(kind, outcome) {
    const counts = this.outcomes.get(kind) ?? {};
    this.outcomes.set(kind, counts);
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }

  /** Some of the contexts that were let go are looked for at the next quiet point. @param {object} ctx */
  release(ctx) {
    this.sabotage.released(ctx);
    if (this.counts.contexts++ % 64 === 0) this.released.push(new WeakRef(ctx));
  }

  end() {
    this.#cancelRoot();
    this.clock.stop();
  }
}
