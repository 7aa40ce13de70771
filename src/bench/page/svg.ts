/** From an ECharts option to the text of an SVG. The only place that runs ECharts. */
import { CustomChart, type CustomSeriesOption, LineChart, type LineSeriesOption } from "echarts/charts";
import { GridComponent, type GridComponentOption } from "echarts/components";
import { type ComposeOption, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { escaped } from "./markup.js";

use([LineChart, CustomChart, GridComponent, SVGRenderer]);

export type ChartOption = ComposeOption<LineSeriesOption | CustomSeriesOption | GridComponentOption>;

export interface Chart {
  readonly width: number;
  readonly height: number;
  /** What it shows, for those who do not see it. */
  readonly label: string;
  readonly option: ChartOption;
}

/** In CSS pixels, at full size. It is scaled down a little where there is less room, which 14 bears. */
export const fontSize = 14;

/** Text that takes its font from around the SVG. */
export const font = { fontFamily: "inherit", fontSize } as const;

/**
 * Draws `chart` as an `<svg>` that takes the width it is given. `id` begins every id inside: unique on a page.
 * Colours may be CSS variables. `attributes` and `inside` go into the opening tag and behind it.
 */
export function svgOf(chart: Chart, id: string, attributes = "", inside = ""): string {
  const { width, height, label } = chart;
  const drawing = init(null, null, { renderer: "svg", ssr: true, width, height });
  drawing.setOption({ animation: false, textStyle: { ...font, color: "var(--fg)" }, ...chart.option });
  const svg = drawing.renderToSVGString();
  drawing.dispose(); // Otherwise its frames keep the process alive.
  const opening = `<svg${attributes} viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(label)}">`;
  // Text in it is escaped: what holds a bare `<` or `"` here is ECharts' own. Its style only serves hovering, and like its
  // ids has names that other charts use as well.
  return svg
    .replace(/<style\s*>.*?<\/style>/gs, "")
    .replace(/ class="zr[^"]*"/g, "")
    .replace(/(?<= id="|"url\(#)zr\d+/g, id)
    .replace(/^<svg[^>]*>/, () => opening + inside);
}
