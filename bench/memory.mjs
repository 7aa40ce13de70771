// @ts-check
/** What is on the heap for a context and for a queued task: what 100,000 of them add, after garbage collection. */
import { background, withCancel } from "lifeguard";
import { Cell } from "./support/cell.mjs";
import { goSides } from "./support/go.mjs";
import { lifeguardPool, piscinaPool } from "./support/pools.mjs";
import { collectGarbage, ignore, isStopping, scaled, until } from "./support/sampling.mjs";

const COUNT = 100_000;

const ROUNDS = scaled(3);

/**
 * @param {(at: number) => unknown} make
 * @param {(kept: readonly unknown[]) => Promise<void> | void} [end]
 */
async function bytesOf(make, end) {
  /** @type {number[]} */
  const samples = [];
  // The first round is for what is made once.
  for (let round = -1; round < ROUNDS && !isStopping(); round++) {
    /** @type {unknown[]} */
    const kept = new Array(COUNT).fill(undefined);
    const before = used();
    for (let at = 0; at < COUNT; at++) kept[at] = make(at);
    const after = used();
    if (round >= 0) samples.push((after - before) / COUNT);
    await end?.(kept);
  }
  return samples;
}

function used() {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** @param {import("./support/report.mjs").Report} report */
export async function run(report) {
  report.progress("contexts");
  const parents = [withCancel(background)];
  const sides = [
    { name: "lifeguard", samples: await bytesOf(() => withCancel(background)) },
    {
      name: "lifeguard, below a live parent",
      samples: await bytesOf(() => withCancel(parents[0]?.[0] ?? background)),
    },
    { name: "AbortController with its signal", samples: await bytesOf(signalled) },
    ...(await goSides(report, "bytes")),
  ];
  const [alone, below, ...others] = sides;
  if (alone !== undefined && below !== undefined) {
    report.row("what withCancel returns", [alone, ...others], { unit: "bytes", asked: [{ atMost: 250 }] });
    report.row("what withCancel returns below a live parent", [below], {
      unit: "bytes",
      asked: [{ atMost: 250 }],
    });
  }

  report.progress("queued tasks");
  const pool = await lifeguardPool({ threads: 1, spares: 0 });
  const piscina = await piscinaPool(1);
  const cell = new Cell();
  const held = [pool.run(background, "hold", cell.buffer), piscina.run(cell.buffer, { name: "hold" })];
  await until(() => Atomics.load(cell.running, 0) === 2);
  let [ctx, cancel] = withCancel(background);
  const ours = await bytesOf(
    () => pool.run(ctx, "nothing"),
    async (kept) => {
      cancel();
      await Promise.allSettled(kept);
      [ctx, cancel] = withCancel(background);
    },
  );
  const options = { name: "nothing" };
  /** @type {unknown[]} */
  const queued = [];
  const piscinas = await bytesOf(
    () => {
      const promise = piscina.run(undefined, options);
      promise.catch(ignore);
      return promise;
    },
    (kept) => {
      // Taken off one by one it would run them: they go with the pool.
      queued.push(kept);
    },
  );
  report.row(
    "a queued task with its promise",
    [
      { name: "lifeguard", samples: ours },
      { name: "piscina, without a signal", samples: piscinas },
    ],
    { unit: "bytes", asked: [{ atMost: 700 }] },
  );
  Atomics.store(cell.flag, 0, 1);
  Atomics.notify(cell.flag, 0);
  await Promise.all(held);
  await pool.destroy();
  await piscina.destroy();
}

/** The signal is made when first asked for. */
function signalled() {
  const controller = new AbortController();
  return [controller, controller.signal];
}
