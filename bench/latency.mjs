// @ts-check
/**
 * How long a cancellation takes, by what the task is at, how many there are, and how busy the machine is; beside the bare
 * primitive: a word in shared memory, or a message to a task that waits, and a message back.
 *
 * The coldest and the warmest such moments of a loop that polls tightly are in seen and settled, deadlines while the
 * main thread is blocked in blocked, hard stops in capacity.
 */
import { availableParallelism } from "node:os";
import { background } from "lifeguard";
import { BareWorker, burners, endAll } from "./support/bare.mjs";
import { cancelTask, listsOf, noMoment, raiseFlag, timesInTurn } from "./support/cancelling.mjs";
import { Cell } from "./support/cell.mjs";
import { manyAtOnce, queuedBesideRunning } from "./support/many.mjs";
import { lifeguardPool } from "./support/pools.mjs";
import { block, inTurn, isStopping, randomMoment, scaled } from "./support/sampling.mjs";

/** @typedef {Awaited<ReturnType<typeof lifeguardPool>>} Pool */
/** @typedef {import("./support/cancelling.mjs").TaskName} TaskName */
/** @typedef {import("./support/cancelling.mjs").JobType} JobType */

/** @typedef {{ readonly what: string, readonly task: TaskName, readonly job: JobType, readonly peer: string }} Case */

const FLAG = "bare flag + message back";
const MESSAGE = "message there and back";

/** @type {readonly Case[]} */
const cases = [
  { what: "a loop that polls all the time", task: "spin", job: "spin", peer: FLAG },
  { what: "a loop that polls every millisecond", task: "spinRarely", job: "spinRarely", peer: FLAG },
  { what: "a task that waits in sleep(ctx, …)", task: "waitInSleep", job: "wait", peer: MESSAGE },
  { what: "a task that waits for ctx.done()", task: "waitForDone", job: "wait", peer: MESSAGE },
];

/** Samples at a time of one side. */
const BURST = 20;

/** How long the main thread is busy from the cancellation on, ms. */
const BLOCKED = 20;

/** @param {import("./support/report.mjs").Report} report */
export async function run(report) {
  const pool = await lifeguardPool({ threads: 1 });
  const worker = new BareWorker();
  await worker.ready();

  for (const each of cases) {
    await warmUp(pool, worker, each);
    await one(report, pool, worker, each, { rounds: 15, where: "" });
  }
  await mainBlocked(report, pool, worker);
  await queuedBesideRunning(report, pool);

  const count = 2 * availableParallelism();
  const burning = await burners(count);
  for (const each of cases.slice(0, 3))
    await one(report, pool, worker, each, { rounds: 3, where: `, beside ${String(count)} busy threads` });
  await endAll(burning);
  await worker.end();
  await pool.destroy();

  const lanes = availableParallelism();
  await manyAtOnce(report, lanes, `on all ${String(lanes)} threads of a pool as large as the machine`, 200);
  // More than there are cores: what is left then is the scheduler's.
  await manyAtOnce(report, 10, "on 10 threads", 60);
}

/**
 * @param {Pool} pool
 * @param {BareWorker} worker
 * @param {Case} each
 */
async function warmUp(pool, worker, { task, job }) {
  const cell = new Cell();
  // A millisecond each, where it is the task that takes so long.
  const times = scaled(task === "spinRarely" ? 200 : 600);
  for (let i = 0; i < times && !isStopping(); i++) {
    await cancelTask(pool, cell, noMoment, task);
    await raiseFlag(worker, cell, noMoment, job);
  }
}

/**
 * Seen, stopped and settled come from the same cancellations. To the capacity back comes from others: the task that
 * proves it has to be waiting, and handing it over takes from what is measured otherwise.
 *
 * @param {import("./support/report.mjs").Report} report
 * @param {Pool} pool
 * @param {BareWorker} worker
 * @param {Case} each
 * @param {{ rounds: number, where: string }} options
 */
async function one(report, pool, worker, { what, task, job, peer }, { rounds, where }) {
  if (isStopping()) return;
  report.progress(`${what}${where}: ${String(rounds * BURST)} pairs`);
  const cell = new Cell();
  const [ours = [], bare = []] = await timesInTurn(
    rounds,
    [() => cancelTask(pool, cell, randomMoment, task), () => raiseFlag(worker, cell, randomMoment, job)],
    BURST,
  );
  const [a, b] = [listsOf(ours), listsOf(bare)];
  for (const [key, text] of /** @type {const} */ ([
    ["seen", "the task knowing"],
    ["stopped", "its function ended"],
    ["settled", "its promise settled"],
  ])) {
    report.row(`${what}${where}: cancel() to ${text}`, [
      { name: "lifeguard", samples: a[key] },
      { name: peer, samples: b[key] },
    ]);
  }

  const next = new Cell();
  report.progress(`${what}${where}: to the next task`);
  const [back = [], bareBack = []] = await inTurn(
    rounds,
    [
      async () => {
        next.reset();
        /** @type {Promise<unknown> | undefined} */
        let begun;
        const { from } = await cancelTask(pool, cell, randomMoment, task, () => {
          begun = pool.run(background, "meet", next.buffer, 1);
        });
        await begun;
        return next.since(from);
      },
      async () => {
        next.reset();
        const { from } = await raiseFlag(worker, cell, randomMoment, job, () => {
          worker.start({ type: "meet", cell: next.buffer, parties: 1 });
        });
        await worker.reply();
        return next.since(from);
      },
    ],
    { burst: BURST },
  );
  report.row(`${what}${where}: cancel() to the thread at its next task`, [
    { name: "lifeguard", samples: back },
    { name: peer, samples: bareBack },
  ]);
}

/**
 * The main thread has something else to do from the cancellation on: to settle a promise takes its event loop, to stop a
 * task does not.
 *
 * @param {import("./support/report.mjs").Report} report
 * @param {Pool} pool
 * @param {BareWorker} worker
 */
async function mainBlocked(report, pool, worker) {
  const cell = new Cell();
  const busy = () => block(BLOCKED);
  for (const { what, task, job, peer } of cases.slice(0, 3)) {
    if (isStopping()) return;
    report.progress(`${what}, the main thread blocked: 60 pairs`);
    const [ours = [], bare = []] = await timesInTurn(
      3,
      [
        () => cancelTask(pool, cell, randomMoment, task, busy),
        () => raiseFlag(worker, cell, randomMoment, job, busy),
      ],
      BURST,
    );
    report.row(
      `${what}, the main thread blocked for ${String(BLOCKED)} ms from then on: cancel() to its function ended`,
      [
        { name: "lifeguard", samples: listsOf(ours).stopped },
        { name: peer, samples: listsOf(bare).stopped },
      ],
    );
  }
}
