// @ts-check
/** From `cancel()` to the task's promise settled, for a task that polls and gives up at once. */
import { availableParallelism } from "node:os";
import { BareWorker, burners, endAll } from "./support/bare.mjs";
import { cancelInTurn } from "./support/cancelling.mjs";
import { goSides } from "./support/go.mjs";
import { lifeguardPool } from "./support/pools.mjs";

const peer = "bare flag + postMessage back";

/** @param {import("./support/report.mjs").Report} report */
export async function run(report) {
  const pool = await lifeguardPool({ threads: 1 });
  const worker = new BareWorker();
  await worker.ready();

  report.progress("cold: 100 pairs");
  const cold = await cancelInTurn(pool, worker, { rounds: 5, isWarm: false });
  report.progress("warm: 600 pairs");
  const warm = await cancelInTurn(pool, worker, { rounds: 30, isWarm: true });
  // No thread of its own to come back from, and no event loop: what is lost by Node, not by lifeguard.
  const go = await goSides(report, "settled");
  report.row("cancel() to the promise settled", [...sidesOf(warm), ...go], {
    asked: [{ over: peer, atMost: 1.75, goal: "1.5 ×" }],
  });
  report.row("the first 100 in the process, straight from a timer", sidesOf(cold));

  const count = availableParallelism();
  report.progress(`beside ${String(count)} threads that never rest: 300 pairs`);
  const burning = await burners(count);
  const crowded = await cancelInTurn(pool, worker, { rounds: 15, isWarm: false });
  await endAll(burning);
  report.row(`the same beside ${String(count)} busy threads`, sidesOf(crowded));
  await worker.end();
  await pool.destroy();
}

/** @param {Awaited<ReturnType<typeof cancelInTurn>>} measured */
function sidesOf({ ours, bare }) {
  return [
    { name: "lifeguard", samples: ours.settled },
    { name: peer, samples: bare.settled },
  ];
}
