/**
 * All that is due at some time, under one armed timer of the platform: a heap of alarms. Owns that timer; what an
 * alarm means is its maker's.
 */
import { MAX_DELAY, now } from "./clock.js";
import { Heap, type HeapItem } from "./heap.js";

/** Something due at `when`, in ms on this thread's monotonic clock. */
export interface Alarm extends HeapItem {
  readonly when: number;
  /** Called once, from the timer, when `when` has come; the alarm is off the list by then. Must not throw. */
  ring(): void;
}

const alarms = new Heap<Alarm>((a, b) => a.when < b.when);

type Timer = ReturnType<typeof setTimeout>;
interface Armed {
  timer: Timer | undefined;
  readonly target: number;
  readonly by: typeof setTimeout;
}
let armed: Armed | undefined;

let isHeld = false;

/** The one that is being rung by `ringDue`, off the list already. */
let ringing: Alarm | undefined;

// The platform's own, to tell fakes from.
const platformTimer = setTimeout;
const platformNow: unknown = Reflect.get(performance, "now");

/**
 * Timers of alarms that have one each: under a test's fake timers with a real clock (node:test fakes no `performance`),
 * where the clock does not tell how long to wait for the next.
 */
const alone = new Map<Alarm, Timer>();

/**
 * Puts the alarm on the list. It never keeps the process alive.
 *
 * @param at the time now, which the caller has just read
 */
export function setAlarm(alarm: Alarm, at: number): void {
  alarms.push(alarm);
  if (setTimeout !== platformTimer && Reflect.get(performance, "now") === platformNow) {
    armAlone(alarm, alarm.when - at);
    return;
  }
  // A target that lies behind belongs to a blocked event loop, or to a fake timer that its test took away: arm anew.
  armFor(alarms.peek() ?? alarm, at);
}

function armAlone(alarm: Alarm, left: number): void {
  const delay = delayTo(left, 0);
  const ring = (): void => {
    alone.delete(alarm);
    if (alarm.slot < 0) return;
    if (delay === MAX_DELAY) {
      armAlone(alarm, left - delay);
      return;
    }
    alarms.remove(alarm);
    alarm.ring();
  };
  alone.set(alarm, setTimeout(ring, delay));
}

/**
 * Takes it off again; nothing happens when it is not on the list. The timer goes with the last alarm. While others
 * wait it stays armed for the earliest there was: a wake-up too many is cheaper than arming anew at each cancel.
 */
export function clearAlarm(alarm: Alarm): void {
  dropAlarm(alarm);
  if (alarms.size === 0) disarm();
}

/**
 * The same, and the timer stays as it is: for alarms that come and go often, since setting and clearing a timer costs
 * more than waking up once for nothing (bench/settled).
 */
export function dropAlarm(alarm: Alarm): void {
  alarms.remove(alarm);
  if (alone.size > 0) {
    clearTimeout(alone.get(alarm));
    alone.delete(alarm);
  }
}

/** Whole milliseconds, up; but not for the last bit of a sum of fractions. */
function delayTo(when: number, at: number): number {
  return Math.min(Math.max(Math.ceil(when - at - 1e-6), 1), MAX_DELAY);
}

/** The platform's timers are not touched from now on: what sets and clears alarms may be ended in the middle. */
export function holdTimer(): void {
  isHeld = true;
}

/** The timer is set again as the alarms want it. */
export function releaseTimer(): void {
  isHeld = false;
  const first = alarms.peek();
  if (first === undefined) disarm();
  else armFor(first, now());
}

/**
 * After execution has been ended at a place that nobody knows, which may lie in here, the timer being held: the alarms that there
 * were are in order again.
 */
export function repairAlarms(): void {
  alarms.repair();
  if (ringing !== undefined && ringing.slot < 0) alarms.push(ringing);
  ringing = undefined;
}

function disarm(): void {
  if (armed === undefined || isHeld) return;
  // A timer of another clock, as tests put them in and take them away, is not for this clock to clear.
  if (armed.by === setTimeout) clearTimeout(armed.timer);
  armed = undefined;
}

function arm(target: number, at: number): void {
  if (isHeld) return;
  disarm();
  const delay = delayTo(target, at);
  const next: Armed = { timer: undefined, target: Math.min(target, at + delay), by: setTimeout };
  // Not as an argument of the timer: not every fake hands those on.
  const timer = setTimeout(() => {
    wake(next);
  }, delay);
  (timer as { unref?: () => void }).unref?.();
  next.timer = timer;
  armed = next;
}

/** @param by what was armed; one that another clock has left behind says nothing about what is armed now */
function wake(by: Armed): void {
  const at = by === armed ? wokenAt() : now();
  if (by === armed) armed = undefined;
  ringDue(at);
  const first = alarms.peek();
  if (first !== undefined) armFor(first, at);
}

/**
 * Arms the timer for this alarm unless it will go off early enough already. One that has not gone off when it should have does not count,
 * nor one that another clock has: a test's fake clock takes its timers away with it.
 */
function armFor(alarm: Alarm, at: number): void {
  if (armed === undefined || armed.by !== setTimeout || alarm.when < armed.target || armed.target < at)
    arm(alarm.when, at);
}

/** What time it is for the alarms, when the timer says that it is time. */
function wokenAt(): number {
  const at = now();
  if (armed === undefined || armed.by !== setTimeout) return at;
  // Node's timers may be up to a millisecond early against the monotonic clock: the clock decides. A test's fake timer,
  // on a clock of its own, is right.
  const faked = armed.by !== platformTimer || armed.target - at > 2;
  return faked ? Math.max(at, armed.target) : at;
}

/**
 * Rings all that is due at `at`, the earliest first. Also for polls, which see a deadline pass before the timer does: of
 * two that passed unseen, the one that passed first ends first.
 */
export function ringDue(at: number): void {
  for (let first = alarms.peek(); first !== undefined && first.when <= at; first = alarms.peek()) {
    ringing = first;
    alarms.remove(first);
    first.ring();
    ringing = undefined;
  }
  if (alarms.size === 0) disarm();
}
