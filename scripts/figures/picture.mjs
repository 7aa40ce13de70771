// @ts-check
/** The picture in the README, from the results of `npm run compare`: what becomes of a task that computes and is cancelled. */
import { init } from "echarts";
import { format } from "../../bench/support/print.mjs";
import { rowOf } from "./tables.mjs";

/** @typedef {import("../../bench/support/results.mjs").Results} Results */

/** Narrow, with large letters: on a phone it is shown at two thirds of this. */
const WIDTH = 560;

/** Of a side: its name, three lines and a number, one below the other. */
const HEIGHT = 84;

/** Above and below the sides. */
const AROUND = { top: 96, bottom: 60 };

/**
 * Plain colours stand at each line, for whoever draws without a style sheet; where the reader's scheme is dark the sheet
 * replaces them one by one.
 */
const colors = {
  text: { light: "#1f2328", dark: "#e6edf3" },
  faint: { light: "#d1d9e0", dark: "#3d444d" },
  settled: { light: "#0969da", dark: "#58a6ff" },
  stopped: { light: "#cf222e", dark: "#ff7b72" },
  usable: { light: "#1a7f37", dark: "#3fb950" },
};

const style = `<style>
@media (prefers-color-scheme: dark) {
${Object.values(colors)
  .flatMap(({ light, dark }) => ["fill", "stroke"].map((key) => `  [${key}="${light}"] { ${key}: ${dark}; }`))
  .join("\n")}
}
</style>`;

const font = { fontFamily: "system-ui, sans-serif", fontSize: 17, color: colors.text.light };

/**
 * Three moments of each side, p50, with a line up to p99.
 *
 * @typedef {object} Moments
 * @property {string} name
 * @property {readonly (readonly [p50: number, p99: number] | undefined)[]} at settled, stopped, usable: ms
 */

const series = /** @type {const} */ ([
  { name: "its promise has settled", color: colors.settled.light, symbol: "circle" },
  { name: "the work has stopped", color: colors.stopped.light, symbol: "rect" },
  { name: "both threads are usable again", color: colors.usable.light, symbol: "diamond" },
]);

/** Which of them has its number beside it. */
const USABLE = 2;

/** Above one another, px, where moments coincide. */
const offsets = [-8, 3, 14];

/**
 * lifeguard first, then by when the threads are usable again: p50.
 *
 * @param {Results} results
 * @returns {Moments[]}
 */
export function momentsOf(results) {
  const row = (/** @type {string} */ moment) =>
    rowOf(results, "cancel", `a task that computes: ${moment}`)?.sides ?? [];
  const settle = row("cancel() to its promise settled");
  const ranOn = row("runs on after its promise has settled");
  const usable = row("cancel() to both threads usable again");
  const all = settle.map(({ name, summary }) => {
    const of = (/** @type {typeof settle} */ sides) => sides.find((side) => side.name === name)?.summary;
    const pair = (/** @type {typeof summary} */ each, plus = 0) =>
      each === undefined
        ? undefined
        : /** @type {const} */ ([(plus + each.p50) / 1e6, (plus + each.p99) / 1e6]);
    return { name, at: [pair(summary), pair(of(ranOn), summary?.p50), pair(of(usable))] };
  });
  const rank = (/** @type {Moments} */ { name, at: [, , usable] }) =>
    name.startsWith("lifeguard") ? -1 : (usable?.[0] ?? Number.POSITIVE_INFINITY);
  // Two that were never usable: equal, where their difference would be NaN.
  return all.toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
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
    grid: { left: 34, right: 34, ...AROUND },
    legend: {
      top: 4,
      left: 20,
      orient: "vertical",
      textStyle: font,
      itemGap: 8,
      // Its frame, which has no width, has a colour all the same.
      borderColor: colors.faint.light,
      itemWidth: 14,
      itemHeight: 14,
      data: series.map(({ name }) => ({ name })),
    },
    xAxis: {
      type: "log",
      name: "after cancel(): p50; the lines end at p99",
      nameLocation: "middle",
      nameGap: 34,
      nameTextStyle: font,
      axisLabel: { ...font, formatter: (/** @type {number} */ ms) => tick(ms) },
      axisLine: { show: false },
      axisTick: { show: false },
      splitLine: { lineStyle: { color: colors.faint.light } },
    },
    yAxis: {
      type: "category",
      inverse: true,
      data: sides.map(({ name }) => name),
      // Above the lines rather than left of them, which would take half of the width.
      axisLabel: {
        ...font,
        inside: true,
        margin: 4,
        fontWeight: 600,
        verticalAlign: "bottom",
        padding: [0, 0, 15, 0],
      },
      axisTick: { show: false },
      axisLine: { lineStyle: { color: colors.faint.light } },
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
          symbolSize: 12,
          symbolOffset: [0, offsets[moment]],
          itemStyle: { color, opacity: 1 },
          label: {
            show: moment === USABLE,
            position: "bottom",
            distance: 3,
            ...font,
            color,
            formatter: (/** @type {{ value: readonly number[] }} */ { value: [ms = Number.NaN] }) =>
              numberOf(ms),
          },
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
              style: { fill: "none", stroke: color, lineWidth: 3 },
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

/**
 * Two digits: more cannot be seen.
 *
 * @param {number} ms
 */
export function numberOf(ms) {
  return format(Number(ms.toPrecision(2)) * 1e6, "ns")
    .replace(/(\.\d)\d+ /, "$1 ")
    .replace(/(\d\d)\.0 /, "$1 ");
}

/** @param {number} ms */
function tick(ms) {
  return format(ms * 1e6, "ns").replace(/\.0+ /, " ");
}
