/** A report as text, for a terminal or a pipe. */
import { formatNs, formatRatio, p999Of } from "./format.js";
import type { BenchReport, Case, Distribution, Growth, Machine, Timeline } from "./report.js";

/** Two blanks between columns; the first one to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

/** Without what a terminal takes for orders: names of tasks, and all that a file of `--compare` holds, are anybody's text. */
export function printable(text: string): string {
  return text.replace(/(?!\n)\p{Cc}/gu, "\uFFFD");
}

export function textOf(report: BenchReport): string {
  const blocks = [headOf(report), ...report.cases.map(caseOf)];
  if (report.growth.length > 0) blocks.push(growthOf(report.growth));
  blocks.push(harnessOf(report));
  if (report.remarks.length > 0) blocks.push([...report.remarks]);
  if (!report.isComplete) blocks.push(["Ended early: these are the figures so far."]);
  return `${blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

export function machineText({ node, cores, cpu, load }: Machine): string {
  return `Node ${node}, ${cores} × ${cpu}, load ${load.toFixed(2)}`;
}

function headOf({ lifeguard, machine }: BenchReport): string[] {
  const lines = [`lifeguard ${lifeguard}, ${machineText(machine)}`];
  if (machine.load > 0.5) lines.push("The machine is not quiet: take the figures with care.");
  return lines;
}

/** One row of figures. */
function row(name: string, distribution: Distribution): string[] {
  const { n, p50, p75, p90, p99, max } = distribution;
  return [name, ...[p50, p75, p90, p99].map(formatNs), p999Of(distribution), formatNs(max), String(n)];
}

function caseOf({ name, about, report, bare }: Case): string[] {
  const { latency, polls, outcomes, samples, tasks, timeline, first, heard } = report;
  const { cancel, seen, stopped, settled, next } = latency;
  const rows = [["from cancel() to", "p50", "p75", "p90", "p99", "p99.9", "max", "n"]];
  rows.push(row("its return", cancel));
  rows.push(seen === undefined ? ["seen", "never"] : row("seen", seen));
  rows.push(row("stopped", stopped), row("settled", settled));
  if (next !== undefined) rows.push(row("next task begun", next));
  if (bare !== undefined) rows.push(row("bare flag seen", bare.seen), row("bare message back", bare.settled));
  const lines = [`${name}: ${about}`, ...table(rows).map((line) => `  ${line}`)];
  if (bare !== undefined) {
    const ratios = [`settled ${formatRatio(settled.p50, bare.settled.p50)} a bare message`];
    if (seen !== undefined) ratios.unshift(`seen ${formatRatio(seen.p50, bare.seen.p50)} a bare flag`);
    lines.push(`  At p50, ${ratios.join(", ")}.`);
  }
  const ends = Object.entries(outcomes).flatMap(([outcome, count]) =>
    count > 0 ? [`${count} ${outcome}`] : [],
  );
  const { duration, window } = report;
  const length = duration.atLeast ? "goes on and on" : `takes ${formatNs(duration.ns)}`;
  lines.push(`  Alone it ${length}; it was cancelled at random moments of its first ${formatNs(window)}.`);
  const steady =
    settled.n < 10
      ? ""
      : ` p50 of settled was ${formatNs(settled.spread[0])} to ${formatNs(settled.spread[1])} over the run.`;
  lines.push(
    `  ${samples} cancellations${tasks > 1 ? ` of ${tasks} tasks each` : ""}: ${ends.join(", ")}.${steady}`,
  );
  lines.push(
    `  The very first: cancel() ${formatNs(first.cancel)}, settled after ${formatNs(first.settled)}.`,
  );
  // One that is told needs none.
  if (polls !== undefined && polls.perSecond > 0 && heard <= 0.5)
    lines.push(
      `  ${count(polls.perSecond)} polls a second${tasks > 1 ? ", each" : ""}; the longest gap ${formatNs(polls.longestGap)}, a mean wait of ${formatNs(polls.meanWait)}.`,
    );
  if (timeline !== undefined) lines.push(`  One of them: ${timelineText(timeline)}.`);
  lines.push(...report.summary.map((sentence) => `  → ${sentence}`));
  return lines;
}

function timelineText({ returned, seen, stopped, next, settled }: Timeline): string {
  const moments: [string, number][] = [
    ["cancel() returned", returned],
    ["stopped", stopped],
    ["next task begun", next],
    ["settled", settled],
  ];
  if (seen !== undefined) moments.push(["seen", seen]);
  return moments
    .sort(([, a], [, b]) => a - b)
    .map(([what, at]) => `${what} ${formatNs(at)}`)
    .join(", ");
}

const large = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

function count(value: number): string {
  return large.format(value);
}

function growthOf(points: readonly Growth[]): string[] {
  const rows = [
    ["tasks under one context", "submit, each", "cancel()", "all settled", "each"],
    ...points.map(({ size, submit, cancel, settled }) => [
      size.toLocaleString("en"),
      ...[submit, cancel, settled, settled / size].map(formatNs),
    ]),
  ];
  return table(rows);
}

function harnessOf({ harness: { stamp, countedPoll, timedPoll } }: BenchReport): string[] {
  return [
    `Measuring costs: a stamp ${formatNs(stamp)}, in every figure about one; counting a poll ${formatNs(countedPoll)} and timing it ${formatNs(timedPoll)}, ` +
      "in runs of their own.",
  ];
}
