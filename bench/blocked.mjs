// @ts-check
/** Deadlines that pass while the main thread is blocked: how late does the task stop that polls steadily. */
import { background, withTimeout } from "lifeguard";
import { Cell } from "./support/cell.mjs";
import { lifeguardPool, piscinaPool } from "./support/pools.mjs";
import { block, ignore, inTurn, until } from "./support/sampling.mjs";

/** @param {import("./support/report.mjs").Report} report */
export async function run(report) {
  const pool = await lifeguardPool({ threads: 1 });
  const piscina = await piscinaPool(1);
  const cell = new Cell();

  /**
   * @param {number} blocked how long, ms
   * @param {number} ms the deadline
   */
  const ours = async (blocked, ms) => {
    cell.reset();
    // Stamped before the deadline is set: what that takes counts as lateness.
    const from = process.hrtime.bigint();
    const [ctx, cancel] = withTimeout(background, ms);
    const result = pool.run(ctx, "spin", cell.buffer).catch(ignore);
    await until(() => Atomics.load(cell.running, 0) === 1 || ctx.err() !== undefined);
    block(blocked);
    await result;
    cancel();
    return cell.since(from) - ms * 1e6;
  };
  /**
   * As one would do it with piscina: a signal whose listener raises a flag that the task polls.
   *
   * @param {number} blocked
   * @param {number} ms
   */
  const flagged = async (blocked, ms) => {
    cell.reset();
    const from = process.hrtime.bigint();
    AbortSignal.timeout(ms).addEventListener("abort", () => {
      Atomics.store(cell.flag, 0, 1);
    });
    const result = piscina.run(cell.buffer, { name: "spinOnFlag" });
    await until(() => Atomics.load(cell.running, 0) === 1);
    block(blocked);
    await result;
    return cell.since(from) - ms * 1e6;
  };

  report.progress("blocked for 500 ms: 12 pairs");
  const [a = [], b = []] = await inTurn(12, [
    () => ours(500, somewhere(50, 350)),
    () => flagged(500, somewhere(50, 350)),
  ]);
  report.row(
    "lateness of a deadline, the main thread blocked for 500 ms",
    [
      { name: "lifeguard", samples: a },
      { name: "piscina, AbortSignal.timeout raising a flag", samples: b },
    ],
    { asked: [{ atMost: 1e6 }] },
  );
  report.progress("blocked for 30 ms: 300 times");
  const [c = []] = await inTurn(300, [() => ours(30, somewhere(5, 25))]);
  report.row("the same, blocked for 30 ms", [{ name: "lifeguard", samples: c }], {
    asked: [{ atMost: 1e6 }],
  });
  await pool.destroy();
  await piscina.destroy();
}

/**
 * Whole milliseconds: AbortSignal.timeout takes no others.
 *
 * @param {number} from
 * @param {number} to
 */
function somewhere(from, to) {
  return Math.round(from + (to - from) * Math.random());
}
