// @ts-check
/** What it costs that tasks can be cut off and are watched, and how late that is; hard stops to the next task are in capacity.mjs. */
import { background, withCancel, withTimeout } from "lifeguard";
import { Cell } from "./support/cell.mjs";
import { lifeguardPool, piscinaPool } from "./support/pools.mjs";
import { block, collectGarbage, ignore, inTurn, randomMoment, until } from "./support/sampling.mjs";

/** Long enough that a task has begun before it, ms. */
const DEADLINE = 20;

/** How long the main thread is blocked beyond the deadline, ms. */
const BLOCKED = 100;

/** @param {import("./support/report.mjs").Report} report */
export async function run(report) {
  await cost(report);
  await lateness(report);
  await blocked(report);
}

/** @param {import("./support/report.mjs").Report} report */
async function cost(report) {
  const plain = await lifeguardPool({ threads: 1 });
  const guarded = await lifeguardPool({ threads: 1, onOverrun: "interrupt" });
  const watched = await lifeguardPool({ threads: 1, onOverrun: "interrupt", watchdog: true });
  const [ctx, cancel] = withTimeout(background, 60_000);
  const trips = [plain, guarded, watched].map((pool) => async () => {
    const from = process.hrtime.bigint();
    await pool.run(ctx, "nothing");
    return Number(process.hrtime.bigint() - from);
  });
  report.progress("one task at a time: 4,000 of each");
  const [a = [], b = [], c = []] = await inTurn(80, trips, { warmup: 40, burst: 50 });
  report.row("one task with a deadline, there and back", [
    { name: "onOverrun: interrupt", samples: b },
    { name: "with a watchdog", samples: c },
    { name: "onOverrun: terminate", samples: a },
  ]);

  const COUNT = 10_000;
  const floods = [plain, guarded, watched].map((pool) => async () => {
    collectGarbage();
    const from = process.hrtime.bigint();
    await Promise.all(Array.from({ length: COUNT }, () => pool.run(ctx, "nothing")));
    return Number(process.hrtime.bigint() - from) / COUNT;
  });
  report.progress("10,000 at a time: 20 of each");
  const [d = [], e = [], f = []] = await inTurn(20, floods, { warmup: 5 });
  report.row("10,000 tasks at once that do nothing, with a deadline, each", [
    { name: "onOverrun: interrupt", samples: e },
    { name: "with a watchdog", samples: f },
    { name: "onOverrun: terminate", samples: d },
  ]);
  cancel();
  await Promise.all([plain.destroy(), guarded.destroy(), watched.destroy()]);
}

/** @param {import("./support/report.mjs").Report} report */
async function lateness(report) {
  const guarded = await lifeguardPool({ threads: 1, spares: 0, grace: 0, onOverrun: "interrupt" });
  const cell = new Cell();
  const cut = async () => {
    cell.reset();
    const [ctx, cancel] = withCancel(background);
    const ended = guarded.run(ctx, "stampForever", cell.buffer).catch(ignore);
    await until(() => Atomics.load(cell.running, 0) === 1);
    await randomMoment();
    const from = process.hrtime.bigint();
    cancel();
    await ended;
    return cell.since(from);
  };
  report.progress("cancel() to the last instruction: 300 times");
  const [a = []] = await inTurn(300, [cut], { warmup: 10 });
  report.row("cancel() to the last instruction of a loop that never polls, without a grace", [
    { name: "lifeguard", samples: a },
  ]);
  await guarded.destroy();
}

/** @param {import("./support/report.mjs").Report} report */
async function blocked(report) {
  const watched = await lifeguardPool({ threads: 1, grace: 0, onOverrun: "interrupt", watchdog: true });
  const piscina = await piscinaPool(1);
  const cell = new Cell();
  const started = () => until(() => Atomics.load(cell.running, 0) === 1);

  const ours = async () => {
    cell.reset();
    const from = process.hrtime.bigint();
    const [ctx, cancel] = withTimeout(background, DEADLINE);
    const ended = watched.run(ctx, "stampForever", cell.buffer).catch(ignore);
    await started();
    block(DEADLINE + BLOCKED);
    await ended;
    cancel();
    return cell.since(from) - DEADLINE * 1e6;
  };
  const theirs = async () => {
    cell.reset();
    const from = process.hrtime.bigint();
    const signal = AbortSignal.timeout(DEADLINE);
    const ended = piscina.run(cell.buffer, { name: "stampForever", signal }).catch(ignore);
    await started();
    block(DEADLINE + BLOCKED);
    await ended;
    // It rejects before the thread has ended: the next task can begin only after that.
    await piscina.run(undefined, { name: "nothing" });
    return cell.since(from) - DEADLINE * 1e6;
  };
  report.progress("main thread blocked: 100 times");
  const [a = [], b = []] = await inTurn(100, [ours, theirs], { warmup: 2 });
  report.row(
    "a loop that never polls, the main thread blocked for 100 ms beyond its deadline: its last instruction after that",
    [
      { name: "lifeguard, watchdog", samples: a },
      { name: "piscina, AbortSignal.timeout", samples: b },
    ],
    { asked: [{ atMost: 1e6 }] },
  );
  const { interrupted } = watched.stats().outcomes;
  report.note(`    ${String(interrupted)} of ${String(a.length + 2)} were interrupted`);
  await Promise.all([watched.destroy(), piscina.destroy()]);
}
