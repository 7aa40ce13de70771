// @ts-check
/**
 * From `cancel()` to the threads being usable again, which a task that stamps its first moment on them proves. Peer:
 * piscina's `abort()`, which ends the thread.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { background, withCancel } from "lifeguard";
import { BareWorker } from "./support/bare.mjs";
import { Cell } from "./support/cell.mjs";
import { lifeguardPool, piscinaPool } from "./support/pools.mjs";
import { ignore, inTurn, randomMoment, until } from "./support/sampling.mjs";

/** What a replacement needs to be warm again, ms: a thread start is 15 to 35. */
const REPLACED = 50;

/** @param {import("./support/report.mjs").Report} report */
export async function run(report) {
  await cooperative(report);
  await hard(report);
}

/**
 * Two running tasks are cancelled at once; two tasks that wait for each other show that both threads are back.
 *
 * @param {import("./support/report.mjs").Report} report
 */
async function cooperative(report) {
  const pool = await lifeguardPool({ threads: 2 });
  const piscina = await piscinaPool(2);
  const bare = [new BareWorker(), new BareWorker()];
  await Promise.all(bare.map((worker) => worker.ready()));
  const loops = new Cell();
  const meeting = new Cell();
  const bothRunning = async () => {
    await until(() => Atomics.load(loops.running, 0) === 2);
    await randomMoment();
  };
  const reset = () => {
    loops.reset();
    meeting.reset();
  };

  const ours = async () => {
    reset();
    const [ctx, cancel] = withCancel(background);
    const ended = [1, 2].map(() => pool.run(ctx, "spin", loops.buffer).catch(ignore));
    await bothRunning();
    const from = process.hrtime.bigint();
    cancel();
    await Promise.all([1, 2].map(() => pool.run(background, "meet", meeting.buffer, 2)));
    await Promise.all(ended);
    return meeting.since(from);
  };
  const piscinas = async () => {
    reset();
    const controller = new AbortController();
    const { signal } = controller;
    const ended = [1, 2].map(() => piscina.run(loops.buffer, { name: "spinForever", signal }).catch(ignore));
    await bothRunning();
    const from = process.hrtime.bigint();
    controller.abort();
    await Promise.all(
      [1, 2].map(() => piscina.run({ buffer: meeting.buffer, parties: 2 }, { name: "meet" })),
    );
    await Promise.all(ended);
    return meeting.since(from);
  };
  const flag = async () => {
    reset();
    /** @param {BareWorker} worker */
    const both = async (worker) => {
      await worker.run({ type: "spin", cell: loops.buffer });
      await worker.run({ type: "meet", cell: meeting.buffer, parties: 2 });
    };
    const ended = bare.map(both);
    await bothRunning();
    const from = process.hrtime.bigint();
    Atomics.store(loops.flag, 0, 1);
    await Promise.all(ended);
    return meeting.since(from);
  };

  report.progress("cancelling two tasks that poll: 300 rounds");
  const [a = [], b = [], c = []] = await inTurn(300, [ours, piscinas, flag], { warmup: 5 });
  report.row(
    "cancel() of two running tasks that poll, to both threads usable again",
    [
      { name: "lifeguard", samples: a },
      { name: "piscina abort()", samples: b },
      { name: "two bare workers", samples: c },
    ],
    { asked: [{ over: "piscina abort()", atLeast: 150 }] },
  );
  await pool.destroy();
  await piscina.destroy();
  await Promise.all(bare.map((worker) => worker.end()));
}

/**
 * A task that never polls is stopped; the next task's first moment shows that there is room for it.
 *
 * @param {import("./support/report.mjs").Report} report
 */
async function hard(report) {
  const pool = await lifeguardPool({ threads: 1, spares: 1, grace: 0 });
  const spareless = await lifeguardPool({ threads: 1, spares: 0, grace: 0 });
  const keeping = await lifeguardPool({ threads: 1, spares: 0, grace: 0, onOverrun: "interrupt" });
  const piscina = await piscinaPool(1);
  const loop = new Cell();
  const next = new Cell();
  const running = async () => {
    await until(() => Atomics.load(loop.running, 0) === 1);
    await randomMoment();
  };
  const reset = () => {
    loop.reset();
    next.reset();
  };
  /** @type {number[]} */
  const settled = [];

  /** @param {typeof pool} of */
  const stopIn = async (of) => {
    reset();
    const [ctx, cancel] = withCancel(background);
    let at = 0n;
    const ended = of.run(ctx, "spinForever", loop.buffer).catch(() => {
      at = process.hrtime.bigint();
    });
    await running();
    const from = process.hrtime.bigint();
    cancel();
    await of.run(background, "meet", next.buffer, 1);
    await ended;
    if (of === pool) settled.push(Number(at - from));
    return next.since(from);
  };
  const ours = async () => {
    const took = await stopIn(pool);
    // The spare that took over is to be followed by another one before the next sample of this side.
    await sleep(REPLACED);
    return took;
  };
  const piscinas = async () => {
    reset();
    const controller = new AbortController();
    const { signal } = controller;
    const ended = piscina.run(loop.buffer, { name: "spinForever", signal }).catch(ignore);
    await running();
    const from = process.hrtime.bigint();
    controller.abort();
    await piscina.run({ buffer: next.buffer, parties: 1 }, { name: "meet" });
    await ended;
    return next.since(from);
  };

  // The first stop is what starts the spare.
  await ours();
  report.progress("stopping a task that never polls: 300 rounds");
  const [a = [], b = []] = await inTurn(300, [ours, piscinas], { warmup: 3 });
  const stops = settled.slice(-a.length);
  report.progress("the same, and its thread is kept: 300 rounds");
  const [e = [], f = []] = await inTurn(300, [() => stopIn(keeping), piscinas], { warmup: 5 });
  const [c = [], d = []] = await inTurn(50, [() => stopIn(spareless), piscinas], { warmup: 2 });
  report.row(
    "hard stop of a task that never polls, to the capacity usable again, with a warm spare",
    [
      { name: "lifeguard", samples: a },
      { name: "piscina abort()", samples: b },
    ],
    { asked: [{ over: "piscina abort()", atLeast: 5 }] },
  );
  report.row(
    "the same with onOverrun: interrupt, its thread kept and no spare, to the thread's next task",
    [
      { name: "lifeguard", samples: e },
      { name: "piscina abort()", samples: f },
    ],
    { asked: [{ over: "piscina abort()", atLeast: 30 }] },
  );
  const { interrupted } = keeping.stats().outcomes;
  report.note(`    ${String(interrupted)} of ${String(e.length + 5)} were interrupted`);
  report.row("the same to the promise settled, that is, to the thread's exit", [
    { name: "lifeguard", samples: stops },
  ]);
  report.row("the same to the capacity usable again, without a spare", [
    { name: "lifeguard", samples: c },
    { name: "piscina abort()", samples: d },
  ]);
  await pool.destroy();
  await spareless.destroy();
  await keeping.destroy();
  await piscina.destroy();
}
