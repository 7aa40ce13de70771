// @ts-check
/** Batches: inputs of both kinds, every option, readers who leave, results that have to be the inputs' own. */
import { isContextError } from "lifeguard";
import { shape } from "../contexts.mjs";
import { isClosed } from "../kinds.mjs";

/** @typedef {import("../random.mjs").Random} Random */
/** @typedef {import("../soak.mjs").Soak} Soak */
/** @typedef {import("../phase.mjs").Phase} Phase */

export const lanes = 2;

/** @param {Soak} soak @param {Phase} phase @param {Random} random */
export async function run(soak, phase, random) {
  while (!phase.isOver) {
    await batch(soak, random);
    await phase.sleep(random.int(0, 40));
  }
}

/** @param {Soak} soak @param {Random} random */
async function batch(soak, random) {
  const pool = random.pick(soak.pools);
  const count = random.weighted([
    [3, random.int(0, 30)],
    [3, random.int(31, 400)],
    [1, random.int(401, 4000)],
  ]);
  const options = /** @type {import("lifeguard").MapOptions} */ ({
    chunk: random.pick(["auto", "auto", 1, 7, 200]),
    ordered: random.chance(0.6),
    onError: random.pick(["cancel", "settle"]),
    ...(random.chance(0.3) && { concurrency: random.int(1, 3) }),
  });
  const faulty = random.chance(0.4);
  const endless = faulty && random.chance(0.3);
  const { ctx, release } = shape(soak, random, endless);
  const isAsync = random.chance(0.4);
  const leavesAt = random.chance(0.15) ? random.int(1, 50) : Number.POSITIVE_INFINITY;
  const draws = random.fork();
  soak.counts.batches++;
  /** By slot, which of the inputs it is. @type {Map<number, number>} */
  const slots = new Map();
  let hadFault = false;
  function* inputs() {
    for (let i = 0; i < count; i++) {
      const slot = soak.ledger.open();
      slots.set(slot, i);
      pool.readInput();
      const how =
        !faulty || draws.chance(0.95)
          ? "id"
          : draws.weighted([
              [4, "spin"],
              [2, "throw"],
              [1, "uncloneable"],
              [0.3, "exit"],
              [endless ? 1 : 0, "poll"],
              [endless ? 1 : 0, "best"],
            ]);
      if (how === "throw" || how === "uncloneable" || how === "exit") hadFault = true;
      yield { slot, how };
    }
  }
  async function* later() {
    for (const input of inputs()) {
      if (draws.chance(0.05)) await new Promise((resolve) => setImmediate(resolve));
      yield input;
    }
  }
  const title = `batch of ${String(count)} in ${pool.title}, ${JSON.stringify(options)}`;
  const read = pool.pool.map(ctx, "item", isAsync ? later() : inputs(), options);
  /** @type {Set<number>} */
  const seen = new Set();
  let got = 0;
  /** @type {unknown} */
  let error;
  const reading = async () => {
    for await (const result of read) {
      const record = /** @type {any} */ (result);
      const value =
        options.onError === "settle" ? (record.status === "fulfilled" ? record.value : undefined) : record;
      if (value !== undefined) {
        const at = slots.get(value);
        soak.check(
          at !== undefined && !seen.has(value),
          "value",
          () => `${title}: ${String(value)} is no input of it, or came twice`,
        );
        if (options.ordered !== false)
          soak.check(
            at === got,
            "value",
            () => `${title}: input ${String(at)} came as number ${String(got)}`,
          );
        seen.add(value);
      }
      got++;
      if (got === leavesAt) return;
    }
  };
  const running = {
    slots,
    isStopping: () => ctx.err() !== undefined || hadFault || got === leavesAt,
  };
  pool.openBatch(running);
  try {
    await soak.follow(title, reading(), ctx, pool.options.grace);
  } catch (thrown) {
    error = thrown;
  }
  // Nothing of it goes on, whoever left.
  pool.closeBatch(running, (slot) => (seen.has(slot) ? "once" : "at most once"), title);
  if (error === undefined) {
    soak.check(got === Math.min(count, leavesAt), "value", () => `${title}: ${String(got)} results`);
    soak.count("batch", got === leavesAt ? "left" : "completed");
  } else if (isContextError(error)) {
    soak.check(
      ctx.err() !== undefined || isClosed(error),
      "outcome",
      () => `${title}: ${String(error)}, its context live`,
    );
    soak.count("batch", "ended");
  } else {
    soak.check(
      (hadFault && options.onError === "cancel") || (isClosed(error) && pool.isClosing),
      "outcome",
      () => `${title}: ${String(error)}`,
    );
    soak.count("batch", "failed");
  }
  soak.check(
    slots.size === read.progress.total ||
      read.progress.total === undefined ||
      error !== undefined ||
      got === leavesAt,
    "statistics",
    () => `${title}: progress ${JSON.stringify(read.progress)}, ${String(slots.size)} read`,
  );
  release();
}
