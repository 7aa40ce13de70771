// @ts-check
/** A queue that is short: those who wait for room find it, those who do not are refused when there is none. */

import { shape } from "../contexts.mjs";
import { SoakPool } from "../pool.mjs";

/** @typedef {import("../random.mjs").Random} Random */
/** @typedef {import("../soak.mjs").Soak} Soak */
/** @typedef {import("../phase.mjs").Phase} Phase */

export const lanes = 1;

/** @param {Soak} soak @param {Phase} phase @param {Random} random */
export async function run(soak, phase, random) {
  const pool = new SoakPool(soak, {
    threads: random.int(1, 2),
    spares: 1,
    grace: 20,
    maxQueue: random.int(0, 5),
  });
  const clients = Array.from({ length: 6 }, () => client(soak, phase, random.fork(), pool));
  await Promise.all(clients);
  await pool.end("destroy");
}

/** @param {Soak} soak @param {Phase} phase @param {Random} random @param {SoakPool} pool */
async function client(soak, phase, random, pool) {
  while (!phase.isOver) {
    const { ctx, release } = shape(soak, random, true);
    try {
      // Who does not wait may find none, and may take that of those who do: being refused is in order here.
      if (random.chance(0.7)) await soak.follow("waitForRoom", pool.pool.waitForRoom(ctx), ctx);
      await pool.submit(ctx, random.pick(["spin", "quick", "poll", "best"]), random).end;
    } catch (error) {
      soak.check(error === ctx.err(), "outcome", () => `waitForRoom: ${String(error)}`);
    }
    soak.check(
      pool.pool.stats().queued <= (pool.options.maxQueue ?? 0) + (pool.options.threads ?? 1),
      "queue",
      () => JSON.stringify(pool.pool.stats()),
    );
    release();
    await phase.sleep(random.int(0, 5));
  }
}
