// @ts-check
/** Keeps account: how each task ended, and how long that took where its context ended first. */
import { afterFunc, cause, remaining } from "lifeguard";
import { bold, duration, number, say } from "./screen.mjs";

/** @typedef {import("lifeguard").Context} Context */
/** @typedef {import("lifeguard").Outcome} Outcome */
/** @typedef {{ a: Text, b: Text, distance: number | undefined }} Pair - undefined: not known */
/** @typedef {import("./texts.mjs").Text} Text */

/**
 * @typedef {object} Entry
 * @property {Outcome} outcome
 * @property {string | undefined} ended - how its context ended before it did
 * @property {number} late - ms from then until its result settled
 */

/** @type {readonly Outcome[]} */
const outcomes = ["completed", "failed", "stopped", "dropped", "terminated", "crashed"];

/** The tasks of one act. */
class Act {
  /** @type {Entry[]} */
  entries = [];
  /** @type {Map<import("lifeguard").Task<unknown>, string>} */
  #open = new Map();

  /** @param {string} name */
  constructor(name) {
    this.name = name;
  }

  /** How many have settled. */
  get length() {
    return this.entries.length;
  }

  /**
   * The result of the task; on the way its end is noted down.
   *
   * @template R
   * @param {Context} ctx - what it was submitted with
   * @param {import("lifeguard").Task<R>} task
   * @param {string} label
   * @returns {Promise<R>}
   */
  async follow(ctx, task, label) {
    this.#open.set(task, label);
    // A deadline counts from when it passes, not from when this thread comes to hear of it.
    const due = performance.now() + remaining(ctx);
    let over = Number.POSITIVE_INFINITY;
    const stop = afterFunc(ctx, () => {
      over = Math.min(due, performance.now());
    });
    try {
      return await task.result;
    } finally {
      const late = performance.now() - Math.min(over, due);
      const ended = ctx.err() === undefined ? undefined : howEnded(ctx);
      stop();
      this.#open.delete(task);
      this.entries.push({ outcome: /** @type {Outcome} */ (task.outcome), ended, late: Math.max(0, late) });
    }
  }

  /** For example "1 250 completed, 44 stopped". */
  summary() {
    const parts = outcomes.flatMap((outcome) => {
      const count = this.entries.filter((entry) => entry.outcome === outcome).length;
      return count === 0 ? [] : [`${number(count)} ${outcome}`];
    });
    return parts.length === 0 ? "none yet" : parts.join(", ");
  }

  /** One line for each task that runs, a few at most. */
  running() {
    return [...this.#open]
      .filter(([task]) => task.state === "running")
      .slice(0, 8)
      .map(([task, label]) => `  ${String(Math.floor(task.progress * 100)).padStart(3)} %  ${label}`);
  }
}

/** @param {Context} ctx */
function howEnded(ctx) {
  if (ctx.err()?.code === "ERR_DEADLINE_EXCEEDED") return "deadline";
  return cause(ctx) === "SIGINT" ? "Ctrl-C" : "cancel";
}

export class Ledger {
  /** @type {Act[]} */
  #acts = [];

  /** @param {string} name */
  act(name) {
    const act = new Act(name);
    this.#acts.push(act);
    return act;
  }

  print() {
    if (this.#acts.every(({ length }) => length === 0)) return;
    say(`\n${bold("What became of them, and how long after its context had ended each one settled")}`);
    say("  act               context    outcome       tasks       p50       max");
    for (const { name, entries } of this.#acts) {
      for (const { ended, outcome, late } of grouped(entries)) {
        const times = ended === undefined ? [] : [median(late), Math.max(...late)].map((ms) => duration(ms));
        const words = [name.padEnd(16), (ended ?? "-").padEnd(9), outcome.padEnd(10)];
        const numbers = [number(late.length), ...times].map((each) => each.padStart(8));
        say(`  ${[...words, ...numbers].join("  ")}`);
      }
    }
  }
}

/** @param {readonly Entry[]} entries */
function grouped(entries) {
  const ways = [undefined, "deadline", "cancel", "Ctrl-C"];
  return ways
    .flatMap((ended) => outcomes.map((outcome) => ({ ended, outcome })))
    .map(({ ended, outcome }) => {
      const group = entries.filter((entry) => entry.ended === ended && entry.outcome === outcome);
      return { ended, outcome, late: group.map((entry) => entry.late) };
    })
    .filter(({ late }) => late.length > 0);
}

/** @param {readonly number[]} values - at least one */
function median(values) {
  return [...values].sort((a, b) => a - b)[Math.ceil(values.length / 2) - 1] ?? Number.NaN;
}

/**
 * What the comparisons say: how many near copies there are, the largest family of them, the closest two.
 *
 * @param {Pair[]} pairs
 * @param {number} alike
 * @returns {string[]}
 */
export function families(pairs, alike) {
  const near = pairs.filter((pair) => likeness(pair) >= alike);
  if (near.length === 0) return ["None of them are near copies."];
  /** @type {Map<Text, Set<Text>>} */
  const families = new Map();
  for (const { a, b } of near) {
    const family = new Set([...(families.get(a) ?? [a]), ...(families.get(b) ?? [b])]);
    for (const text of family) families.set(text, family);
  }
  const largest = [...families.values()].reduce((x, y) => (y.size > x.size ? y : x));
  const [one] = [...largest].map(({ files: [file] }) => file);
  const closest = near.reduce((x, y) => ((y.distance ?? 0) < (x.distance ?? 0) ? y : x));
  return [
    `${number(near.length, "pair")} of near copies: ${alike * 100} % of the text or more is the same.`,
    `The largest family: ${number(largest.size, "text")} like ${one}.`,
    `The closest: ${closest.a.files[0]} and ${closest.b.files[0]}, ${number(closest.distance ?? 0, "character")} apart.`,
  ].map((line) => (line.length > 76 ? `${line.slice(0, 75)}…` : line));
}

/** @param {Pair} pair */
function likeness({ a, b, distance }) {
  return distance === undefined ? 0 : 1 - distance / Math.max(a.text.length, b.text.length);
}
