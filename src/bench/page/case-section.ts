/** The page's part on one case: what the figures mean, the figures, and the charts. */

import { formatCount, formatNs, formatRange, formatRatio, formatShare, p999Of } from "../format.js";
import type { CancellationReport, Case, Distribution } from "../report.js";
import { figure, legend } from "./charts.js";
import { distributionChart, type Line } from "./line-charts.js";
import { html, type Markup } from "./markup.js";
import { bareStroke, moments, momentsInOrder } from "./moments.js";
import { timelineChart } from "./timeline.js";

/** `id` is unique on the page: the section's, and how those inside begin. */
export function caseSection({ name, about, pool, report, bare }: Case, id: string): Markup {
  const { timeline } = report;
  const lines = linesOf(report, bare);
  return html`<section>
<h2 id="${id}">${name}</h2>
<p class="muted">${about}</p>
${report.isComplete ? undefined : html`<div class="notice" role="note"><p><b>Ended early: figures so far.</b></p></div>`}
<ul class="summary">${report.summary.map((sentence) => html`<li>${sentence}</li>`)}</ul>
${lines.length === 0 ? html`<p>No samples.</p>` : distributionFigure(lines, id)}
${figuresTable(report, bare, name)}
${bare === undefined ? undefined : html`<p class="muted">${ratiosOf(report, bare)}</p>`}
${
  timeline === undefined
    ? undefined
    : html`<h3>One cancellation</h3>
${figure(`${id}-timeline`, (width) => timelineChart(timeline, width), html`From just before <code>cancel()</code>. A bar begins where what it waited for had happened; in brackets its length.`)}`
}
<h3>Conditions and outcomes</h3>
<dl class="words">${factsOf(report, pool).map(([term, fact]) => html`<dt>${term}</dt><dd>${fact}</dd>`)}</dl>
</section>`;
}

/** The moments that were measured, except `cancel()` itself, which is in the table; and the bare primitives. */
function linesOf({ latency }: CancellationReport, bare: Case["bare"]): Line[] {
  const lines: (Omit<Line, "distribution"> & { distribution: Distribution | undefined })[] = [
    { ...moments.seen, name: "seen", distribution: latency.seen },
    { ...moments.stopped, name: "stopped", distribution: latency.stopped },
    { ...moments.settled, name: "settled", distribution: latency.settled },
    { ...moments.next, name: "next", distribution: latency.next },
    { ...bareStroke, name: "bare flag", distribution: bare?.seen },
    { ...bareStroke, dash: [1, 6], name: "bare message back", distribution: bare?.settled },
  ];
  return lines.flatMap(({ distribution, ...line }) =>
    distribution === undefined || distribution.n === 0 ? [] : [{ ...line, distribution }],
  );
}

function distributionFigure(lines: readonly Line[], id: string): Markup {
  const entries = lines.map(({ name, distribution, ...stroke }) => ({
    name,
    stroke,
    value: formatNs(distribution.p50),
  }));
  return html`<h3>How long it takes</h3>
${legend(entries)}
${figure(`${id}-times`, (width) => distributionChart(lines, width), html`Share of the cancellations that were through after so long; time is logarithmic. The marks are p50, as in the legend, and p99.`)}`;
}

const columns = ["p50", "p75", "p90", "p99", "p99.9", "max", "min", "mean", "p50 spread", "samples"];

function figuresTable({ latency }: CancellationReport, bare: Case["bare"], name: string): Markup {
  const rows: [string, Distribution | string][] = momentsInOrder.map(({ key }) => [
    key,
    latency[key] ?? absent(key),
  ]);
  if (bare !== undefined) rows.push(["bare flag", bare.seen], ["bare message", bare.settled]);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Figures of ${name}">
<table>
<thead><tr><th scope="col">from cancel()</th>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${rows.map(([of, figures]) => html`<tr><th scope="row">${of}</th>${cellsOf(figures)}</tr>`)}</tbody>
</table>
</div>`;
}

function absent(key: string): string {
  return key === "seen" ? "never looked" : "not measured";
}

function cellsOf(figures: Distribution | string): Markup {
  if (typeof figures === "string") return html`<td class="empty" colspan="${columns.length}">${figures}</td>`;
  if (figures.n === 0) return html`<td class="empty" colspan="${columns.length}">no samples</td>`;
  const { p50, p75, p90, p99, max, min, mean, spread, n } = figures;
  const times = [...[p50, p75, p90, p99].map(formatNs), p999Of(figures), ...[max, min, mean].map(formatNs)];
  const cells = [...times, formatRange(...spread), formatCount(n)];
  return html`${cells.map((cell) => html`<td>${cell}</td>`)}`;
}

/** The task against the bare primitives, p50 against p50. */
function ratiosOf(
  { latency: { seen, settled } }: CancellationReport,
  bare: NonNullable<Case["bare"]>,
): string {
  const isComparable = (a: Distribution, b: Distribution) => a.n > 0 && b.n > 0 && b.p50 > 0;
  const ratios: string[] = [];
  if (seen !== undefined && isComparable(seen, bare.seen))
    ratios.push(`seen ${formatRatio(seen.p50, bare.seen.p50)} a bare flag in shared memory`);
  if (isComparable(settled, bare.settled))
    ratios.push(`settled ${formatRatio(settled.p50, bare.settled.p50)} a bare message back`);
  return ratios.length === 0
    ? "Nothing to compare with the bare primitives."
    : `At p50: ${ratios.join(", ")}, measured in turn.`;
}

function factsOf(report: CancellationReport, pool: Case["pool"]): [term: string, fact: string][] {
  const { polls, duration, outcomes, finishedFirst } = report;
  const became = Object.entries(outcomes).filter(([, count]) => count > 0);
  return [
    [
      "outcomes",
      became.length === 0
        ? "none"
        : became.map(([outcome, count]) => `${formatCount(count)} ${outcome}`).join(", "),
    ],
    ["stopped hard", formatShare(report.hard)],
    [
      "ended first",
      finishedFirst === 0
        ? "none"
        : `${formatCount(finishedFirst)} had ended by themselves before they were cancelled; not in the figures`,
    ],
    ["polls per second", polls === undefined ? "not measured" : formatCount(polls.perSecond)],
    ["longest gap", polls === undefined ? "not measured" : `${formatNs(polls.longestGap)} without a poll`],
    [
      "mean wait",
      polls === undefined
        ? "not measured"
        : `${formatNs(polls.meanWait)} from a random moment to the next poll`,
    ],
    ["task", report.task],
    ["alone it takes", duration.atLeast ? `${formatNs(duration.ns)} or more` : formatNs(duration.ns)],
    [
      "cancelled",
      `${formatCount(report.samples)} times, ${formatCount(report.tasks)} at once, within ${formatNs(report.window)} of the begin`,
    ],
    ["pool", poolInWords(pool)],
  ];
}

function poolInWords({ threads, spares, grace, onOverrun }: Case["pool"]): string {
  const count = (n: number, thing: string) => `${n} ${thing}${n === 1 ? "" : "s"}`;
  const limit = grace === null ? "no limit to the grace" : `a grace of ${grace} ms`;
  return `${count(threads, "thread")}, ${count(spares, "spare")}, ${limit}, on overrun ${onOverrun}`;
}
