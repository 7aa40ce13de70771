// @ts-check
/**
 * One running task that computes is cancelled, in each pool by what its documentation has for it: when does its promise
 * settle, has the work stopped by then, and when can the threads be used again. Many that wait: suites/batch.mjs.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Cell } from "../../support/cell.mjs";
import { randomMoment, until } from "../../support/sampling.mjs";
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

/** @type {import("../support/suite.mjs").Scene<CancelSide>["open"]} */
async function open({ pool: name, task, options }) {
  const pool = await openPool(name, options);
  return async () => {
    const cell = new Cell();
    const { run, cancel } = pool.together();
    const promise = run(task, cell.buffer);
    const settled = promise.then(stamp, stamp);
    await until(() => Atomics.load(cell.running, 0) === 1);
    await randomMoment();
    const from = process.hrtime.bigint();
    cancel([promise]);
    const usable = bothFree(pool);
    const at = await settled;
    const values = { settle: Number(at - from), usable: Number((await usable) - from) };
    return { ...values, ranOn: Math.max(0, Number((await lastStamp(cell)) - at)) };
  };
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

const running = scene({
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
  scenes: [running, hard],
};
