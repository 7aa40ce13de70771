// @ts-check
/** A quiet point: nothing is under way, so that nothing may be left, and what memory is in use may not become more and more. */
import { setTimeout as sleep } from "node:timers/promises";
import { median } from "../../bench/support/stats.mjs";
import { collect, sample } from "./watch.mjs";

/** @typedef {import("./soak.mjs").Soak} Soak */
/** @typedef {import("./watch.mjs").Sample} Sample */

/** What is to be at a quiet point as at the first one, or less. */
const COUNTS = /** @type {const} */ ([
  ["threads", "threads"],
  ["file descriptors", "fds"],
  ["handles", "handles"],
  ["listeners", "listeners"],
]);

/** The stack, and what a thread on its way out had in hand. */
const CONTEXTS_HELD = 3;

/** From so many quiet points on, what grows is seen to grow. */
const ENOUGH = 6;

/**
 * What may not grow: between the first third and the last third of the quiet points, and by the task.
 *
 * Below `atLeast` bytes it is what two looks at the same memory differ by. The allocator's own memory, rss, comes back late or never.
 */
const GROWTH = /** @type {const} */ ([
  { invariant: "heap", key: "heap", atLeast: 1.5e6, each: 50 },
  { invariant: "external memory", key: "external", atLeast: 2e6, each: 50 },
  { invariant: "array buffers", key: "arrayBuffers", atLeast: 2e6, each: 50 },
  { invariant: "resident memory", key: "rss", atLeast: 96e6, each: 200 },
]);

/** @param {Soak} soak @param {readonly Sample[]} samples those before */
export async function quietPoint(soak, samples) {
  for (const pool of soak.pools) await pool.checkWhole();
  soak.check(soak.following === 0, "settles once", () => `${String(soak.following)} are still waited for`);
  soak.ledger.settle();
  for (const pool of soak.pools) pool.checkQuiet();
  const [baseline] = samples;
  const now = await clear(soak, baseline);
  if (baseline !== undefined) {
    for (const [invariant, key] of COUNTS) {
      soak.check(
        now[key] <= baseline[key],
        invariant,
        () =>
          `${String(now[key])} at a quiet point, ${String(baseline[key])} at the first: ${JSON.stringify({ ...now.kinds, ...now.files })}, ${JSON.stringify({ ...baseline.kinds, ...baseline.files })}`,
      );
    }
  }
  soak.check(
    now.contexts <= CONTEXTS_HELD,
    "contexts",
    () =>
      `something holds ${String(now.contexts)} of ${String(soak.released.length)} contexts that were let go`,
  );
  soak.released = [];
  checkGrowth(soak, [...samples, now]);
  return now;
}

/** What is on its way out is given time: spares that start, threads and sockets that go. @param {Soak} soak @param {Sample | undefined} baseline */
async function clear(soak, baseline) {
  const until = soak.clock.now + soak.patience;
  for (let round = 0; ; round++) {
    await collect();
    const now = sample(soak);
    const isClear =
      now.contexts <= CONTEXTS_HELD &&
      COUNTS.every(([, key]) => baseline === undefined || now[key] <= baseline[key]);
    // With nothing to compare with, the spares have to have come up.
    if ((isClear && (baseline !== undefined || round > 15)) || soak.clock.now > until) return now;
    await sleep(50);
  }
}

/** @param {Pick<Soak, "check">} soak @param {readonly Sample[]} samples */
export function checkGrowth(soak, samples) {
  for (const { invariant, key, atLeast, each } of GROWTH) {
    const grown = growth(samples, key);
    if (grown === undefined) continue;
    soak.check(
      grown.bytes <= atLeast || grown.bytes / grown.tasks <= each,
      invariant,
      () =>
        `has grown by ${(grown.bytes / 1e6).toFixed(1)} MB, ${(grown.bytes / grown.tasks).toFixed(0)} bytes a task, between the first third and the last of the quiet points: ${samples.map((one) => (one[key] / 1e6).toFixed(1)).join(" ")} MB`,
    );
  }
}

/**
 * By how much the median of the last third is more than that of the first, the first quiet points left out: there caches and code
 * take what they need.
 *
 * @param {readonly Sample[]} samples
 * @param {"heap" | "external" | "arrayBuffers" | "rss"} key
 */
export function growth(samples, key) {
  const warm = samples.slice(Math.max(1, Math.floor(samples.length / 6)));
  if (warm.length < ENOUGH) return undefined;
  const third = Math.floor(warm.length / 3);
  const [first, last] = [warm.slice(0, third), warm.slice(-third)];
  const of = (
    /** @type {readonly Sample[]} */ some,
    /** @type {"heap" | "external" | "arrayBuffers" | "rss" | "tasks" | "seconds"} */ what,
  ) => median(some.map((one) => one[what]));
  return {
    bytes: of(last, key) - of(first, key),
    tasks: Math.max(1, of(last, "tasks") - of(first, "tasks")),
    seconds: of(last, "seconds") - of(first, "seconds"),
  };
}
