// @ts-check
/** Trees of contexts that come and go below those that last, with nobody's task in them. */
import { afterFunc, background, cause, race, sleep, withCancel } from "lifeguard";
import { shape } from "../contexts.mjs";

/** @typedef {import("../random.mjs").Random} Random */
/** @typedef {import("../soak.mjs").Soak} Soak */
/** @typedef {import("../phase.mjs").Phase} Phase */

export const lanes = 1;

/** @param {Soak} soak @param {Phase} phase @param {Random} random */
export async function run(soak, phase, random) {
  while (!phase.isOver) {
    for (let i = 0; i < 20; i++) tree(soak, random);
    await waiting(soak, random);
    await phase.sleep(random.int(0, 10));
  }
}

/** What is derived ends with what it was derived from, before `cancel` returns. @param {Soak} soak @param {Random} random */
function tree(soak, random) {
  const [top, cancel] = withCancel(soak.root);
  const all = [top];
  const releases = [];
  let calls = 0;
  let stopped = 0;
  for (let i = random.int(1, 12); i > 0; i--) {
    const [child, cancelChild] = withCancel(random.pick(all));
    all.push(child);
    const stop = afterFunc(child, () => calls++);
    if (random.chance(0.3) && stop()) stopped++;
    if (random.chance(0.2)) cancelChild(i);
    const below = shape(soak, random, false, child);
    releases.push(below.release);
  }
  cancel("top");
  for (const ctx of all)
    soak.check(ctx.err() !== undefined, "contexts end together", () => `one is live below ${String(top)}`);
  soak.check(cause(top) === "top", "contexts end together", () => `cause ${String(cause(top))}`);
  for (const release of releases) release();
  setImmediate(() => {
    soak.check(
      calls === all.length - 1 - stopped,
      "after functions",
      () => `${String(calls)} calls, ${String(all.length - 1)} registered, ${String(stopped)} stopped`,
    );
  });
  for (const ctx of all) soak.release(ctx);
}

/** @param {Soak} soak @param {Random} random */
async function waiting(soak, random) {
  const { ctx, release } = shape(soak, random, true);
  const waits = [
    sleep(ctx, random.int(0, 30)),
    race(ctx, new Promise((resolve) => setTimeout(resolve, random.int(0, 30)))),
    // What lasts is to keep nothing of it.
    race(soak.root, ctx.done()),
    race(background, Promise.resolve()),
  ];
  await soak.follow("sleeps and races", Promise.allSettled(waits), ctx);
  release();
}
