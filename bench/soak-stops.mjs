// @ts-check
/**
 * Ten thousand hard stops in a row, and the same number of bare workers started and terminated: memory, threads,
 * handles and listeners along the way. Each variant runs in a process of its own.
 */
import { isStopping } from "./support/sampling.mjs";
import { soak } from "./support/soaking.mjs";

const STOPS = Number(process.env.BENCH_STOPS ?? 10_000);

/** @param {import("./support/report.mjs").Report} report */
export async function run(report) {
  const ours = await soak(report, "lifeguard, tasks that never poll", "terminate", STOPS);
  const bare = await soak(report, "bare workers, started and terminated", "bare", STOPS);
  if (isStopping()) return;
  // Allocators take their time to settle: from a fifth of the way on, growth is growth.
  const [from, to, bareFrom, bareTo] = [ours.at(3), ours.at(-2), bare.at(3), bare.at(-2)];
  const [before, after, bareBefore, bareAfter] = [ours.at(0), ours.at(-1), bare.at(0), bare.at(-1)];
  if (!(from && to && bareFrom && bareTo && before && after && bareBefore && bareAfter)) return;
  /** @param {"rss" | "heap"} what */
  const sides = (what) => [
    { name: "lifeguard", samples: [(to[what] - from[what]) / (to.stops - from.stops)] },
    {
      name: "bare workers",
      samples: [(bareTo[what] - bareFrom[what]) / (bareTo.stops - bareFrom.stops)],
      isReference: true,
    },
  ];
  /** @param {"rss" | "heap"} what */
  const bareGrowth = (what) => Math.max(0, sides(what)[1]?.samples[0] ?? 0);
  // What is allowed beyond the bare workers is what two runs of the same program differ by.
  report.row("resident memory grown, a stop", sides("rss"), {
    unit: "bytes",
    asked: [{ atMost: bareGrowth("rss") + 2000 }],
  });
  report.row("heap grown, a stop", sides("heap"), {
    unit: "bytes",
    asked: [{ atMost: bareGrowth("heap") + 100 }],
  });
  for (const what of /** @type {const} */ (["threads", "handles", "listeners"])) {
    // Not zero for the handles: the timer of this very look is one.
    const most = bareAfter[what] - bareBefore[what];
    const samples = [after[what] - before[what]];
    report.row(`${what} left over once the pool is destroyed`, [{ name: "lifeguard", samples }], {
      unit: "count",
      asked: [{ atMost: most }],
    });
  }
}
