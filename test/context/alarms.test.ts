/** The list of alarms: its one timer, where execution may be ended inside of it, and what tests' clocks do to it. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  type Alarm,
  clearAlarm,
  dropAlarm,
  holdTimer,
  releaseTimer,
  repairAlarms,
  ringDue,
  setAlarm,
} from "../../src/context/alarms.js";
import { Heap } from "../../src/context/heap.js";

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
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("the one timer", () => {
  test("is one for all on the platform's clock, too, and keeps no process alive", async () => {
    vi.useRealTimers();
    const timer = { unref: vi.fn() };
    const set = vi.fn(() => timer);
    vi.stubGlobal("setTimeout", set);
    vi.stubGlobal("clearTimeout", vi.fn());
    // What is loaded now takes this timer for the platform's; the clock is the platform's.
    vi.resetModules();
    const fresh = await import("../../src/context/alarms.js");
    set.mockClear();
    const at = performance.now();
    for (const ms of [100, 200, 300]) fresh.setAlarm(alarm(String(ms), at + ms), at);
    expect(set).toHaveBeenCalledOnce();
    expect(timer.unref).toHaveBeenCalledOnce();
  });

  test("is not set anew for an alarm that is later than the one it waits for", () => {
    const set = vi.spyOn(globalThis, "setTimeout");
    const at = performance.now();
    const two = [alarm("early", at + 100), alarm("late", at + 200)];
    for (const each of two) setAlarm(each, at);
    expect(set).toHaveBeenCalledOnce();
    const third = alarm("later", at + 300);
    setAlarm(third, at + 100); // it is about to go off
    expect(set).toHaveBeenCalledOnce();
    for (const each of [...two, third]) clearAlarm(each);
  });

  test("goes with the last alarm, also where a poll has rung that", () => {
    const at = performance.now();
    setAlarm(alarm("polled", at + 100), at);
    ringDue(at + 100);
    expect(rung).toEqual(["polled"]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("while the timer is held", () => {
  test("one that was cut off before it was taken off the list, to ring, is on it once", () => {
    const at = performance.now();
    const cutOff = new Error("cut off");
    const [due, later] = [alarm("due", at), alarm("later", at + 1)];
    holdTimer();
    for (const each of [due, later]) setAlarm(each, at);
    const remove = vi.spyOn(Heap.prototype, "remove").mockImplementationOnce(() => {
      throw cutOff;
    });
    expect(() => {
      ringDue(at);
    }).toThrow(cutOff);
    remove.mockRestore();
    repairAlarms();
    expect(due.slot).toBe(0);
    releaseTimer();
    clearAlarm(due);
    vi.advanceTimersByTime(1);
    expect(rung).toEqual(["later"]);
  });

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

  test("one that was cut off while it rang rings again", () => {
    const at = performance.now();
    const cutOff = new Error("cut off");
    let cuts = 1;
    const cut: Alarm = {
      ...alarm("cut", at),
      ring() {
        if (cuts-- > 0) throw cutOff;
        rung.push("cut");
      },
    };
    holdTimer();
    setAlarm(cut, at);
    expect(() => {
      ringDue(at);
    }).toThrow(cutOff);
    repairAlarms();
    releaseTimer();
    vi.advanceTimersByTime(1);
    expect(rung).toEqual(["cut"]);
    repairAlarms();
    ringDue(at);
    expect(rung).toEqual(["cut"]);
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

describe("a clock put in while an alarm is on another", () => {
  /** Its timers go off when the test says so. */
  function putIn() {
    const set = vi.fn((_wake: (...args: unknown[]) => void, _delay: number, ..._args: unknown[]) => ({}));
    vi.stubGlobal("setTimeout", set);
    const goOff = (): void => {
      const [wake, , ...args] = set.mock.lastCall ?? [() => {}, 0];
      wake(...args);
    };
    return { set, goOff };
  }

  test("the timer of one that was taken off may still go off, for nothing", () => {
    const at = performance.now();
    const gone = alarm("gone", at + 100);
    setAlarm(gone, at);
    putIn();
    clearAlarm(gone);
    vi.advanceTimersByTime(100);
    expect(rung).toEqual([]);
  });

  test("the timer of one that was taken off does not tell the time of those set on the new one", () => {
    const at = performance.now();
    const gone = alarm("gone", at + 100);
    setAlarm(gone, at);
    const { set, goOff } = putIn();
    clearAlarm(gone);
    const clock = vi.spyOn(performance, "now").mockReturnValue(at);
    setAlarm(alarm("next", at + 60_000), at);
    vi.advanceTimersByTime(100);
    expect(rung).toEqual([]);
    expect(set).toHaveBeenCalledOnce();
    clock.mockReturnValue(at + 60_000);
    goOff();
    expect(rung).toEqual(["next"]);
  });

  test("the old clock's timer does not tell its time: it rings by the new one", () => {
    const at = performance.now();
    const each = alarm("each", at + 100);
    setAlarm(each, at);
    const { set, goOff } = putIn();
    const clock = vi.spyOn(performance, "now").mockReturnValue(at);
    vi.advanceTimersByTime(100);
    expect(rung).toEqual([]);
    expect(set.mock.calls.map(([, delay]) => delay)).toEqual([100]);
    clock.mockReturnValue(at + 100);
    goOff();
    expect(rung).toEqual(["each"]);
  });
});

describe("a timer that goes off early against the clock", () => {
  test("is right where it is a fake: the clock may stand still", () => {
    const at = performance.now();
    vi.spyOn(performance, "now").mockReturnValue(at);
    for (const ms of [1, 1000]) setAlarm(alarm(String(ms), at + ms), at);
    vi.advanceTimersByTime(1);
    expect(rung).toEqual(["1"]);
    vi.advanceTimersByTime(999);
    expect(rung).toEqual(["1", "1000"]);
  });

  test("rings nothing where it is the platform's, and early by no more than those are", async () => {
    // What is loaded now takes these timers for the platform's.
    vi.resetModules();
    const fresh = await import("../../src/context/alarms.js");
    const at = performance.now();
    const clock = vi.spyOn(performance, "now").mockReturnValue(at);
    fresh.setAlarm(alarm("real", at + 1000), at);
    clock.mockReturnValue(at + 998);
    vi.advanceTimersByTime(1000);
    expect(rung).toEqual([]);
    clock.mockReturnValue(at + 1000);
    vi.advanceTimersByTime(2);
    expect(rung).toEqual(["real"]);
  });
});

describe("fakes of the timers alone, where each alarm has a timer of its own", () => {
  beforeEach(() => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  });

  test.each([
    ["cleared", clearAlarm],
    ["dropped", dropAlarm],
  ])("it goes with the alarm that is %s", (_, take) => {
    const at = performance.now();
    const [gone, stays] = [alarm("gone", at + 100_000), alarm("stays", at + 100_000)];
    for (const each of [gone, stays]) setAlarm(each, at);
    take(gone);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(100_000);
    expect(rung).toEqual(["stays"]);
  });

  test("one that a poll has rung does not ring again", () => {
    const at = performance.now();
    setAlarm(alarm("polled", at + 100_000), at);
    ringDue(at + 100_000);
    vi.advanceTimersByTime(100_000);
    expect(rung).toEqual(["polled"]);
  });
});
