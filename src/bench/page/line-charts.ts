/** The charts with lines: distributions, and growth with the size of a batch. */
import type { LineSeriesOption } from "echarts/charts";
import { formatCount, formatNs } from "../format.js";
import type { Distribution, Growth } from "../report.js";
import { logAxis } from "./axis.js";
import { bareStroke, moments, type Stroke } from "./moments.js";
import { logOf, logScale } from "./scale.js";
import { type Chart, type ChartOption, fontSize } from "./svg.js";

export interface Line extends Stroke {
  readonly name: string;
  readonly distribution: Distribution;
}

type Point = readonly [x: number, y: number];

/** Cumulative: which share was through after so long. Only lines with samples. A mark at p50 and p99 of each. */
export function distributionChart(lines: readonly Line[], width: number): Chart {
  const scale = logScale(
    lines.flatMap(({ distribution: { curve, p50, p99 } }) => [p50, p99, ...curve.map(([ns]) => ns)]),
    width < 600 ? 4 : 8,
    0.03,
  );
  const percents = {
    type: "value",
    min: 0,
    max: 100,
    interval: 25,
    axisLabel: { formatter: "{value}%", color: "var(--muted)", fontSize },
    splitLine: { lineStyle: { color: "var(--rule)" } },
  } as const;
  const words = lines.map(
    ({ name, distribution: { p50, p99 } }) => `${name}, ${formatNs(p50)} and ${formatNs(p99)}`,
  );
  return {
    width,
    height: 300,
    label: `Share of cancellations over time. p50 and p99: ${words.join("; ")}`,
    option: {
      grid: { left: 52, right: 24, top: 16, bottom: 32 },
      xAxis: logAxis(scale, formatNs),
      yAxis: percents,
      series: lines.flatMap(({ distribution: { curve, p50, p99 }, ...stroke }) => {
        const first = curve[0]?.[0] ?? p50;
        const points: Point[] = [[first, 0], ...curve];
        const marks: Point[] = [
          [timeAt(curve, 50) ?? p50, 50],
          [timeAt(curve, 99) ?? p99, 99],
        ];
        return [
          lineOf(
            points.map(([ns, percent]) => [logOf(ns), percent]),
            { ...stroke, symbol: "none" },
          ),
          lineOf(
            marks.map(([ns, percent]) => [logOf(ns), percent]),
            stroke,
            0,
          ),
        ];
      }),
    },
  };
}

/** Where `curve`, as it is drawn, reaches `percent`: marks lie on the line. */
function timeAt(curve: Distribution["curve"], percent: number): number | undefined {
  const i = curve.findIndex(([, reached]) => reached >= percent);
  const [end, above] = curve[i] ?? [];
  if (end === undefined || above === undefined) return undefined;
  const [start, below] = curve[i - 1] ?? [end, 0];
  const part = (percent - below) / (above - below);
  return 10 ** (logOf(start) + part * (logOf(end) - logOf(start)));
}

/** Strokes of the growth chart's lines, and what they say. */
export const growthLines = [
  { key: "submit", name: "submitting, per task", stroke: moments.stopped },
  { key: "cancel", name: "cancel() itself", stroke: { ...moments.cancel, symbol: "circle" } },
  { key: "settled", name: "cancel() until all have settled", stroke: moments.settled },
] as const satisfies readonly { key: keyof Growth; name: string; stroke: Stroke }[];

/** Over the size of the batch, both logarithmic; and, for comparison, what grows in proportion to it. */
export function growthChart(growth: readonly Growth[], width: number): Chart {
  const rising = growth.toSorted((a, b) => a.size - b.size);
  const sizes = rising.map(({ size }) => size);
  const times = rising.flatMap(({ submit, cancel, settled }) => [submit, cancel, settled]);
  const last = rising.at(-1);
  const proportional = rising.map(
    ({ size }): Point => [
      logOf(size),
      last === undefined ? 0 : Math.log10((last.settled * size) / last.size),
    ],
  );
  const words = growthLines.map(
    ({ key, name }) =>
      `${name}: ${rising.map((point) => `${formatNs(point[key])} at ${formatCount(point.size)}`).join(", ")}`,
  );
  const option: ChartOption = {
    grid: { left: 62, right: 30, top: 16, bottom: 32 },
    xAxis: logAxis(logScale(sizes, width < 600 ? 4 : 8), formatCount),
    yAxis: logAxis(logScale(times, 6), formatNs),
    series: [
      lineOf(proportional, bareStroke),
      ...growthLines.map(({ key, stroke }) =>
        lineOf(
          rising.map((point) => [logOf(point.size), logOf(point[key])]),
          stroke,
        ),
      ),
    ],
  };
  return { width, height: 320, label: `Growth with the number of tasks. ${words.join("; ")}`, option };
}

function lineOf(data: readonly Point[], { color, dash, symbol }: Stroke, width = 2): LineSeriesOption {
  return {
    type: "line",
    data: data.map(([x, y]) => [x, y]),
    symbol,
    symbolSize: symbol === "rect" ? 8 : 10,
    showAllSymbol: true,
    lineStyle: { color, width, type: dash.length === 0 ? "solid" : [...dash] },
    itemStyle: { color },
    silent: true,
  };
}
