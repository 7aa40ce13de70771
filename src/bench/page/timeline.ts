/** One cancellation, from `cancel()` to the thread's next task: each moment with a bar from the one it waited for. */

import { formatNs } from "../format.js";
import type { Timeline } from "../report.js";
import { linearAxis } from "./axis.js";
import { moments } from "./moments.js";
import { type Row, rowChart } from "./row-chart.js";
import type { Chart } from "./svg.js";

export function timelineChart(timeline: Timeline, width: number): Chart {
  const { returned, seen, stopped, settled, next } = timeline;
  const rows: readonly Row[] = [
    { kind: "lane", text: "Main thread" },
    rowOf("cancel", returned, 0),
    rowOf("settled", settled, stopped),
    { kind: "lane", text: "The task's thread" },
    rowOf("seen", seen, 0),
    rowOf("stopped", stopped, seen ?? 0),
    rowOf("next", next, stopped),
  ];
  const last = Math.max(1, returned, seen ?? 0, stopped, settled, next);
  return rowChart({
    label: `One cancellation: ${rows.flatMap((row) => (row.kind === "time" ? [`${row.name}: ${row.value}`] : [])).join("; ")}`,
    width,
    rows,
    axis: linearAxis(last * 1.02, width < 600 ? 5 : 6),
  });
}

/** `after` is when what the moment waited for had happened, as far as it is known. */
function rowOf(key: keyof typeof moments, at: number | undefined, after: number): Row {
  const { event, color } = moments[key];
  const row = { kind: "time", name: event, color, shape: "bar" } as const;
  if (at === undefined) return { ...row, value: "never looked", from: undefined, to: undefined };
  // Two threads' moments may be told in another order than they are drawn in.
  if (after <= 0 || after > at) return { ...row, value: formatNs(at), from: 0, to: at };
  const [since, alone] = [formatNs(at), formatNs(at - after)];
  return { ...row, value: since === alone ? since : `${since} (+${alone})`, from: after, to: at };
}
