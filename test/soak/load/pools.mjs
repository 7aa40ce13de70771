// @ts-check
/** Pools of all sorts that come and go, at any moment, whatever they are doing. */
import { SoakPool } from "../pool.mjs";

/** @typedef {import("../random.mjs").Random} Random */
/** @typedef {import("../soak.mjs").Soak} Soak */
/** @typedef {import("../phase.mjs").Phase} Phase */

export const lanes = 2;

/** @param {Soak} soak @param {Phase} phase @param {Random} random */
export async function run(soak, phase, random) {
  while (!phase.isOver) {
    const onOverrun = random.pick(/** @type {const} */ (["terminate", "interrupt"]));
    const pool = new SoakPool(soak, {
      threads: random.int(1, 3),
      spares: random.int(0, 2),
      grace: random.pick([0, 5, 50, 250]),
      order: random.pick(["fifo", "deadline"]),
      onOverrun,
      ...(onOverrun === "interrupt" && random.chance(0.3) && { watchdog: true }),
    });
    soak.pools.push(pool);
    await phase.sleep(random.int(50, 8000));
    // Who has chosen it already finds it closing.
    soak.pools.splice(soak.pools.indexOf(pool), 1);
    await pool.end(random.pick(["close", "close soon", "destroy"]));
  }
}
