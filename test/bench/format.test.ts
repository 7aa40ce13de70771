import { describe, expect, test } from "vitest";
import { formatCount, formatNs, formatRange, formatRatio, formatShare } from "../../src/bench/format.js";

describe("formatNs", () => {
  test.each([
    [0, "0 ns"],
    [0.5, "0.5 ns"],
    [2.64, "2.64 ns"],
    [5, "5 ns"],
    [87, "87 ns"],
    [99.96, "0.1 µs"],
    [100, "0.1 µs"],
    [400, "0.4 µs"],
    [412, "0.41 µs"],
    [994, "0.99 µs"],
    [999, "1 µs"],
    [1_000, "1 µs"],
    [1_234, "1.23 µs"],
    [12_000, "12 µs"],
    [12_345, "12.3 µs"],
    [123_456, "123 µs"],
    [999_499, "999 µs"],
    [999_600, "1 ms"],
    [12_000_000, "12 ms"],
    [250_400_000, "250 ms"],
    [999_950_000, "1 s"],
    [1_250_000_000, "1.25 s"],
    [10_000_000_000, "10 s"],
    [7_200_000_000_000, "7200 s"],
    [-1_500, "-1.5 µs"],
  ])("%d ns reads %s", (ns, text) => {
    expect(formatNs(ns)).toBe(text);
  });

  test("no duration needs more than three digits, and each is within half of the last one", () => {
    const units: Record<string, number> = { ns: 1, µs: 1e3, ms: 1e6, s: 1e9 };
    for (let ns = 1; ns < 9e11; ns *= 1.0173) {
      const [number, unit] = formatNs(ns).split(" ");
      expect(number).toMatch(/^(?!\d{4})[\d.]{1,4}$/);
      const off = Math.abs(Number(number) * units[unit!]! - ns) / ns;
      expect(off, `${ns}: ${number} ${unit}`).toBeLessThanOrEqual(ns > 99 && ns < 1000 ? 0.051 : 0.0051);
    }
  });
});

test("a range names its unit once, and is one figure where both ends read the same", () => {
  expect(formatRange(21_900, 25_500)).toBe("21.9–25.5 µs");
  expect(formatRange(541_000, 2_810_000)).toBe("541 µs–2.81 ms");
  expect(formatRange(50, 2e9)).toBe("50 ns–2 s");
  expect(formatRange(250_100_000, 250_200_000)).toBe("250 ms");
});

test("counts are whole, with commas", () => {
  expect(formatCount(0)).toBe("0");
  expect(formatCount(4_180_000.4)).toBe("4,180,000");
});

test("only none is 0% and only all is 100%", () => {
  expect([0, 1e-6, 0.005, 1 / 3, 0.5, 0.99999, 1].map(formatShare)).toEqual([
    "0%",
    "<0.1%",
    "0.5%",
    "33.3%",
    "50%",
    ">99.9%",
    "100%",
  ]);
});

test("ratios have two digits, large ones three", () => {
  expect(formatRatio(412, 335)).toBe("1.2×");
  expect(formatRatio(5, 335)).toBe("0.015×");
  expect(formatRatio(10e9, 14_900)).toBe("671,000×");
});
