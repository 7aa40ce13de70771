/** What is told of a list of times. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { distributionOf, medianOf } from "../../src/bench/distribution.js";

const oneTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

describe("a distribution", () => {
  test("of no samples is none", () => {
    expect(distributionOf([])).toBeUndefined();
  });

  test("of one sample is that, all over", () => {
    expect(distributionOf([700])).toEqual({
      n: 1,
      min: 700,
      p50: 700,
      p75: 700,
      p90: 700,
      p99: 700,
      p999: 700,
      max: 700,
      mean: 700,
      spread: [700, 700],
      curve: [[700, 100]],
    });
  });

  test("of 1 to 1000", () => {
    const distribution = distributionOf(oneTo(1000));
    expect(distribution).toMatchObject({
      n: 1000,
      min: 1,
      p50: 500,
      p75: 750,
      p90: 900,
      p99: 990,
      p999: 999,
    });
    expect(distribution).toMatchObject({ max: 1000, mean: 501, spread: [50, 950] });
    expect(distribution?.curve).toContainEqual([250, 25]);
    expect(distribution?.curve.at(-1)).toEqual([1000, 100]);
  });

  test("counts what is too short to tell as 1 ns", () => {
    expect(distributionOf([0, -5, 0.2])).toMatchObject({ min: 1, max: 1 });
  });

  test("has a spread: the medians of the parts of the run, in time", () => {
    expect(distributionOf(oneTo(100).map((at) => (at <= 50 ? 10 : 20)))?.spread).toEqual([10, 20]);
    // Too few for parts.
    expect(distributionOf([1, 2, 3, 100])?.spread).toEqual([2, 2]);
  });

  test("of any samples: in order, within three digits, and drawn by a curve that rises to 100 percent", () => {
    const sample = fc.integer({ min: 1, max: 10 ** 10 });
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 300 }), (samples) => {
        const { n, min, p50, p75, p90, p99, p999, max, mean, spread, curve } = distributionOf(samples)!;
        expect(n).toBe(samples.length);
        const all = [min, p50, p75, p90, p99, p999, max];
        expect(all).toEqual([...all].sort((a, b) => a - b));
        expect(Math.abs(max / Math.max(...samples) - 1)).toBeLessThan(0.002);
        expect(mean).toBeLessThanOrEqual(max);
        expect(spread[0]).toBeLessThanOrEqual(spread[1]);
        expect(curve.at(-1)?.[1]).toBe(100);
        for (const [at, [ns, percent]] of curve.entries()) {
          if (at === 0) continue;
          expect(ns).toBeGreaterThan(curve[at - 1]![0]);
          expect(percent).toBeGreaterThan(curve[at - 1]![1]);
        }
      }),
      { seed: 20 },
    );
  });
});

test("medianOf", () => {
  expect(medianOf([3])).toBe(3);
  expect(medianOf([30, 10, 20])).toBe(20);
});
