/** The page's part on batches: how cancelling grows with the number of tasks under one context. */

import { formatCount, formatNs } from "../format.js";
import type { Growth } from "../report.js";
import { figure, legend } from "./charts.js";
import { growthChart, growthLines } from "./line-charts.js";
import { html, type Markup } from "./markup.js";
import { bareStroke } from "./moments.js";

export function growthSection(growth: readonly Growth[]): Markup {
  const rows = growth.map(
    (point) =>
      html`<tr><th scope="row">${formatCount(point.size)}</th>${growthLines.map(({ key }) => html`<td>${formatNs(point[key])}</td>`)}<td>${formatNs(point.settled / point.size)}</td></tr>`,
  );
  return html`<section>
<h2 id="growth">Growth with the size of a batch</h2>
<p>So many tasks under one context, most of them waiting; then one <code>cancel()</code>.</p>
${legend([
  ...growthLines,
  { name: "in proportion to the number of tasks, for comparison", stroke: bareStroke },
])}
${figure("growth", (width) => growthChart(growth, width), html`Time over the number of tasks, both logarithmic. What runs along the dotted line costs the same per task at every size.`)}
<div class="scroll" tabindex="0" role="region" aria-label="Growth">
<table>
<thead><tr><th scope="col">tasks</th>${growthLines.map(({ name }) => html`<th scope="col">${name}</th>`)}<th scope="col">of that, per task</th></tr></thead>
<tbody>${rows}</tbody>
</table>
</div>
</section>`;
}
