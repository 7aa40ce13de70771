/** The charts as markup: each one twice, for a narrow and a wide window. */
import { html, type Markup, trusted } from "./markup.js";
import type { Stroke } from "./moments.js";
import { type Chart, svgOf } from "./svg.js";

export const wide = 760;
const narrow = 340;

/** Draws with `draw` for both widths; CSS shows one of them. `id` is unique on the page. */
export function figure(id: string, draw: (width: number) => Chart, caption: Markup): Markup {
  return html`<figure>
<div class="wide">${trusted(svgOf(draw(wide), `${id}-wide`))}</div>
<div class="narrow">${trusted(svgOf(draw(narrow), `${id}-narrow`))}</div>
<figcaption>${caption}</figcaption>
</figure>`;
}

/** What the lines are, with a piece of each. */
export function legend(
  entries: readonly { readonly stroke: Stroke; readonly name: string; readonly value?: string }[],
): Markup {
  return html`<ul class="legend">${entries.map(
    ({ stroke, name, value }) =>
      html`<li>${swatch(stroke)} <span>${name}${value === undefined ? undefined : html` <b>${value}</b>`}</span></li>`,
  )}</ul>`;
}

function swatch({ color, dash, symbol }: Stroke): Markup {
  const line = html`<path d="M0 7H40" fill="none" stroke="${color}" stroke-width="2" stroke-dasharray="${dash.join(" ")}" />`;
  return html`<svg width="40" height="14" viewBox="0 0 40 14" aria-hidden="true">${line}${markOf(symbol, color)}</svg>`;
}

function markOf(symbol: Stroke["symbol"], color: string): Markup | undefined {
  switch (symbol) {
    case "circle":
      return html`<circle cx="20" cy="7" r="5" fill="${color}" />`;
    case "rect":
      return html`<path d="M16 3h8v8h-8z" fill="${color}" />`;
    case "diamond":
      return html`<path d="M20 2l5 5-5 5-5-5z" fill="${color}" />`;
    case "triangle":
      return html`<path d="M20 2l5 10h-10z" fill="${color}" />`;
    case "none":
      return undefined;
    default:
      return symbol satisfies never;
  }
}
