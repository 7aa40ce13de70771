/** Lists of times, and what is told of them. */
import { createHistogram } from "node:perf_hooks";
import type { Distribution } from "./report.js";

/** Parts, in time, that a run is cut into for the spread of its median; and the samples that a part has, at least. */
const PARTS = 10;
const PART = 5;

/** @param samples ns, in the order in which they were taken */
export function distributionOf(samples: readonly number[]): Distribution | undefined {
  if (samples.length === 0) return undefined;
  const histogram = histogramOf(samples);
  const at = (percent: number): number => histogram.percentile(percent);
  return {
    n: samples.length,
    min: histogram.min,
    p50: at(50),
    p75: at(75),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: histogram.max,
    mean: Math.round(histogram.mean),
    spread: spreadOf(samples),
    curve: curveOf(histogram),
  };
}

/** Node's, which is HdrHistogram: whole numbers from 1 up. */
function histogramOf(samples: readonly number[]): ReturnType<typeof createHistogram> {
  const histogram = createHistogram({ figures: 3 });
  for (const sample of samples) histogram.record(Math.max(1, Math.round(sample)));
  return histogram;
}

function spreadOf(samples: readonly number[]): [low: number, high: number] {
  const parts = Math.max(1, Math.min(PARTS, Math.floor(samples.length / PART)));
  const medians = Array.from({ length: parts }, (_, part) => {
    const from = Math.floor((part * samples.length) / parts);
    return medianOf(samples.slice(from, Math.floor(((part + 1) * samples.length) / parts)));
  });
  return [Math.min(...medians), Math.max(...medians)];
}

/** Of one sample or more. */
export function medianOf(samples: readonly number[]): number {
  return histogramOf(samples).percentile(50);
}

/** The percents that a curve has points at: close where the tail is. */
const POINTS = [...Array.from({ length: 100 }, (_, percent) => percent), 99.5, 99.9, 100];

function curveOf(histogram: ReturnType<typeof createHistogram>): [ns: number, percent: number][] {
  const curve: [number, number][] = [];
  for (const percent of POINTS) {
    const ns =
      percent === 0 ? histogram.min : percent === 100 ? histogram.max : histogram.percentile(percent);
    const last = curve.at(-1);
    if (last !== undefined && last[0] >= ns) last[1] = percent;
    else curve.push([ns, percent]);
  }
  return curve;
}
