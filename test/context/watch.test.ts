/** The stride: how many polls go by between two looks at the clock. */
import { expect, test } from "vitest";
import { Stride } from "../../src/context/watch.js";

test("as many polls go by as came in the target time lately, from 1 to the longest", () => {
  const stride = new Stride();
  const polls = [1000, 1000.5, 1000.5, 1001.3, 1001.4, 1001.41].map((at) => stride.next(at));
  // After a long time one; after none at all the longest; 64 in 0.8 ms are 4 in 0.05; 4 in 0.1 are 2; 2 in 0.01 are 10.
  expect(polls.slice(0, 5)).toEqual([1, 1, Stride.LONGEST, 4, 2]);
  expect(polls[5]).toBeGreaterThanOrEqual(9);
  expect(polls[5]).toBeLessThanOrEqual(10);
});

test("a clock that goes back counts as one that stands still", () => {
  const stride = new Stride();
  stride.next(1000);
  expect(stride.next(999)).toBe(Stride.LONGEST);
});
