/** The list of alarms after execution has been ended somewhere inside of it. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Alarm, clearAlarm, repairAlarms, setAlarm } from "../../src/context/alarms.js";

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

test("a timer that was taken away and not forgotten is set again, for the earliest", () => {
  const at = performance.now();
  const [late, early] = [alarm("late", at + 200), alarm("early", at + 100)];
  setAlarm(late, at);
  setAlarm(early, at);
  vi.clearAllTimers();
  repairAlarms();
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(100);
  expect(rung).toEqual(["early"]);
  vi.advanceTimersByTime(100);
  expect(rung).toEqual(["early", "late"]);
});

test("no alarm, no timer", () => {
  const at = performance.now();
  const gone = alarm("gone", at + 100);
  setAlarm(gone, at);
  clearAlarm(gone);
  repairAlarms();
  expect(vi.getTimerCount()).toBe(0);
});
