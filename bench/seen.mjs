// @ts-check
/** From `cancel()` on the main thread to the worker's loop seeing it, at random moments of the loop. */
import { availableParallelism } from "node:os";
import { BareWorker, burners, endAll } from "./support/bare.mjs";
import { cancelInTurn } from "./support/cancelling.mjs";
import { goSides } from "./support/go.mjs";
import { lifeguardPool } from "./support/pools.mjs";

/** @param {import("./support/report.mjs").Report} report */
export async function run(report) {
  const pool = await lifeguardPool({ threads: 1 });
  const worker = new BareWorker();
  await worker.ready();

  report.progress("cold: 100 pairs");
  const cold = await cancelInTurn(pool, worker, { rounds: 5, isWarm: false });
  report.progress("warm: 600 pairs");
  const warm = await cancelInTurn(pool, worker, { rounds: 30, isWarm: true });
  const go = await goSides(report, "seen");
  report.row(
    "cancel() to the loop seeing it",
    [{ name: "lifeguard", samples: warm.ours.seen }, { name: "bare flag", samples: warm.bare.seen }, ...go],
    {
      asked: [
        { over: "bare flag", atMost: 2, goal: "1.5 ×" },
        ...go.map(({ name }) => ({ over: name, atMost: 1 })),
      ],
    },
  );
  report.row("the first 100 in the process, straight from a timer", [
    { name: "lifeguard", samples: cold.ours.seen },
    { name: "bare flag", samples: cold.bare.seen },
  ]);

  // What is left here is the scheduler's.
  const count = availableParallelism();
  report.progress(`beside ${String(count)} threads that never rest: 300 pairs`);
  const burning = await burners(count);
  const crowded = await cancelInTurn(pool, worker, { rounds: 15, isWarm: false });
  await endAll(burning);
  report.row(`the same beside ${String(count)} busy threads`, [
    { name: "lifeguard", samples: crowded.ours.seen },
    { name: "bare flag", samples: crowded.bare.seen },
  ]);
  await worker.end();
  await pool.destroy();
}
