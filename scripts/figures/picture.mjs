// @ts-check
/** The picture in the README, from the results of `npm run compare`: what becomes of a task that computes and is cancelled. */
import { init } from "echarts";
import { format } from "../../bench/support/print.mjs";
import { rowOf } from "./tables.mjs";

/** @typedef {import("../../bench/support/results.mjs").Results} Results */

const WIDTH = 900;

/** Of a side. */
const HEIGHT = 44;

/** Above and below the sides. */
const AROUND = { top: 56, bottom: 48 };

/** The reader's own colours where a page shows the picture as it is; what is given is for both. */
const style = `<style>
svg { --text: #1f2328; --faint: #d1d9e0; --settled: #0969da; --stopped: #cf222e; --usable: #1a7f37; }
@media (prefers-color-scheme: dark) {
  svg { --text: #e6edf3; --faint: #3d444d; --settled: #58a6ff; --stopped: #ff7b72; --usable: #3fb950; }
}
</style>`;

const font = { fontFamily: "system-ui, sans-serif", fontSize: 13, color: "var(--text)" };

/**
 * Three moments of each side, p50, with a line up to p99.
 *
 * @typedef {object} Moments
 * @property {string} name
 * @property {readonly (readonly [p50: number, p99: number] | undefined)[]} at settled, stopped, usable: ms
 */

const series = /** @type {const} */ ([
  { name: "its promise has settled", color: "var(--settled)", symbol: "circle" },
  { name: "the work has stopped", color: "var(--stopped)", symbol: "rect" },
  { name: "both threads are usable again", color: "var(--usable)", symbol: "diamond" },
]);

/** Above one another, px, where moments coincide. */
const offsets = [-9, 0, 9];

/**
 * @param {Results} results
 * @returns {Moments[]}
 */
export function momentsOf(results) {
  const row = (/** @type {string} */ moment) =>
    rowOf(results, "cancel", `a task that computes: ${moment}`)?.sides ?? [];
  const settle = row("cancel() to its promise settled");
  const ranOn = row("runs on after its promise has settled");
  const usable = row("cancel() to both threads usable again");
  return settle.map(({ name, summary }) => {
    const of = (/** @type {typeof settle} */ sides) => sides.find((side) => side.name === name)?.summary;
    const pair = (/** @type {typeof summary} */ each, plus = 0) =>
      each === undefined
        ? undefined
        : /** @type {const} */ ([(plus + each.p50) / 1e6, (plus + each.p99) / 1e6]);
    return { name, at: [pair(summary), pair(of(ranOn), summary?.p50), pair(of(usable))] };
  });
}

/**
 * @param {Results} results
 * @returns {string} SVG
 */
export function picture(results) {
  const sides = momentsOf(results);
  const height = AROUND.top + AROUND.bottom + HEIGHT * sides.length;
  const chart = init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  chart.setOption({
    animation: false,
    textStyle: font,
    grid: { left: 210, right: 40, ...AROUND },
    legend: {
      top: 8,
      textStyle: font,
      itemGap: 28,
      itemWidth: 11,
      itemHeight: 11,
      data: series.map(({ name }) => ({ name })),
    },
    xAxis: {
      type: "log",
      name: "after cancel(), p50; the line ends at p99",
      nameLocation: "middle",
      nameGap: 30,
      nameTextStyle: font,
      axisLabel: { ...font, formatter: (/** @type {number} */ ms) => tick(ms) },
      axisLine: { show: false },
      splitLine: { lineStyle: { color: "var(--faint)" } },
    },
    yAxis: {
      type: "category",
      inverse: true,
      data: sides.map(({ name }) => name),
      axisLabel: font,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: "var(--faint)" } },
    },
    series: series.flatMap(({ name, color, symbol }, moment) => {
      const data = sides.flatMap(({ at }, side) => {
        const pair = at[moment];
        return pair === undefined ? [] : [[pair[0], side, pair[1]]];
      });
      return [
        {
          type: "scatter",
          name,
          symbol,
          symbolSize: 9,
          symbolOffset: [0, offsets[moment]],
          itemStyle: { color },
          silent: true,
          data,
        },
        {
          type: "custom",
          silent: true,
          data,
          encode: { x: [0, 2], y: 1 },
          /**
           * @param {unknown} _
           * @param {{ value: (at: number) => number, coord: (point: number[]) => [number, number] }} api
           */
          renderItem: (_, api) => {
            const [x1, y] = api.coord([api.value(0), api.value(1)]);
            const [x2] = api.coord([api.value(2), api.value(1)]);
            const at = y + (offsets[moment] ?? 0);
            return {
              type: "line",
              shape: { x1, y1: at, x2, y2: at },
              style: { stroke: color, lineWidth: 2 },
            };
          },
        },
      ];
    }),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg.replace(">", `>\n<title>What becomes of a task that computes and is cancelled</title>\n${style}`)}\n`;
}

/** @param {number} ms */
function tick(ms) {
  return format(ms * 1e6, "ns").replace(/\.0+ /, " ");
}
