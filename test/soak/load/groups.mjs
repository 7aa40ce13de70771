// @ts-check
/** Groups of tasks: the first failure ends the others, and is what the group fails with. */
import { cause, Group } from "lifeguard";
import { shape } from "../contexts.mjs";

/** @typedef {import("../random.mjs").Random} Random */
/** @typedef {import("../soak.mjs").Soak} Soak */
/** @typedef {import("../phase.mjs").Phase} Phase */

export const lanes = 1;

/** @param {Soak} soak @param {Phase} phase @param {Random} random */
export async function run(soak, phase, random) {
  while (!phase.isOver) {
    await one(soak, random);
    await phase.sleep(random.int(0, 30));
  }
}

/** @param {Soak} soak @param {Random} random */
async function one(soak, random) {
  soak.counts.groups++;
  const pool = random.pick(soak.pools);
  const { ctx, release } = shape(soak, random, false);
  const limit = random.chance(0.5) ? random.int(1, 4) : undefined;
  const group = new Group(ctx, limit === undefined ? {} : { limit });
  soak.release(group.ctx);
  let running = 0;
  let most = 0;
  /** @type {{ error: unknown } | undefined} */
  let first;
  const failing = random.chance(0.4) ? random.int(0, 20) : -1;
  const members = Array.from({ length: random.int(1, 20) }, (_, i) => {
    const kind =
      i === failing
        ? "throws"
        : random.pick(/** @type {const} */ (["quick", "spin", "note", "sleepy", "poll"]));
    const own = random.fork();
    return group.go(async (below) => {
      most = Math.max(most, ++running);
      const inner = shape(soak, own, kind === "poll", below);
      try {
        const end = await pool.submit(inner.ctx, kind, own).end;
        if (end === "completed") return end;
        first ??= { error: new Error(`member ${String(i)}: ${end}`) };
        throw first.error;
      } finally {
        running--;
        inner.release();
      }
    });
  });
  /** @type {{ error: unknown } | undefined} */
  let failed;
  await soak.follow("a group", group.wait()).catch((/** @type {unknown} */ error) => {
    failed = { error };
  });
  await Promise.allSettled(members);
  soak.check(running === 0, "group", () => `${String(running)} members run on after wait()`);
  soak.check(
    limit === undefined || most <= limit,
    "group",
    () => `${String(most)} members at once, limit ${String(limit)}`,
  );
  soak.check(group.ctx.err() !== undefined, "group", () => "its context is live after wait()");
  if (first !== undefined) {
    soak.check(
      failed !== undefined && (failed.error === first.error || failed.error === ctx.err()),
      "group",
      () => `wait() gave ${String(failed?.error)}, the first failure was ${String(first?.error)}`,
    );
    if (ctx.err() === undefined)
      soak.check(cause(group.ctx) === first.error, "group", () => `its cause is ${String(cause(group.ctx))}`);
  } else {
    soak.check(
      failed === undefined || failed.error === ctx.err(),
      "group",
      () => `failed with ${String(failed?.error)}, and no member had`,
    );
  }
  soak.count("group", failed === undefined ? "completed" : "failed");
  release();
}
