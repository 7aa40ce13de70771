// @ts-check
/** Short tasks in bursts, which travel together; some are cancelled on their way, some take long or kill their thread. */
import { withCancel } from "lifeguard";

/** @typedef {import("../random.mjs").Random} Random */
/** @typedef {import("../soak.mjs").Soak} Soak */
/** @typedef {import("../phase.mjs").Phase} Phase */

export const lanes = 2;

/** @param {Soak} soak @param {Phase} phase @param {Random} random */
export async function run(soak, phase, random) {
  while (!phase.isOver) {
    const pool = random.pick(soak.pools);
    const [ctx, cancel] = withCancel(soak.root);
    const ends = [];
    const odd = random.chance(0.3)
      ? random.pick(/** @type {const} */ (["spin", "exits", "throws", "native"]))
      : undefined;
    const count = random.int(100, 1500);
    const oddAt = random.int(0, count);
    for (let i = 0; i < count; i++) {
      const kind = i === oddAt && odd !== undefined ? odd : random.chance(0.1) ? "note" : "quick";
      const job = pool.submit(ctx, kind, random, { way: random.pick(["submit", "run"]) });
      if (random.chance(0.02)) queueMicrotask(job.cancel);
      ends.push(job.end);
    }
    await Promise.all(ends);
    cancel();
    soak.release(ctx);
    await phase.sleep(random.int(0, 30));
  }
}
