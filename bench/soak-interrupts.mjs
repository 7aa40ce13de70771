// @ts-check
/** A hundred thousand interrupts in one process: threads, memory, handles and warnings along the way. */
import { isStopping } from "./support/sampling.mjs";
import { soak } from "./support/soaking.mjs";

const STOPS = Number(process.env.BENCH_STOPS ?? 100_000);

/** @param {import("./support/report.mjs").Report} report */
export async function run(report) {
  const taken = await soak(report, "lifeguard, tasks that never poll, interrupted", "interrupt", STOPS);
  if (isStopping()) return;
  // Allocators take their time to settle: from a fifth of the way on, growth is growth.
  const [from, to] = [taken.at(3), taken.at(-2)];
  if (from === undefined || to === undefined) return;
  const stops = to.stops - from.stops;
  for (const what of /** @type {const} */ (["rss", "heap"])) {
    const samples = [(to[what] - from[what]) / stops];
    report.row(
      `${what === "rss" ? "resident memory" : "heap"} grown, an interrupt`,
      [{ name: "lifeguard", samples }],
      {
        unit: "bytes",
        asked: [{ atMost: 20 }],
      },
    );
  }
  const [, first] = taken;
  const counts = {
    "threads more than at the start": to.threads - (first?.threads ?? 0),
    "interrupts that cost a thread": to.stops + (first?.kept ?? 0) - to.kept,
    warnings: to.warnings,
  };
  for (const [what, count] of Object.entries(counts))
    report.row(what, [{ name: "lifeguard", samples: [count] }], { unit: "count", asked: [{ atMost: 0 }] });
}
