// @ts-check
/** One cancellation of a running task, of lifeguard's and of a bare worker's: shared by seen, settled and latency. */
import { background, withCancel } from "lifeguard";
import { Cell } from "./cell.mjs";
import { ignore, inTurn, isStopping, randomMoment, scaled, until, warmMoment } from "./sampling.mjs";

/**
 * Nanoseconds from just before the cancellation. Seen: at the task's first poll, or where it was woken; stopped: its
 * function has ended.
 *
 * @typedef {object} Times
 * @property {bigint} from that moment itself, on the clock of all threads
 * @property {number} seen
 * @property {number} stopped
 * @property {number} settled
 */

/**
 * When to cancel, once the task runs.
 *
 * @callback Moment
 * @returns {Promise<void>}
 */

/** @typedef {"spin" | "spinRarely" | "waitInSleep" | "waitForDone"} TaskName what tasks/lifeguard-tasks.mjs calls it */

/** @typedef {"spin" | "spinRarely" | "wait"} JobType what tasks/bare-worker.mjs does instead; the last is woken by a message */

/**
 * @param {Awaited<ReturnType<typeof import("./pools.mjs").lifeguardPool>>} pool
 * @param {import("./cell.mjs").Cell} cell
 * @param {Moment} moment
 * @param {TaskName} [task]
 * @param {() => void} [after] done at once after the cancellation
 * @returns {Promise<Times>}
 */
export async function cancelTask(pool, cell, moment, task = "spin", after = ignore) {
  cell.reset();
  const [ctx, cancel] = withCancel(background);
  let settled = 0n;
  const result = pool.run(ctx, task, cell.buffer).then(ignore, () => {
    settled = process.hrtime.bigint();
  });
  await until(() => Atomics.load(cell.running, 0) === 1);
  await moment();
  const from = process.hrtime.bigint();
  cancel();
  after();
  await result;
  return { from, seen: cell.since(from), stopped: cell.endedSince(from), settled: Number(settled - from) };
}

/**
 * The same with a shared word, or a message to a task that waits, and a message back.
 *
 * @param {import("./bare.mjs").BareWorker} worker
 * @param {import("./cell.mjs").Cell} cell
 * @param {Moment} moment
 * @param {JobType} [type]
 * @param {() => void} [after]
 * @returns {Promise<Times>}
 */
export async function raiseFlag(worker, cell, moment, type = "spin", after = ignore) {
  cell.reset();
  let settled = 0n;
  const result = worker.run({ type, cell: cell.buffer }).then(() => {
    settled = process.hrtime.bigint();
  });
  await until(() => Atomics.load(cell.running, 0) === 1);
  await moment();
  const from = process.hrtime.bigint();
  if (type === "wait") worker.start({ type: "stop" });
  else Atomics.store(cell.flag, 0, 1);
  after();
  await result;
  return { from, seen: cell.since(from), stopped: cell.endedSince(from), settled: Number(settled - from) };
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
  const [ours = [], bare = []] = await timesInTurn(
    rounds,
    [() => cancelTask(pool, cell, moment), () => raiseFlag(worker, cell, moment)],
    20,
  );
  return { ours: listsOf(ours), bare: listsOf(bare) };
}

/**
 * As `inTurn`, for samples that are more than a number.
 *
 * @template T
 * @param {number} rounds
 * @param {readonly (() => Promise<T>)[]} sides
 * @param {number} burst
 * @returns {Promise<T[][]>}
 */
export async function timesInTurn(rounds, sides, burst) {
  const all = sides.map(() => /** @type {T[]} */ ([]));
  await inTurn(
    rounds,
    sides.map((side, at) => async () => {
      all[at]?.push(await side());
      return 0;
    }),
    { burst },
  );
  return all;
}

/** @param {readonly Times[]} times */
export function listsOf(times) {
  return {
    seen: times.map(({ seen }) => seen),
    stopped: times.map(({ stopped }) => stopped),
    settled: times.map(({ settled }) => settled),
  };
}

export async function noMoment() {}
