// @ts-check
/** Tasks of every kind, alone and in storms, under contexts of every shape. */
import { withCancel } from "lifeguard";
import { shape } from "../contexts.mjs";
import { kinds, mixture } from "../kinds.mjs";

/** @typedef {import("../random.mjs").Random} Random */
/** @typedef {import("../soak.mjs").Soak} Soak */
/** @typedef {import("../phase.mjs").Phase} Phase */

export const lanes = 6;

/** @param {Soak} soak @param {Phase} phase @param {Random} random */
export async function run(soak, phase, random) {
  while (!phase.isOver) {
    if (random.chance(0.04)) await storm(soak, random);
    else await some(soak, random);
  }
}

/** @param {Soak} soak @param {Random} random */
async function some(soak, random) {
  const pool = random.pick(soak.pools);
  const jobs = Array.from({ length: random.int(1, 8) }, () => {
    const kind = random.weighted(mixture);
    const { ctx, release } = shape(soak, random, kinds[kind].endless === true);
    const job = pool.submit(ctx, kind, random, {
      way: random.pick(["submit", "submit", "run", "tasks"]),
      ...(random.chance(0.2) && { priority: random.int(-2, 2) }),
      ...(random.chance(0.2) && { grace: random.pick([0, 5, 50]) }),
      ...(random.chance(0.1) && { onOverrun: "terminate" }),
    });
    if (random.chance(0.1)) setTimeout(job.cancel, random.int(0, 30));
    return job.end.finally(release);
  });
  await Promise.all(jobs);
}

/** Hundreds under one context, which ends in the middle of it. @param {Soak} soak @param {Random} random */
async function storm(soak, random) {
  const pool = random.pick(soak.pools);
  const [ctx, cancel] = withCancel(soak.root);
  soak.release(ctx);
  const kindNames = random.chance(0.5)
    ? /** @type {const} */ (["quick"])
    : /** @type {const} */ (["quick", "note", "poll", "spin", "best", "sleepy"]);
  const count = random.int(50, 400);
  const ends = Array.from({ length: count }, () => pool.submit(ctx, random.pick(kindNames), random).end);
  await new Promise((resolve) => setTimeout(resolve, random.int(0, 20)));
  soak.counts.cancellations++;
  soak.tell(`storm: ${String(count)} tasks of ${pool.title} are cancelled`);
  cancel("storm");
  await Promise.all(ends);
}
