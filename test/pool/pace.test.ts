/** How long tasks take, as far as has been seen: averages, and what is forgotten. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Pace } from "../../src/pool/pace.js";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Tasks that all complete. */
function seen(...times: number[]): Pace {
  const pace = new Pace();
  for (const ms of times) pace.took("a", ms, performance.now(), true);
  return pace;
}

describe("each", () => {
  test("is the average of all, the latest of which weighs an eighth", () => {
    const pace = new Pace();
    expect(pace.each).toBe(0);
    pace.took("a", 80, 0, true);
    expect(pace.each).toBe(80);
    pace.took("b", 160, 0, false);
    expect(pace.each).toBe(90);
    pace.took("a", 10, 0, true);
    expect(pace.each).toBe(80);
  });
});

describe("whole", () => {
  test("is the shortest of the first eight, which are not compiled yet, and an average from then on", () => {
    expect(seen(1000, 10, 20).whole("a")).toBe(10);
    const eight = [1000, 10, 20, 20, 20, 20, 20, 20];
    expect(seen(...eight).whole("a")).toBe(10);
    expect(seen(...eight, 90).whole("a")).toBe(20);
  });

  test("is of the tasks of that name that did all they had to do", () => {
    const pace = seen(50);
    pace.took("a", 1, performance.now(), false);
    pace.took("b", 2, performance.now(), true);
    pace.took("c", 3, performance.now(), false);
    expect(["a", "b", "c", "d"].map((name) => pace.whole(name))).toEqual([50, 2, 0, 0]);
  });

  test.each([
    ["a second, of those that take less than a tenth of that", 5, 1000],
    ["ten times as long as they take, of others", 500, 5000],
  ])("is forgotten after %s, and renewed by the next one", (_which, ms, after) => {
    const pace = seen(ms);
    vi.advanceTimersByTime(after);
    expect(pace.whole("a")).toBe(ms);
    pace.took("a", ms, performance.now(), true);
    vi.advanceTimersByTime(after);
    expect(pace.whole("a")).toBe(ms);
    vi.advanceTimersByTime(1);
    expect(pace.whole("a")).toBe(0);
    pace.took("a", ms, performance.now(), true);
    expect(pace.whole("a")).toBe(ms);
  });
});

describe("share", () => {
  test("is of half a millisecond; all of it where nothing is known", () => {
    expect(new Pace().share("a")).toBe(1);
    expect(seen(0.25).share("a")).toBe(0.5);
  });
});
