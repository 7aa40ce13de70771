// @ts-check
/** For latency.mjs: several running tasks under one context, and one that waits in the queue. */
import { background, withCancel } from "lifeguard";
import { BareWorker, endAll } from "./bare.mjs";
import { cancelTask, timesInTurn } from "./cancelling.mjs";
import { Cell } from "./cell.mjs";
import { lifeguardPool } from "./pools.mjs";
import { ignore, inTurn, isStopping, randomMoment, until } from "./sampling.mjs";

/** @typedef {{ readonly returned: number, readonly seen: number, readonly settled: number }} Times ns; of the last one */

/**
 * @param {import("./report.mjs").Report} report
 * @param {number} count threads, each with a loop that polls all the time
 * @param {string} where
 * @param {number} samples
 */
export async function manyAtOnce(report, count, where, samples) {
  if (isStopping()) return;
  const pool = await lifeguardPool({ threads: count });
  const workers = Array.from({ length: count }, () => new BareWorker());
  await Promise.all(workers.map((worker) => worker.ready()));
  const cells = workers.map(() => new Cell());

  /**
   * @param {readonly Promise<unknown>[]} ended
   * @param {() => void} cancel
   * @returns {Promise<Times>}
   */
  const measure = async (ended, cancel) => {
    const all = Promise.all(ended);
    await until(() => cells.every(({ running }) => Atomics.load(running, 0) === 1));
    await randomMoment();
    const from = process.hrtime.bigint();
    cancel();
    const returned = process.hrtime.bigint();
    await all;
    const settled = process.hrtime.bigint();
    return {
      returned: Number(returned - from),
      seen: Math.max(...cells.map((cell) => cell.since(from))),
      settled: Number(settled - from),
    };
  };
  const ours = () => {
    for (const cell of cells) cell.reset();
    const [ctx, cancel] = withCancel(background);
    return measure(
      cells.map((cell) => pool.run(ctx, "spin", cell.buffer).catch(ignore)),
      cancel,
    );
  };
  const bare = () => {
    for (const cell of cells) cell.reset();
    return measure(
      workers.map((worker, at) => worker.run({ type: "spin", cell: /** @type {Cell} */ (cells[at]).buffer })),
      () => {
        for (const { flag } of cells) Atomics.store(flag, 0, 1);
      },
    );
  };

  report.progress(`tasks ${where}: ${String(samples)} pairs`);
  const [a = [], b = []] = await timesInTurn(samples / 5, [ours, bare], 5);
  for (const [key, text] of /** @type {const} */ ([
    ["returned", "inside cancel()"],
    ["seen", "cancel() to the last one knowing"],
    ["settled", "cancel() to the last promise settled"],
  ])) {
    report.row(`loops that poll all the time ${where}: ${text}`, [
      { name: "lifeguard", samples: a.map((times) => times[key]) },
      { name: "bare flags + messages back", samples: b.map((times) => times[key]) },
    ]);
  }
  await pool.destroy();
  await endAll(workers);
}

/**
 * A task that waits is dropped: no thread has to be asked. What that takes is the main thread's alone.
 *
 * @param {import("./report.mjs").Report} report
 * @param {Awaited<ReturnType<typeof lifeguardPool>>} pool
 */
export async function queuedBesideRunning(report, pool) {
  if (isStopping()) return;
  const held = await lifeguardPool({ threads: 1 });
  const gate = new Cell();
  const holding = held.run(background, "hold", gate.buffer);
  await until(() => Atomics.load(gate.running, 0) === 1);
  const cell = new Cell();

  /**
   * @param {PromiseLike<unknown>} promise
   * @param {() => void} cancel
   */
  const toSettled = async (promise, cancel) => {
    const settled = promise.then(ignore, () => process.hrtime.bigint());
    await randomMoment();
    const from = process.hrtime.bigint();
    cancel();
    return Number(((await settled) ?? from) - from);
  };
  const queued = () => {
    const [ctx, cancel] = withCancel(background);
    return toSettled(held.run(ctx, "nothing"), cancel);
  };
  const signal = () => {
    const controller = new AbortController();
    const aborted = new Promise((_, reject) => {
      controller.signal.addEventListener("abort", () => reject(new Error("aborted")));
    });
    return toSettled(aborted, () => controller.abort());
  };

  report.progress("a queued task: 300 of each");
  const [a = [], b = [], c = []] = await inTurn(
    15,
    [queued, async () => (await cancelTask(pool, cell, randomMoment)).settled, signal],
    { burst: 20 },
  );
  report.row("a queued task: cancel() to its promise settled", [
    { name: "lifeguard", samples: a },
    { name: "a promise that an AbortSignal's listener rejects", samples: c },
    { name: "lifeguard, running and polling all the time", samples: b },
  ]);
  Atomics.store(gate.flag, 0, 1);
  Atomics.notify(gate.flag, 0);
  await holding;
  await held.destroy();
}
