// @ts-check
/** Whose turn it is: behind a gate a queue of random priorities and deadlines, which then runs as the contract has it. */
import { withCancel, withTimeout } from "lifeguard";
import { SoakPool } from "../pool.mjs";

/** @typedef {import("../random.mjs").Random} Random */
/** @typedef {import("../soak.mjs").Soak} Soak */
/** @typedef {import("../phase.mjs").Phase} Phase */

export const lanes = 1;

/** @param {Soak} soak @param {Phase} phase @param {Random} random */
export async function run(soak, phase, random) {
  const order = random.pick(/** @type {const} */ (["fifo", "deadline"]));
  const pool = new SoakPool(soak, { threads: 1, spares: random.int(0, 1), order });
  while (!phase.isOver) {
    await round(soak, random, pool);
    await phase.sleep(random.int(10, 100));
  }
  await pool.end("close");
}

/** @param {Soak} soak @param {Random} random @param {SoakPool} pool */
async function round(soak, random, pool) {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const [ctx, cancel] = withCancel(soak.root);
  const held = soak.follow("the gate of a queue", pool.pool.run(ctx, "hold", cell), ctx);
  const jobs = Array.from({ length: random.int(2, 60) }, (_, i) => {
    const priority = random.chance(0.5) ? 0 : random.int(-2, 2);
    const hour = random.chance(0.7) ? random.int(1, 40) : Number.POSITIVE_INFINITY;
    const [own, release] =
      hour === Number.POSITIVE_INFINITY ? [ctx, () => {}] : withTimeout(ctx, hour * 3_600_000);
    const job = pool.submit(own, random.pick(["quick", "note"]), random, { priority });
    const isOut = random.chance(0.1);
    if (isOut) job.cancel();
    return { job, i, priority, hour, release, isOut };
  });
  Atomics.store(cell, 0, 1);
  Atomics.notify(cell, 0);
  await held;
  await Promise.all(jobs.map(({ job }) => job.end));
  const ran = jobs.filter(({ isOut }) => !isOut);
  const told = ran.map(({ job: { slot }, i }) => ({ i, at: soak.ledger.order(slot) }));
  const got = soak.sabotage.order(told.sort((a, b) => a.at - b.at).map(({ i }) => i));
  const isByDeadline = pool.options.order === "deadline";
  const asked = ran
    .sort((a, b) => b.priority - a.priority || (isByDeadline ? compare(a.hour, b.hour) : 0) || a.i - b.i)
    .map(({ i }) => i);
  soak.check(
    got.join() === asked.join(),
    "queue order",
    () => `${String(pool.options.order)}: ${got.join()} instead of ${asked.join()}`,
  );
  for (const { release } of jobs) release();
  cancel();
}

/** Infinity less Infinity is no number. @param {number} a @param {number} b */
function compare(a, b) {
  return a === b ? 0 : a - b;
}
