/** `lifeguard bench --html`: a report as one HTML page that needs nothing else, and its overview as a picture. */

import { formatCount, formatNs, formatShare } from "../format.js";
import type { BenchReport, Case } from "../report.js";
import { caseSection } from "./case-section.js";
import { figure, wide } from "./charts.js";
import { growthSection } from "./growth-section.js";
import { html, type Markup, trusted } from "./markup.js";
import { momentsInOrder } from "./moments.js";
import { overviewChart } from "./overview.js";
import { colorsFor, fontFamily, pageStyle } from "./page-style.js";
import { svgOf } from "./svg.js";

/** The whole document. It loads nothing and runs nothing; all text from `report` is escaped. */
export function pageOf(report: BenchReport): string {
  const { cases, growth, harness } = report;
  const title = "lifeguard bench: how fast cancelled tasks stop";
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
<meta name="color-scheme" content="light dark" />
<title>${title}</title>
<style>${trusted(pageStyle)}</style>
</head>
<body>
<main>
<h1>How fast cancelled tasks stop</h1>
<p class="muted">${originOf(report)}</p>
${noticesOf(report)}
<p>All times count from just before <code>cancel()</code> was called.</p>
<dl class="words">${momentsInOrder.map(({ key, meaning }) => html`<dt>${key}</dt><dd>${meaning}</dd>`)}</dl>
${cases.length > 1 ? overviewSection(cases) : undefined}
${cases.map((each, i) => caseSection(each, `case-${i + 1}`))}
${growth.length > 0 ? growthSection(growth) : undefined}
<footer class="muted">
<p>Measuring costs something too: a stamp of the clock takes ${formatNs(harness.stamp)}, counting a poll ${formatNs(harness.countedPoll)}, timing
one ${formatNs(harness.timedPoll)}. Polls are counted and timed in runs of their own, not where latency is measured.</p>
</footer>
</main>
</body>
</html>
`.text;
}

/** The overview of `pageOf` as an SVG file of its own, light or dark as the reader's system is. */
export function pictureOf(report: BenchReport): string {
  const { lifeguard, machine, date } = report;
  const notes = [`lifeguard ${lifeguard}, Node ${machine.node}, ${machine.cpu}, ${dayOf(date)}`];
  if (!report.isComplete) notes.push("Ended early: figures so far.");
  const chart = overviewChart(
    report.cases,
    wide,
    [
      {
        kind: "head",
        text: "From cancel() until the task has stopped and its result settled: p50 ● to p99 ◇",
      },
    ],
    notes.map((text) => ({ kind: "note", text })),
  );
  const style = `<style>${colorsFor("svg")}svg { font-family: ${fontFamily}; }</style>`;
  const ground = `<rect width="100%" height="100%" rx="6" fill="var(--bg)" />`;
  const size = ` xmlns="http://www.w3.org/2000/svg" width="${chart.width}" height="${chart.height}"`;
  return `${svgOf(chart, "lifeguard-bench", size, style + ground)}\n`;
}

function originOf({ date, lifeguard, machine }: BenchReport): string {
  const { node, v8, platform, cpu, cores, load } = machine;
  return `${dayOf(date)} · lifeguard ${lifeguard} · Node ${node} (V8 ${v8}) · ${platform} · ${cpu} · ${cores} ${cores === 1 ? "core" : "cores"} · load ${load.toFixed(2)}`;
}

function noticesOf({ isComplete, machine, remarks }: BenchReport): Markup | undefined {
  const early = html`<p><b>Ended early: figures so far.</b> With more samples they may move, the rare ones most.</p>`;
  const busy = html`<p><b>The machine was not quiet</b>: the load was ${machine.load.toFixed(2)} before the measurement. Other work makes
the figures worse, p99 and above most.</p>`;
  const notices = [
    ...(isComplete ? [] : [early]),
    ...(machine.load > 0.5 ? [busy] : []),
    ...remarks.map((remark) => html`<p>${remark}</p>`),
  ];
  return notices.length === 0 ? undefined : html`<div class="notice" role="note">${notices}</div>`;
}

function overviewSection(cases: readonly Case[]): Markup {
  const rows = cases.map(({ name, report: { latency, hard, samples } }, i) => {
    const p50 = [latency.seen, latency.stopped, latency.settled, latency.next].map((of) =>
      of === undefined || of.n === 0 ? "–" : formatNs(of.p50),
    );
    return html`<tr><th scope="row"><a href="#case-${i + 1}">${name}</a></th>${p50.map((time) => html`<td>${time}</td>`)}<td>${formatShare(hard)}</td><td>${formatCount(samples)}</td></tr>`;
  });
  return html`<section>
<h2>Overview</h2>
${figure("overview", (width) => overviewChart(cases, width), html`Until <code>result</code> has settled: p50 (●) to p99 (◇), logarithmic.`)}
<div class="scroll" tabindex="0" role="region" aria-label="Overview">
<table>
<thead><tr><th scope="col">p50 of</th><th scope="col">seen</th><th scope="col">stopped</th><th scope="col">settled</th><th scope="col">next</th><th scope="col">stopped hard</th><th scope="col">samples</th></tr></thead>
<tbody>${rows}</tbody>
</table>
</div>
</section>`;
}

/** `2026-01-31 12:00 UTC`; as it is, where it is no date. */
function dayOf(date: string): string {
  const time = new Date(date);
  return Number.isNaN(time.valueOf()) ? date : `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
