/** How many polls go by between two closer looks: at the clock, on a stride, and where there is nothing to look at. */
import { expect, test } from "vitest";
import { idle, Stride } from "../../src/context/watch.js";

test("as many polls go by as came in the target time lately, from 1 to the longest", () => {
  const stride = new Stride();
  const polls = [1000, 1000.5, 1000.5, 1001.25, 1001.34375, 1001.3671875].map((at) => stride.next(at));
  // After a long time one; after none at all the longest; 64 in 0.75 ms are 4 in 0.05, 4 in 0.09 are 2, 2 in 0.02 are 4.
  expect(polls).toEqual([1, 1, Stride.LONGEST, 4, 2, 4]);
});

test("a clock that goes back counts as one that stands still", () => {
  const stride = new Stride();
  stride.next(1000);
  expect(stride.next(999)).toBe(Stride.LONGEST);
});

test("a clock that begins at 0 has stood still so far", () => {
  const stride = new Stride();
  expect([0, 0, 1].map((at) => stride.next(at))).toEqual([Stride.LONGEST, Stride.LONGEST, 3]);
});

test("where there is nothing to look at, a closer look is for a billion polls", () => {
  idle.left = 0;
  idle.check();
  expect(idle.left).toBeGreaterThan(1e9);
});
