// @ts-check
/** The main thread itself has something to do, now and then. */

/** @typedef {import("../random.mjs").Random} Random */
/** @typedef {import("../soak.mjs").Soak} Soak */
/** @typedef {import("../phase.mjs").Phase} Phase */

export const lanes = 1;

/** @param {Soak} soak @param {Phase} phase @param {Random} random */
export async function run(soak, phase, random) {
  while (!phase.isOver) {
    await phase.sleep(random.int(300, 4000));
    if (phase.isOver) return;
    const ms = random.int(50, 200);
    soak.counts.blocks++;
    soak.tell(`the main thread is blocked for ${String(ms)} ms`);
    const until = performance.now() + ms;
    while (performance.now() < until);
  }
}
