/** What the compiler says of `measureCancellation`. Checked by `npm run typecheck`; never runs. */
import { type Context, Pool } from "lifeguard";
import { type CancellationReport, MeasurementError, measureCancellation } from "lifeguard/bench";

interface Tasks {
  render: (ctx: Context, width: number, title?: string) => string;
  limit: number;
}
declare const pool: Pool<Tasks>;
const untyped = new Pool("/tasks.mjs");

const report: Promise<CancellationReport> = measureCancellation(pool, "render", [640]);
void measureCancellation(pool, "render", [640, "a title"], { samples: 10, time: 100, tasks: 2 });
void measureCancellation(untyped, "anything", [1, "2", {}]);
void report.then(({ latency, polls }) => {
  const p50: number = latency.settled.p50;
  const seen: number | undefined = latency.seen?.p999;
  // @ts-expect-error a task may never look
  const never: number = latency.seen.p50;
  const gap: number | undefined = polls?.longestGap;
  return [p50, seen, never, gap];
});

// @ts-expect-error no such task
void measureCancellation(pool, "paint", [640]);
// @ts-expect-error no task at all
void measureCancellation(pool, "limit", []);
// @ts-expect-error a wrong argument
void measureCancellation(pool, "render", ["640"]);
// @ts-expect-error no such option
void measureCancellation(pool, "render", [640], { runs: 5 });

const { code } = new MeasurementError("ERR_TASK_FAILED", "it failed");
const known: "ERR_TASK_FAILED" | "ERR_TASK_NOT_STARTED" | "ERR_TASK_TOO_SHORT" | "ERR_TASK_NOT_STOPPED" =
  code;

export { known };
