/** Figures as people read them. */
import type { Distribution } from "./report.js";

/**
 * A duration in ns with its unit, three significant digits at most: `5 ns`, `0.4 µs`, `12 ms`, `1.25 s`. From 100 ns on
 * it is µs, with two digits, so that what takes about a microsecond compares at a glance.
 */
export function formatNs(ns: number): string {
  // Rounded before the unit is chosen: 999.9 µs is 1 ms.
  const rounded = Number(ns.toPrecision(3));
  const size = Math.abs(rounded);
  if (size < 100) return `${rounded} ns`;
  if (size < 1e3) return `${Number((ns / 1e3).toPrecision(2))} µs`;
  if (size < 1e6) return `${inUnit(rounded, 1e3)} µs`;
  if (size < 1e9) return `${inUnit(rounded, 1e6)} ms`;
  return `${inUnit(rounded, 1e9)} s`;
}

/** From `low` to `high` ns, the unit once where it is the same: `21.9–25.5 µs`. */
export function formatRange(low: number, high: number): string {
  const [from, to] = [formatNs(low), formatNs(high)];
  if (from === to) return from;
  const [number, unit] = from.split(" ");
  return `${to.endsWith(` ${unit ?? ""}`) ? (number ?? "") : from}–${to}`;
}

/** A count, whole, with commas between the thousands. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** A share of 0 to 1 in percent. Only 0 is `0%` and only 1 is `100%`: one in a million is `<0.1%`. */
export function formatShare(share: number): string {
  if (share > 0 && share < 0.001) return "<0.1%";
  if (share < 1 && share > 0.999) return ">99.9%";
  return `${Number((share * 100).toPrecision(3))}%`;
}

/** How many times as long `ns` is as `base`: `1.3×`. */
export function formatRatio(ns: number, base: number): string {
  return `${Number((ns / base).toPrecision(ns / base < 100 ? 2 : 3)).toLocaleString("en-US")}×`;
}

// The division leaves tails such as 1.2000000000000002.
function inUnit(ns: number, unit: number): number {
  return Number((ns / unit).toPrecision(ns < 1000 * unit ? 3 : 15));
}

/** p99.9, where there are samples enough for one of them to lie beyond it; else it is only the largest. */
export function p999Of({ n, p999 }: Distribution): string {
  return n < 1000 ? "–" : formatNs(p999);
}
