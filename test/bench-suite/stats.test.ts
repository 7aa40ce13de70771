import { expect, test } from "vitest";
import { median, percentile, ratioOf, summarize } from "../../bench/support/stats.mjs";

const upTo = (n: number) => Array.from({ length: n + 1 }, (_, i) => i);

/** Out of order, and always the same. */
const shuffled = (list: readonly number[]) =>
  list.toSorted((a, b) => ((a * 7919) % 10_007) - ((b * 7919) % 10_007));

test("percentiles are interpolated, whatever the order of the samples", () => {
  expect(summarize(shuffled(upTo(1000)))).toMatchObject({
    n: 1001,
    min: 0,
    p10: 100,
    p50: 500,
    p75: 750,
    p90: 900,
    p99: 990,
    p999: 999,
    max: 1000,
  });
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(percentile(shuffled(upTo(100)), 0.95)).toBe(95);
});

test("samples below zero and below one count as they are", () => {
  expect(summarize([-2, 0.25, 0.5])).toMatchObject({ min: -2, p50: 0.25, max: 0.5 });
});

test("numbers are sorted as numbers", () => {
  expect(median([10, 9, 100])).toBe(10);
});

test("of no samples nothing is known, and one sample is all of it", () => {
  const none = summarize([]);
  expect(none.n).toBe(0);
  expect(none.p50).toBeNaN();
  expect(none.low).toBeNaN();
  expect(summarize([7])).toMatchObject({ n: 1, p50: 7, p999: 7, low: 7, high: 7 });
});

test("the samples are left in their order", () => {
  const samples = [3, 1, 2];
  summarize(samples);
  ratioOf(samples, samples);
  expect(samples).toEqual([3, 1, 2]);
});

test("the spread of p50 is that of the medians of twenty parts, in time", () => {
  // Three samples a part: their medians are 10, 20 and so on to 200.
  const samples = upTo(19).flatMap((part) => [10 * (part + 1), 1000 * (part + 1), -1]);
  const { low, high } = summarize(samples);
  expect(low).toBeCloseTo(29);
  expect(high).toBeCloseTo(181);
});

test("what varies within the parts alone does not spread p50", () => {
  const samples = upTo(199).map((i) => (i % 10 < 5 ? 1 : 3));
  expect(summarize(samples)).toMatchObject({ p10: 1, p90: 3, low: 2, high: 2 });
});

test("a ratio is the same in every part, and a machine that slows down for both does not spread it", () => {
  const slow = (part: number) => (part < 10 ? 1 : 50);
  const under = upTo(19).flatMap((part) => [slow(part), slow(part)]);
  const over = under.map((value) => 3 * value);
  expect(ratioOf(over, under)).toEqual({ value: 3, low: 3, high: 3 });
});

test("one that slows down for one side does", () => {
  const under = upTo(99).map(() => 1);
  const over = upTo(99).map((i) => (i < 50 ? 1 : 4));
  const { low, high } = ratioOf(over, under);
  expect([low, high]).toEqual([1, 4]);
});

test("lists of different lengths are cut into the same parts of the run", () => {
  const { value, low, high } = ratioOf([2, 2, 4, 4], [1, 2]);
  expect(value).toBe(2);
  expect([low, high]).toEqual([2, 2]);
});

test("a ratio lies inside its spread, where that of the medians of all samples does not", () => {
  // Both sides change in the middle of the run, ours a part later: most parts are even.
  const under = upTo(19).map((part) => (part < 9 ? 1 : 100));
  const over = upTo(19).map((part) => (part < 11 ? 1 : 100));
  expect(median(over) / median(under)).toBe(0.01);
  expect(ratioOf(over, under)).toMatchObject({ value: 1, high: 1 });

  const uneven = ratioOf([9, 1, 5, 7, 3], [1, 2, 3, 4, 5]);
  expect(uneven.value).toBeGreaterThanOrEqual(uneven.low);
  expect(uneven.value).toBeLessThanOrEqual(uneven.high);
});
