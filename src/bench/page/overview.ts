/** All cases at a glance: how long it takes from `cancel()` until `result` has settled. */

import { formatNs, formatRange } from "../format.js";
import type { Case } from "../report.js";
import { logAxis } from "./axis.js";
import { type Row, rowChart } from "./row-chart.js";
import { logOf, logScale } from "./scale.js";
import type { Chart } from "./svg.js";

/** `heading` and `notes` are drawn into it, for where there is no page around it. */
export function overviewChart(
  cases: readonly Case[],
  width: number,
  heading: readonly Row[] = [],
  notes: readonly Row[] = [],
): Chart {
  const measured = cases.map(({ report }) => report.latency.settled).filter(({ n }) => n > 0);
  const scale = logScale(
    measured.flatMap(({ p50, p99 }) => [p50, p99]),
    5,
  );
  return rowChart({
    label: `From cancel() to settled, p50 and p99: ${cases.map(inWords).join("; ")}`,
    width,
    rows: [...heading, ...cases.map(rowOf), ...notes],
    axis: logAxis(scale, formatNs),
  });
}

function rowOf({ name, report }: Case): Row {
  const { n, p50, p99 } = report.latency.settled;
  const row = { kind: "time", name, color: "var(--settled)", shape: "range" } as const;
  return n === 0
    ? { ...row, value: "no samples", from: undefined, to: undefined }
    : { ...row, value: formatRange(p50, p99), from: logOf(p50), to: logOf(p99) };
}

function inWords({ name, report }: Case): string {
  const { n, p50, p99 } = report.latency.settled;
  return n === 0 ? `${name}, no samples` : `${name}, ${formatNs(p50)} and ${formatNs(p99)}`;
}
