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
let armed: { readonly timer: Timer; readonly target: number } | undefined;

/**
 * Puts the alarm on the list. It never keeps the process alive.
 *
 * @param at the time now, which the caller has just read
 */
export function setAlarm(alarm: Alarm, at: number): void {
  alarms.push(alarm);
  // A target that lies behind belongs to a blocked event loop, or to a fake timer that its test took away: arm anew.
  if (armed === undefined || alarm.when < armed.target || armed.target < at) arm((alarms.peek() ?? alarm).when, at);
}

/**
 * Takes it off again; nothing happens when it is not on the list. The timer goes with the last alarm. While others
 * wait it stays armed for the earliest there was: a wake-up too many is cheaper than arming anew at each cancel.
 */
export function clearAlarm(alarm: Alarm): void {
  alarms.remove(alarm);
  if (alarms.size === 0) disarm();
}

function disarm(): void {
  if (armed === undefined) return;
  clearTimeout(armed.timer);
  armed = undefined;
}

function arm(target: number, at: number): void {
  disarm();
  const delay = Math.min(Math.max(Math.ceil(target - at), 1), MAX_DELAY);
  const timer = setTimeout(wake, delay);
  (timer as { unref?: () => void }).unref?.();
  armed = { timer, target: Math.min(target, at + delay) };
}

/**
 * Node's timers may be up to a millisecond early against the monotonic clock. One that is earlier than this runs on
 * a clock of its own, as when a test fakes the timers and not `performance`: then the timer is right.
 */
const EARLY = 2;

function wake(): void {
  const target = armed?.target ?? Number.NEGATIVE_INFINITY;
  armed = undefined;
  let at = now();
  if (target - at > EARLY) at = target;
  for (let first = alarms.peek(); first !== undefined && first.when <= at; first = alarms.peek()) {
    alarms.remove(first);
    first.ring();
  }
  const first = alarms.peek();
  // What rang may have armed the timer already, for something earlier.
  if (first !== undefined && (armed === undefined || first.when < (armed as { target: number }).target)) arm(first.when, at);
}
