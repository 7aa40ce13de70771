// @ts-check
/** Many queued tasks under one context: submitting, cancelling, settling, and how that grows. */
import { background, withCancel } from "lifeguard";
import { Cell } from "./support/cell.mjs";
import { lifeguardPool, piscinaPool } from "./support/pools.mjs";
import { format } from "./support/print.mjs";
import { collectGarbage, ignore, inTurn, isStopping, scaled, timed, until } from "./support/sampling.mjs";
import { median } from "./support/stats.mjs";

const THREADS = 2;

/** @typedef {{ readonly submit: number, readonly cancel: number, readonly settle: number }} Times ns; settle: from just before cancel() */

/**
 * Keeps every thread busy, so that what comes next stays in the queue.
 *
 * @param {(buffer: SharedArrayBuffer) => Promise<unknown>} hold
 */
async function holdAll(hold) {
  const cell = new Cell();
  const held = Array.from({ length: THREADS }, () => hold(cell.buffer));
  await until(() => Atomics.load(cell.running, 0) === THREADS);
  return async () => {
    Atomics.store(cell.flag, 0, 1);
    Atomics.notify(cell.flag, 0);
    await Promise.all(held);
  };
}

/**
 * @param {number} n
 * @param {() => Promise<unknown>} submit
 * @param {() => void} cancel
 * @returns {Promise<Times>}
 */
async function measure(n, submit, cancel) {
  /** @type {Promise<unknown>[]} */
  const promises = new Array(n);
  collectGarbage();
  const took = timed(() => {
    for (let i = 0; i < n; i++) promises[i] = submit();
  });
  // What a caller has: a handler on each.
  let left = n;
  /** @type {() => void} */
  let onLast = ignore;
  const all = new Promise((resolve) => {
    onLast = () => {
      if (--left === 0) resolve(undefined);
    };
  });
  for (const promise of promises) promise.then(onLast, onLast);
  collectGarbage();
  const from = process.hrtime.bigint();
  cancel();
  const returned = process.hrtime.bigint();
  await all;
  return {
    submit: took / n,
    cancel: Number(returned - from),
    settle: Number(process.hrtime.bigint() - from),
  };
}

/** @param {import("./support/report.mjs").Report} report */
export async function run(report) {
  const pool = await lifeguardPool({ threads: THREADS });
  const piscina = await piscinaPool(THREADS);

  /** @param {number} n */
  const ours = async (n) => {
    const release = await holdAll((buffer) => pool.run(background, "hold", buffer));
    const [ctx, cancel] = withCancel(background);
    const times = await measure(n, () => pool.run(ctx, "nothing"), cancel);
    await release();
    return times;
  };
  /** @param {number} n */
  const piscinas = async (n) => {
    const release = await holdAll((buffer) => piscina.run(buffer, { name: "hold" }));
    const controller = new AbortController();
    const { signal } = controller;
    const options = { name: "nothing", signal };
    const times = await measure(
      n,
      () => piscina.run(undefined, options),
      () => {
        controller.abort();
      },
    );
    await release();
    return times;
  };

  process.removeAllListeners("warning");
  for (let i = 0; i < 20; i++) await ours(2_000);
  await piscinas(500);

  await besidePiscina(report, ours, piscinas);

  /** @type {Map<number, Times[]>} */
  const taken = new Map();
  for (const [n, times] of /** @type {const} */ ([
    [1_000, 30],
    [10_000, 20],
    [50_000, 8],
    [100_000, 8],
    [1_000_000, 2],
  ])) {
    // A trial need not wait for the largest.
    if (scaled(n) < n && n > 100_000) break;
    report.progress(`${n.toLocaleString("en")} tasks`);
    /** @type {Times[]} */
    const all = [];
    for (let i = 0; i < scaled(times, 2) && !isStopping(); i++) all.push(await ours(n));
    if (all.length === 0) break;
    taken.set(n, all);
    /** @param {keyof Times} what */
    const side = (what) => [{ name: "lifeguard", samples: all.map((each) => each[what]) }];
    const at = `${n.toLocaleString("en")} tasks`;
    report.row(`${at}: submitting, each`, side("submit"), n === 50_000 ? { asked: [{ atMost: 2_000 }] } : {});
    report.row(`${at}: inside cancel()`, side("cancel"), n === 100_000 ? { asked: [{ atMost: 15e6 }] } : {});
    report.row(
      `${at}: cancel() to all settled`,
      side("settle"),
      n === 100_000 ? { asked: [{ atMost: 100e6 }] } : {},
    );
  }
  growth(report, taken);
  await pool.destroy();
  await piscina.destroy();
}

/**
 * At a size that piscina survives.
 *
 * @param {import("./support/report.mjs").Report} report
 * @param {(n: number) => Promise<Times>} ours
 * @param {(n: number) => Promise<Times>} piscinas
 */
async function besidePiscina(report, ours, piscinas) {
  const n = 10_000;
  report.progress(`${n.toLocaleString("en")} tasks, beside piscina with one signal`);
  /** @type {Times[]} */
  const a = [];
  /** @type {Times[]} */
  const b = [];
  await inTurn(4, [
    async () => {
      a.push(await ours(n));
      return 0;
    },
    async () => {
      b.push(await piscinas(n));
      return 0;
    },
  ]);
  for (const [what, text] of /** @type {const} */ ([
    ["submit", "submitting, each"],
    ["cancel", "inside cancel()"],
    ["settle", "cancel() to all settled"],
  ])) {
    report.row(`${n.toLocaleString("en")} tasks, beside piscina with one signal: ${text}`, [
      { name: "lifeguard", samples: a.map((each) => each[what]) },
      { name: "piscina", samples: b.map((each) => each[what]) },
    ]);
  }
}

/**
 * Linear means that a task costs the same whatever their number, but for the garbage collector, whose young generation
 * takes all of the small ones: from 100,000 on it does not. Twice as much is allowed, ten times would be quadratic.
 *
 * @param {import("./support/report.mjs").Report} report
 * @param {ReadonlyMap<number, readonly Times[]>} taken
 */
function growth(report, taken) {
  /** @param {keyof Times} what @param {number} n */
  const each = (what, n) => {
    const value = median((taken.get(n) ?? []).map((times) => times[what]));
    return what === "submit" ? value : value / n;
  };
  const sizes = [...taken.keys()];
  const lines = sizes.map((n) => {
    const parts = /** @type {const} */ (["submit", "cancel", "settle"]).map(
      (what) => `${what} ${format(each(what, n), "ns")}`,
    );
    return `    ${n.toLocaleString("en").padStart(9)}  ${parts.join("  ")}`;
  });
  report.note(`per task, by the number of tasks\n${lines.join("\n")}\n`);
  if (!taken.has(1_000_000)) return;
  for (const what of /** @type {const} */ (["submit", "cancel", "settle"])) {
    const samples = [each(what, 1_000_000) / each(what, 100_000)];
    report.row(
      `growth from 100,000 to 1,000,000 tasks, per task: ${what}`,
      [{ name: "lifeguard", samples }],
      { unit: "times", asked: [{ atMost: 2 }] },
    );
  }
}
