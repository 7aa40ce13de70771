// @ts-check
/**
 * One running task that computes is cancelled, in each pool by what its documentation has for it: when does its promise
 * settle, has the work stopped by then, and when can the threads be used again. Many that wait: suites/batch.mjs.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Cell } from "../../support/cell.mjs";
import { randomMoment, scaled, until } from "../../support/sampling.mjs";
import { bothFree, openPool } from "../support/pool.mjs";
import { scene } from "../support/suite.mjs";

/**
 * @typedef {import("../support/suite.mjs").Side & {
 *   readonly pool: import("../support/pool.mjs").PoolName,
 *   readonly task: import("../support/pool.mjs").TaskName,
 *   readonly options?: object,
 * }} CancelSide
 */

/** A task whose time has come writes nothing any more for so long, ms. */
const STILL = 20;

/** Each side cancels for so long, ms, or so often before it is measured, whichever comes first. */
const WARM_UP = { time: 2_000, times: 500 };

/** @type {import("../support/suite.mjs").Scene<CancelSide>["open"]} */
async function open({ pool: name, task, options }) {
  const pool = await openPool(name, options);
  const last = performance.now() + scaled(WARM_UP.time);
  for (let i = 0; i < scaled(WARM_UP.times) && performance.now() < last; i++)
    await toUsable(pool, task, noMoment);
  return samplerOf(pool, task);
}

/**
 * A sample is two cancellations: the promise is followed in one, the threads in the other. The two tasks that prove the
 * threads usable have to be waiting by then, and a pool that hands them over before it settles would be blamed for it;
 * and their own polling takes the cores that the main thread wakes on.
 *
 * @param {import("../support/pool.mjs").AnyPool} pool
 * @param {import("../support/pool.mjs").TaskName} task
 * @returns {import("../support/suite.mjs").Sampler}
 */
export function samplerOf(pool, task) {
  return async () => ({
    ...(await toSettled(pool, task)),
    usable: await toUsable(pool, task, randomMoment),
  });
}

/**
 * @param {import("../support/pool.mjs").AnyPool} pool
 * @param {import("../support/pool.mjs").TaskName} task
 */
async function toSettled(pool, task) {
  const { cell, cancelNow, settled } = await running(pool, task, randomMoment);
  const from = cancelNow();
  const at = await settled;
  await lastStamp(cell);
  // Whoever runs on, or starts another thread, is done with that before the next cancellation. A busy machine may have
  // kept the task from writing for longer than STILL: what it wrote later than that counts as well.
  await bothFree(pool);
  return { settle: Number(at - from), ranOn: Math.max(0, Number((await lastStamp(cell)) - at)) };
}

/**
 * @param {import("../support/pool.mjs").AnyPool} pool
 * @param {import("../support/pool.mjs").TaskName} task
 * @param {() => Promise<void>} moment
 */
async function toUsable(pool, task, moment) {
  const { cancelNow, settled } = await running(pool, task, moment);
  const from = cancelNow();
  const at = await bothFree(pool);
  await settled;
  return Number(at - from);
}

/**
 * A task that runs, at a moment of its own.
 *
 * @param {import("../support/pool.mjs").AnyPool} pool
 * @param {import("../support/pool.mjs").TaskName} task
 * @param {() => Promise<void>} moment
 */
async function running(pool, task, moment) {
  const cell = new Cell();
  const { run, cancel } = pool.together();
  const promise = run(task, cell.buffer);
  const settled = promise.then(stamp, stamp);
  await until(() => Atomics.load(cell.running, 0) === 1);
  await moment();
  const cancelNow = () => {
    const from = process.hrtime.bigint();
    cancel([promise]);
    return from;
  };
  return { cell, cancelNow, settled };
}

/** @param {Cell} cell */
async function lastStamp(cell) {
  for (;;) {
    const before = Atomics.load(cell.stamp, 0);
    await sleep(STILL);
    if (Atomics.load(cell.stamp, 0) === before) return before;
  }
}

function stamp() {
  return process.hrtime.bigint();
}

async function noMoment() {}

/**
 * Nothing is asked here: bench/capacity does, with 300 samples of each in one process.
 *
 * @param {string} what
 * @returns {readonly import("../support/suite.mjs").Measure[]}
 */
const measures = (what) => [
  { key: "settle", text: `${what}: cancel() to its promise settled`, unit: "ns", of: "moment" },
  { key: "ranOn", text: `${what}: runs on after its promise has settled`, unit: "ns", of: "difference" },
  { key: "usable", text: `${what}: cancel() to both threads usable again`, unit: "ns", of: "moment" },
];

/**
 * What ends the thread, or leaves it to the task: alike for both kinds of task.
 *
 * @param {"busy" | "endless"} task
 * @returns {readonly CancelSide[]}
 */
const peers = (task) => [
  { name: "piscina, AbortSignal", pool: "piscina", task },
  { name: "tinypool, AbortSignal", pool: "tinypool", task },
  { name: "workerpool, promise.cancel()", pool: "workerpool", task },
  { name: "poolifier, AbortSignal", pool: "poolifier", task },
  { name: "a bare Worker, terminate()", pool: "bare", task, options: { stop: "terminate" } },
];

const computing = scene({
  name: "running",
  alone: { rounds: 40, limit: 15 },
  sides: [
    // It polls; of the others none can be asked in the middle of a computation.
    { name: "lifeguard", ours: true, pool: "lifeguard", task: "busy" },
    ...peers("busy"),
    // These let their event loop turn every millisecond, which is how a message gets in.
    { name: "workerpool, abort listener", pool: "workerpool", task: "busyInTurns" },
    { name: "a bare Worker, a message", pool: "bare", task: "busyInTurns", options: { stop: "message" } },
  ],
  measures: measures("a task that computes"),
  open,
});

const hard = scene({
  name: "hard",
  alone: { rounds: 40, limit: 15 },
  sides: [
    { name: "lifeguard, grace 0", ours: true, pool: "lifeguard", task: "endless", options: { grace: 0 } },
    {
      name: "lifeguard, grace 0, interrupt",
      ours: true,
      pool: "lifeguard",
      task: "endless",
      options: { grace: 0, onOverrun: "interrupt" },
    },
    { name: "lifeguard, its usual grace", ours: true, pool: "lifeguard", task: "endless" },
    ...peers("endless"),
  ],
  measures: measures("a task that never looks up and never ends"),
  open,
});

/** @type {import("../support/suite.mjs").Suite} */
export const suite = {
  about: "one running task: cancelling it, and stopping one that never looks up",
  scenes: [computing, hard],
};
