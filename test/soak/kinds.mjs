// @ts-check
/** What there is to run, how each of it may end, and what is to come of it. */
import { CanceledError, ContextError, PoolError } from "lifeguard";
import { proxy } from "lifeguard/comlink";

/** @typedef {import("lifeguard").Outcome} Outcome */
/** @typedef {import("./random.mjs").Random} Random */

/**
 * @typedef {object} Kind
 * @property {string} name of the task in work/tasks.mjs
 * @property {number} weight how often it is chosen
 * @property {readonly Outcome[]} natural how it may end with its context live
 * @property {readonly Outcome[]} [ended] how else, once that has ended, except dropped and stopped hard
 * @property {true} [endless] only the end of its context ends it
 * @property {true} [asynchronous] it awaits, with timers that a cut could break: its thread is ended
 * @property {(random: Random) => unknown[]} [args]
 * @property {(args: readonly unknown[]) => readonly object[]} [transfer] of the arguments
 * @property {(value: any, slot: number, args: readonly unknown[]) => boolean} [value] whether it is what was to come of it
 * @property {(error: any, slot: number) => boolean} [error] the same, where it fails
 */

const isOdd = (/** @type {any} */ error, /** @type {number} */ slot) =>
  error instanceof RangeError &&
  error.constructor.name === "OddError" &&
  "code" in error &&
  error.code === "E_ODD" &&
  "slot" in error &&
  error.slot === slot &&
  error.cause instanceof TypeError;

const notCloneable = (/** @type {any} */ error) =>
  error instanceof PoolError && error.code === "ERR_NOT_CLONEABLE";

/** @satisfies {Record<string, Kind>} */
const table = {
  quick: {
    name: "quick",
    weight: 20,
    natural: ["completed"],
    value: (value, slot) => value === slot * 3 + 1,
  },
  note: {
    name: "note",
    weight: 10,
    natural: ["completed"],
    args: (random) => [`text ${String(random.int(0, 1e6))}`],
    value: (value, slot, [text]) =>
      value.slot === slot && value.text === String(text).toUpperCase() && value.big === BigInt(slot),
  },
  spin: {
    name: "spin",
    weight: 10,
    natural: ["completed"],
    ended: ["stopped"],
    args: (random) => [random.int(1, 15)],
    value: (value, slot) => value === `spun ${String(slot)}`,
  },
  poll: { name: "poll", weight: 10, natural: [], ended: ["stopped"], endless: true },
  causes: { name: "causes", weight: 4, natural: [], ended: ["stopped"], endless: true },
  best: {
    name: "best",
    weight: 4,
    natural: [],
    ended: ["completed"],
    endless: true,
    value: (value, slot) => value === slot,
  },
  sleepy: {
    name: "sleepy",
    weight: 5,
    natural: ["completed"],
    ended: ["stopped"],
    asynchronous: true,
    args: (random) => [random.int(1, 30)],
    value: (value, slot) => value === slot,
  },
  stubborn: { name: "stubborn", weight: 1, natural: [], endless: true },
  runaway: { name: "runaway", weight: 1, natural: [], endless: true },
  families: { name: "families", weight: 1, natural: [], endless: true },
  waits: { name: "waits", weight: 0.5, natural: [], endless: true },
  hangs: { name: "hangs", weight: 0.5, natural: [], endless: true, asynchronous: true },
  native: {
    name: "native",
    weight: 1,
    natural: ["completed"],
    args: (random) => [random.int(2000, 40_000)],
    value: (value) => value === 16,
  },
  throws: {
    name: "throws",
    weight: 3,
    natural: ["failed"],
    args: (random) => [random.pick(["odd", "null", "later"])],
    error: (error, slot) => error === null || isOdd(error, slot),
  },
  uncloneable: { name: "uncloneable", weight: 1, natural: ["failed"], error: notCloneable },
  unsendable: {
    name: "unsendable",
    weight: 1,
    natural: ["failed"],
    args: () => [() => {}],
    error: notCloneable,
  },
  exits: { name: "exits", weight: 0.4, natural: ["crashed"] },
  uncaught: { name: "uncaught", weight: 0.3, natural: ["crashed"], asynchronous: true },
  told: {
    name: "told",
    weight: 2,
    natural: ["completed"],
    args: (random) => [random.int(5, 60)],
    value: (value, _, [steps]) => value === steps,
  },
  moved: {
    name: "moved",
    weight: 2,
    natural: ["completed"],
    args: (random) => [new Uint8Array(random.int(1, 60_000)).fill(7).buffer],
    transfer: ([bytes]) => [/** @type {ArrayBuffer} */ (bytes)],
    value: ({ bytes }) => new Uint8Array(bytes).every((/** @type {number} */ byte) => byte === 8),
  },
  // What it is to come to is known to who made its context.
  values: {
    name: "values",
    weight: 3,
    natural: ["completed"],
    value: (value) => value === undefined || String(value).startsWith("tenant "),
  },
  derived: {
    name: "derived",
    weight: 2,
    natural: ["completed"],
    ended: ["stopped"],
    value: (value) => value === "ERR_DEADLINE_EXCEEDED" || value === "ABORT_ERR",
  },
  strays: {
    name: "strays",
    weight: 1,
    natural: ["completed"],
    asynchronous: true,
    value: (value, slot) => value === slot,
  },
  nested: {
    name: "nested",
    weight: 0.15,
    natural: ["completed"],
    ended: ["stopped"],
    asynchronous: true,
    value: (value, slot) => value === slot,
  },
  calls: {
    name: "calls",
    weight: 1,
    natural: ["completed"],
    asynchronous: true,
    args: (random) => [random.int(1, 4), proxy(async (/** @type {number} */ value) => value * 2)],
    value: (value, _, [count]) => value === Number(count) * (Number(count) - 1),
  },
};

/** @typedef {keyof typeof table} KindName */

/** @type {Record<KindName, Kind>} */
export const kinds = table;

/** What is chosen from at random. */
export const mixture = Object.entries(kinds).map(
  ([name, { weight }]) => /** @type {const} */ ([weight, /** @type {KindName} */ (name)]),
);

/** @type {readonly Outcome[]} */
export const HARD = ["interrupted", "terminated"];

/** What a task rejects with whose context has ended. @param {unknown} error */
export const isEnd = (error) => error instanceof ContextError;

/** The pool was closed under it. @param {unknown} error */
export const isClosed = (error) =>
  (error instanceof PoolError && error.code === "ERR_POOL_CLOSED") ||
  (error instanceof CanceledError &&
    error.cause instanceof PoolError &&
    error.cause.code === "ERR_POOL_CLOSED");

/** @param {unknown} error */
export const isFull = (error) => error instanceof PoolError && error.code === "ERR_QUEUE_FULL";

/** @param {unknown} error */
export const isCrash = (error) => error instanceof PoolError && error.code === "ERR_WORKER_CRASHED";
