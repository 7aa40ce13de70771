// @ts-check
/** One task at a time, there and back. */
import { background } from "lifeguard";
import { lifeguardPool, piscinaPool } from "./support/pools.mjs";
import { inTurn } from "./support/sampling.mjs";

/** @param {import("./support/report.mjs").Report} report */
export async function run(report) {
  const pool = await lifeguardPool({ threads: 2 });
  const sync = await piscinaPool(2, "sync");
  const async = await piscinaPool(2, "async");
  const options = { name: "nothing" };
  const sides = [
    () => pool.run(background, "nothing"),
    () => sync.run(undefined, options),
    () => async.run(undefined, options),
  ].map((trip) => async () => {
    const from = process.hrtime.bigint();
    await trip();
    return Number(process.hrtime.bigint() - from);
  });
  report.progress("5,000 of each");
  const [ours = [], bySync = [], byAsync = []] = await inTurn(100, sides, { warmup: 40, burst: 50 });
  report.row(
    "one task at a time, there and back",
    [
      { name: "lifeguard", samples: ours },
      { name: "piscina sync", samples: bySync },
      { name: "piscina async", samples: byAsync },
    ],
    {
      asked: [
        { over: "piscina sync", atMost: 1 },
        { over: "piscina async", atMost: 1 },
      ],
    },
  );
  await Promise.all([pool.destroy(), sync.destroy(), async.destroy()]);
}
