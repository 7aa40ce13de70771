import { describe, expect, test } from "vitest";
import { formatNs } from "../../../src/bench/format.js";
import { logOf, logScale, roundTicks } from "../../../src/bench/page/scale.js";

describe("logScale", () => {
  test("shows every value, with two ticks or more and not too many, whatever the magnitudes", () => {
    for (let low = 1; low < 1e10; low *= 3.7) {
      for (const factor of [1, 1.01, 1.1, 1.9, 3, 9, 40, 1e3, 1e6, 1e10]) {
        for (const [most, decades] of [
          [4, 0.03],
          [5, 1],
          [8, 0.03],
        ] as const) {
          const scale = logScale([low, low * factor], most, decades);
          const of = `${low} to ${low * factor}, ${most} ticks, ${decades} decades`;
          expect(scale.min, of).toBeLessThanOrEqual(logOf(low));
          expect(scale.max, of).toBeGreaterThanOrEqual(logOf(low * factor));
          expect(scale.max - scale.min, of).toBeGreaterThan(decades - 1e-9);
          expect(scale.ticks.length, of).toBeGreaterThanOrEqual(2);
          expect(scale.ticks.length, of).toBeLessThanOrEqual(most);
          for (const tick of scale.ticks) {
            expect(tick, of).toBeGreaterThanOrEqual(scale.min - 1e-9);
            expect(tick, of).toBeLessThanOrEqual(scale.max + 1e-9);
          }
          const labels = scale.ticks.map((tick) => formatNs(10 ** tick));
          if (low > 30) expect(new Set(labels).size, `${of}: ${labels.join()}`).toBe(labels.length);
        }
      }
    }
  });

  test("over many decades the ticks go from unit to unit", () => {
    const { ticks } = logScale([5, 10e9], 4);
    expect(ticks.map((tick) => formatNs(10 ** tick))).toEqual(["1 µs", "1 ms", "1 s"]);
  });

  test("0, and no value at all, have a place", () => {
    expect(logScale([0], 5).min).toBe(0);
    expect(logScale([], 5)).toEqual(logScale([1], 5));
  });
});

test("round ticks are multiples of 1, 2 or 5, or of 4 before there would be one only", () => {
  expect(roundTicks(0, 252, 6)).toEqual([0, 50, 100, 150, 200, 250]);
  expect(roundTicks(0, 252, 5)).toEqual([0, 100, 200]);
  expect(roundTicks(249, 261, 4)).toEqual([250, 255, 260]);
  expect(roundTicks(125.5, 134.5, 4)).toEqual([128, 132]);
});
