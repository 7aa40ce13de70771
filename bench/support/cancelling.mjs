// @ts-check
/** One cancellation of a running loop, of lifeguard's and of a bare worker's: shared by seen.mjs and settled.mjs. */
import { background, withCancel } from "lifeguard";
import { Cell } from "./cell.mjs";
import { ignore, inTurn, isStopping, randomMoment, scaled, until, warmMoment } from "./sampling.mjs";

/** @typedef {{ readonly seen: number, readonly settled: number }} Times nanoseconds from just before the cancellation */

/**
 * When to cancel, once the loop runs.
 *
 * @callback Moment
 * @returns {Promise<void>}
 */

/**
 * @param {Awaited<ReturnType<typeof import("./pools.mjs").lifeguardPool>>} pool
 * @param {import("./cell.mjs").Cell} cell
 * @param {Moment} moment
 * @returns {Promise<Times>}
 */
export async function cancelTask(pool, cell, moment) {
  cell.reset();
  const [ctx, cancel] = withCancel(background);
  let settled = 0n;
  const result = pool.run(ctx, "spin", cell.buffer).then(ignore, () => {
    settled = process.hrtime.bigint();
  });
  await until(() => Atomics.load(cell.running, 0) === 1);
  await moment();
  const from = process.hrtime.bigint();
  cancel();
  await result;
  return { seen: cell.since(from), settled: Number(settled - from) };
}

/**
 * The same with a shared word and a message back.
 *
 * @param {import("./bare.mjs").BareWorker} worker
 * @param {import("./cell.mjs").Cell} cell
 * @param {Moment} moment
 * @returns {Promise<Times>}
 */
export async function raiseFlag(worker, cell, moment) {
  cell.reset();
  let settled = 0n;
  const result = worker.run({ type: "spin", cell: cell.buffer }).then(() => {
    settled = process.hrtime.bigint();
  });
  await until(() => Atomics.load(cell.running, 0) === 1);
  await moment();
  const from = process.hrtime.bigint();
  Atomics.store(cell.flag, 0, 1);
  await result;
  return { seen: cell.since(from), settled: Number(settled - from) };
}

/** The compiler needs thousands of cancellations before it has made of both sides what it will. */
const WARM_UP = scaled(4000);

/**
 * Cancellations at random moments, of both in turn.
 *
 * @param {Awaited<ReturnType<typeof import("./pools.mjs").lifeguardPool>>} pool
 * @param {import("./bare.mjs").BareWorker} worker
 * @param {{ rounds: number, isWarm: boolean }} options twenty samples a round; warm: compiled, and with the main
 * thread awake rather than just woken by a timer, after which its first stamp alone takes microseconds
 */
export async function cancelInTurn(pool, worker, { rounds, isWarm }) {
  const cell = new Cell();
  if (isWarm) {
    for (let i = 0; i < WARM_UP && !isStopping(); i++) {
      await cancelTask(pool, cell, noMoment);
      await raiseFlag(worker, cell, noMoment);
    }
  }
  const moment = isWarm ? warmMoment : randomMoment;
  /** @type {Record<keyof Times, number[]>} */
  const ours = { seen: [], settled: [] };
  /** @type {Record<keyof Times, number[]>} */
  const bare = { seen: [], settled: [] };
  /**
   * @param {typeof ours} into
   * @param {Times} times
   */
  const keep = (into, { seen, settled }) => {
    into.seen.push(seen);
    into.settled.push(settled);
    return seen;
  };
  const sides = [
    async () => keep(ours, await cancelTask(pool, cell, moment)),
    async () => keep(bare, await raiseFlag(worker, cell, moment)),
  ];
  await inTurn(rounds, sides, { burst: 20 });
  return { ours, bare };
}

async function noMoment() {}
