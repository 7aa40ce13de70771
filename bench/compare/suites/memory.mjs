// @ts-check
/** What a queued task is on the heap, and what a cancelled batch leaves there. */
import { setTimeout as sleep } from "node:timers/promises";
import { collectGarbage } from "../../support/sampling.mjs";
import { mapOf } from "../support/mapping.mjs";
import { bothFree, everyone, holdAll, openPool, peers } from "../support/pool.mjs";
import { scene } from "../support/suite.mjs";
import { submitAndCancel } from "../support/together.mjs";

/** A byte a task: what a million leaves is lost in what the process does anyhow. */
const LEFT = 1e6;

const queued = scene({
  name: "queued",
  // Ours under a context. With a signal the peers would take the square of the time, and more memory.
  sides: everyone.map((pool) => ({
    name: pool === "lifeguard" ? "lifeguard, under one context" : pool,
    ours: pool === "lifeguard",
    pool,
  })),
  measures: [
    {
      key: "each",
      text: "a queued task with its promise",
      unit: "bytes",
      of: "task",
      // Of a thousand the figure is mostly what happens to lie about.
      asked: (n) => (n >= 10_000 ? [{ atMost: 700 }] : []),
    },
  ],
  // The queue of some can only be emptied by running all of it.
  fresh: true,
  open: async ({ pool: name }) => {
    const pool = await openPool(name);
    let drain = async () => {};
    return async (n) => {
      // Before the next sample, if there is one: with a million of them it would take a minute for nothing.
      await drain();
      const release = await holdAll(pool);
      const { run } = name === "lifeguard" ? pool.together() : pool;
      /** @type {PromiseLike<unknown>[]} */
      const promises = new Array(n).fill(undefined);
      const before = await used();
      for (let i = 0; i < n; i++) promises[i] = run("nothing");
      const each = ((await used()) - before) / n;
      drain = async () => {
        await release();
        await Promise.all(promises);
      };
      return { each };
    };
  },
});

/** @typedef {import("../support/suite.mjs").Side & { readonly pool: import("../support/pool.mjs").PoolName, readonly isMap: boolean }} CancelledSide */

/** @type {readonly CancelledSide[]} */
const cancelledSides = [
  { name: "lifeguard run", ours: true, pool: "lifeguard", isMap: false },
  { name: "lifeguard map", ours: true, pool: "lifeguard", isMap: true },
  ...peers.map((pool) => ({ name: pool, pool, isMap: false })),
];

/**
 * @param {number} n
 * @returns {readonly import("../../support/report.mjs").Asked[]}
 */
const nothingLeft = (n) =>
  n === 1_000_000
    ? cancelledSides.flatMap(({ name, ours }) => (ours ? [{ of: name, atMost: LEFT }] : []))
    : [];

const cancelled = scene({
  name: "cancelled",
  sides: cancelledSides,
  measures: [
    {
      key: "busy",
      text: "heap after a cancelled batch less the heap before, threads still busy",
      unit: "bytes",
      of: "difference",
      asked: (n) => nothingLeft(n).slice(0, 1),
    },
    {
      key: "free",
      text: "heap after a cancelled batch less the heap before, threads free",
      unit: "bytes",
      of: "difference",
      asked: nothingLeft,
    },
  ],
  open: async ({ pool: name, isMap }) => {
    const pool = await openPool(name);
    if (isMap) {
      return async (n) => {
        const before = await used();
        await cancelInTheMiddle(pool, n);
        await bothFree(pool);
        return { free: (await used()) - before };
      };
    }
    return async (n) => {
      const before = await used();
      const release = await holdAll(pool);
      await submitAndCancel(pool, n);
      const busy = (await used()) - before;
      await release();
      await bothFree(pool);
      return { busy, free: (await used()) - before };
    };
  },
});

/**
 * @param {import("../support/pool.mjs").AnyPool} pool
 * @param {number} n
 */
async function cancelInTheMiddle(pool, n) {
  const batch = mapOf(pool)("nothing", numbers(n));
  let count = 0;
  try {
    for await (const _ of batch.each()) if (++count === Math.ceil(n / 2)) batch.cancel();
  } catch (error) {
    // That is how it ends, but not before.
    if (count < n / 2) throw error;
  }
}

/**
 * Not an array: that would be on the heap too.
 *
 * @param {number} n
 */
function* numbers(n) {
  for (let i = 0; i < n; i++) yield i;
}

/** The pause is for what only a turn of the event loop lets go. */
async function used() {
  await sleep(10);
  collectGarbage();
  await sleep(10);
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** @type {import("../support/suite.mjs").Suite} */
export const suite = {
  about: "bytes of a queued task, and the heap before and after a cancelled batch",
  scenes: [queued, cancelled],
};
