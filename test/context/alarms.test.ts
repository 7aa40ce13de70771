/** The list of alarms where execution may be ended inside of it. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  type Alarm,
  clearAlarm,
  holdTimer,
  releaseTimer,
  repairAlarms,
  setAlarm,
} from "../../src/context/alarms.js";

const rung: string[] = [];

function alarm(name: string, when: number): Alarm {
  return {
    slot: -1,
    when,
    ring() {
      rung.push(name);
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers();
  rung.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

describe("while the timer is held", () => {
  test("no timer of the platform is touched; it is set for the earliest afterwards", () => {
    const at = performance.now();
    const [late, early, gone] = [alarm("late", at + 200), alarm("early", at + 100), alarm("gone", at + 50)];
    holdTimer();
    for (const each of [late, early, gone]) setAlarm(each, at);
    clearAlarm(gone);
    repairAlarms();
    expect(vi.getTimerCount()).toBe(0);
    releaseTimer();
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(99);
    expect(rung).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(rung).toEqual(["early"]);
    vi.advanceTimersByTime(100);
    expect(rung).toEqual(["early", "late"]);
  });

  test("the timer of an alarm that is gone goes afterwards", () => {
    const at = performance.now();
    const gone = alarm("gone", at + 100);
    setAlarm(gone, at);
    holdTimer();
    clearAlarm(gone);
    expect(vi.getTimerCount()).toBe(1);
    releaseTimer();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("one that has become due meanwhile rings soon", () => {
    const at = performance.now();
    setAlarm(alarm("before", at + 100), at);
    holdTimer();
    setAlarm(alarm("due", at - 5), at);
    releaseTimer();
    vi.advanceTimersByTime(1);
    expect(rung).toEqual(["due"]);
    vi.advanceTimersByTime(100);
    expect(rung).toEqual(["due", "before"]);
  });
});

test("a timer that was taken away is set again by the next alarm, for the earliest of all", () => {
  const at = performance.now();
  setAlarm(alarm("first", at + 100), at);
  vi.clearAllTimers();
  vi.advanceTimersByTime(120);
  expect(rung).toEqual([]);
  setAlarm(alarm("late", at + 1000), performance.now());
  vi.advanceTimersByTime(1);
  expect(rung).toEqual(["first"]);
  vi.advanceTimersByTime(1000);
  expect(rung).toEqual(["first", "late"]);
});

describe("a fake clock taken away with an alarm on it", () => {
  const left = (): Alarm => {
    const each = alarm("left", performance.now() + 100);
    setAlarm(each, performance.now());
    vi.useRealTimers();
    return each;
  };

  test("those of the next fake clock ring when it is time", () => {
    left();
    vi.useFakeTimers();
    const at = performance.now();
    setAlarm(alarm("next", at + 200), at);
    vi.advanceTimersByTime(199);
    expect(rung).not.toContain("next");
    vi.advanceTimersByTime(1);
    expect(rung).toContain("next");
  });

  test("the next clock is not asked to clear its timer", () => {
    const each = left();
    vi.useFakeTimers();
    const clear = vi.spyOn(globalThis, "clearTimeout");
    clearAlarm(each);
    expect(clear).not.toHaveBeenCalled();
    const at = performance.now();
    const next = alarm("next", at + 200);
    setAlarm(next, at);
    clearAlarm(next);
    expect(clear).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });
});
