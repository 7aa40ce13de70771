/** The axes of all charts. */
import { formatNs } from "../format.js";
import { type LogScale, roundTicks } from "./scale.js";
import { fontSize } from "./svg.js";

/** ECharts' options for an axis along x or y. */
export type Axis = ReturnType<typeof axisOf>;

/** For values given as `logOf` gives them; `format` takes the values themselves. */
export function logAxis({ min, max, ticks }: LogScale, format: (value: number) => string) {
  return axisOf(min, max, ticks, (log) => format(Number((10 ** log).toPrecision(3))));
}

/** From 0 to `max` ns, with `most` ticks or fewer. */
export function linearAxis(max: number, most: number) {
  return axisOf(0, max, roundTicks(0, max, most), (ns) => (ns === 0 ? "0" : formatNs(ns)));
}

function axisOf(min: number, max: number, ticks: readonly number[], formatter: (value: number) => string) {
  const customValues = [...ticks];
  const line = { lineStyle: { color: "var(--axis)" } };
  return {
    type: "value" as const,
    min,
    max,
    axisLine: { show: true, onZero: false, ...line },
    axisTick: { show: true, customValues, ...line },
    axisLabel: { customValues, formatter, color: "var(--muted)", fontSize },
    splitLine: { show: true, lineStyle: { color: "var(--rule)" } },
  };
}
