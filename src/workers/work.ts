/**
 * Working through an envelope: one task after the other, and how each ended, told in the lane. Everything a task does
 * wrong ends here: nothing is thrown at piscina, which would lose the error or the thread.
 */
import type { MessagePort } from "node:worker_threads";
import { now } from "../context/clock.js";
import type { Context } from "../context/context.js";
import { prepareEnding } from "../context/ending.js";
import { carry } from "./carry.js";
import { isGivingUp } from "./giving-up.js";
import { EARLY, type Guard, leaveThread } from "./guard.js";
import {
  type Claim,
  DONE,
  DROPPED,
  type Ended,
  FAILED,
  FALSE,
  GUARDED,
  INTERRUPTED,
  INTERRUPTING,
  KILLING,
  type Lane,
  NULL,
  NUMBER,
  OFFERED,
  POSTED,
  REPLIED,
  STARTED,
  STOPPED,
  STOPPED_EXPIRED,
  TRUE,
  UNCLONEABLE,
  UNDEFINED,
} from "./lane.js";
import type { Mailbox } from "./mailbox.js";
import { BY_LETTER, type Envelope, type Parcel, type Reply, type Terms } from "./messages.js";
import { dueOf } from "./notice-watch.js";
import type { Place } from "./place.js";
import { Probe } from "./probe.js";
import { TaskNode } from "./task-context.js";
import { isThenable } from "./thenable.js";
import { refuseDetached, transfersOf } from "./transfer.js";
import { valuesOf } from "./values.js";

export type TaskFunction = (ctx: Context, ...args: readonly unknown[]) => unknown;

/** What a thread has for its whole life. */
export interface Seat {
  readonly lane: Lane;
  readonly mailbox: Mailbox;
  readonly tasks: Map<string, TaskFunction>;
  /** Made when first asked for; undefined where there can be none. */
  readonly guard: () => Guard | undefined;
  /** The task that has begun and not ended. */
  current: Run | undefined;
}

/** One task, from its beginning to its end. */
interface Run {
  readonly task: TaskNode;
  readonly place: Place;
  readonly fn: TaskFunction;
  readonly args: readonly unknown[];
  /** Where the arguments are instead. */
  readonly letter: Opened | undefined;
  /** False also of one that was dropped, or taken back: it never does. */
  hasBegun: boolean;
  /** What it returned, once it has, if that is a promise. */
  promise: PromiseLike<unknown> | undefined;
  /** It has ended by itself, and how stands in the lane. */
  isReported: boolean;
}

/** What tasks under the same terms have in common. */
interface Common {
  readonly terms: Terms;
  readonly values: Context;
  readonly when: number;
  /** There is one where the task is being measured; such tasks share their terms with nobody. */
  readonly probe: Probe | null;
}

export class Work {
  readonly #seat: Seat;
  readonly #envelope: Envelope;
  readonly #common: readonly Common[];
  /** The place of the next task, and where in the calls it begins. */
  #at = 0;
  #cursor = 0;
  /** When the last task ended, on this thread's clock: read once a task. */
  #since = now();
  #reply: Reply = true;
  /** What its tasks run in; undefined where none of them shall be cut off, or none can. */
  readonly #guard: Guard | undefined;

  constructor(seat: Seat, envelope: Envelope) {
    this.#seat = seat;
    this.#envelope = envelope;
    this.#guard = envelope.guarded === undefined ? undefined : seat.guard();
    this.#common = envelope.terms.map((terms) => ({
      terms,
      values: valuesOf(terms.values),
      when: dueOf(terms.deadline),
      probe: terms.probe === undefined ? null : new Probe(terms.probe),
    }));
  }

  /** Runs the tasks that are left; the answer waits for those that return a promise. */
  proceed(): Reply | Promise<Reply> {
    const guard = this.#guard;
    if (guard === undefined) return this.#runAll();
    // All letters, so that none is in between when a task that takes a message out of the port is cut off.
    if (this.#envelope.count > 1) this.#seat.mailbox.fetch();
    while (this.#at < this.#envelope.count) {
      let answer: Reply | Promise<Reply> | undefined;
      guard.run(() => {
        answer = this.#runAll();
      });
      answer ??= this.#afterCut(guard);
      if (answer !== undefined) return answer;
    }
    return this.#close();
  }

  #runAll(): Reply | Promise<Reply> {
    while (this.#at < this.#envelope.count) {
      const pending = this.#runNext();
      if (pending !== undefined) return pending.then(() => this.proceed());
    }
    return this.#close();
  }

  #close(): Reply {
    this.#seat.mailbox.clear();
    return this.#reply;
  }

  #runNext(): Promise<void> | undefined {
    const { lane, mailbox, tasks } = this.#seat;
    const { epoch, names, calls } = this.#envelope;
    const at = this.#at++;
    const name = names[calls[this.#cursor++] as number] as string;
    const common = this.#common[calls[this.#cursor++] as number] as Common;
    const count = calls[this.#cursor++] as number;
    const first = this.#cursor;
    if (count !== BY_LETTER) this.#cursor += count;
    if (this.#since >= common.when) lane.move(epoch, at, OFFERED, DROPPED);
    // What is not the task's own is done before it begins: from then on it may be cut off.
    const isMail = count === BY_LETTER && lane.stands(epoch, at, OFFERED);
    const letter = isMail ? openLetter(mailbox, epoch, at) : undefined;
    const values = letter === undefined ? common.values : valuesOf(letter.values);
    const place: Place = { lane, mailbox, epoch, at, isLeft: false };
    const { probe } = common;
    const fn = tasks.get(name) as TaskFunction;
    const run: Run = {
      place,
      task: new TaskNode(place, common.terms, values, common.when, probe),
      fn: probe === null ? fn : probe.around(fn),
      args: calls.slice(first, this.#cursor),
      letter,
      hasBegun: false,
      promise: undefined,
      isReported: false,
    };
    const { watchdog } = common.terms;
    const isOver =
      this.#guard === undefined || watchdog === undefined
        ? this.#call(run)
        : this.#callWatched(run, this.#guard, common.when + watchdog);
    if (!isOver) return never();
    if (!run.hasBegun) return undefined;
    if (run.promise !== undefined) return this.#settle(run, run.promise);
    this.#leave(run);
    return undefined;
  }

  /** Begins the task. False when the pool is ending this thread: it must not take another one. */
  #call(run: Run): boolean {
    const { lane, epoch, at } = run.place;
    // Here, where nothing lies between this and the function: from now on it may be cut off.
    run.hasBegun = lane.move(epoch, at, OFFERED, this.#guard === undefined ? STARTED : GUARDED);
    if (!run.hasBegun) return true;
    this.#seat.current = run;
    // The first one does not count what it took this thread to wake up.
    if (at === 0) this.#since = now();
    try {
      const result = run.fn(run.task, ...(run.letter === undefined ? run.args : run.letter.open()));
      if (isThenable(result)) return this.#awaits(run, result);
      return this.#finish(run, this.#reportValue(run, result), result);
    } catch (error) {
      return this.#finish(run, this.#reportError(run, error), error);
    }
  }

  /** The same, and cuts it off at `when`, on this thread's clock, if nobody has before. */
  #callWatched(run: Run, guard: Guard, when: number): boolean {
    let isOver: boolean | undefined;
    const isWhole = guard.run(
      () => {
        isOver = this.#call(run);
      },
      Math.max(0, when - now()),
    );
    if (isWhole) return isOver as boolean;
    const { lane, epoch, at } = run.place;
    if (guard.isLeaving) return leaveAfterCut(guard, run.place);
    // It had not begun, was over, or waiting for its promise, when the time came.
    if (!run.hasBegun) {
      lane.move(epoch, at, OFFERED, DROPPED);
      return true;
    }
    if (lane.stands(epoch, at, DONE) || lane.stands(epoch, at, STARTED)) return true;
    const isDue = now() > when - EARLY;
    const isPools = lane.stands(epoch, at, INTERRUPTING);
    if (isDue !== isPools) return this.#wasCut(run, isPools ? INTERRUPTING : GUARDED);
    // Where both were due nobody knows which of the two it was: the pool's may be under way still. Where neither was, this
    // thread is being ended, or somebody else has done it.
    return leaveAfterCut(guard, run.place);
  }

  /**
   * What was run under the guard has been cut off: by the pool, while it was at a task. Or by somebody else, a debugger perhaps,
   * anywhere: then nobody knows what state this thread is in.
   */
  #afterCut(guard: Guard): Promise<Reply> | undefined {
    const run = this.#seat.current;
    if (run === undefined) return leaveThread();
    const { lane, epoch, at } = run.place;
    // What has been cut off then may be the listener that tells of it.
    if (guard.isLeaving) return leaveAfterCut(guard, run.place);
    if (lane.stands(epoch, at, KILLING)) return never();
    if (!lane.stands(epoch, at, INTERRUPTING)) return leaveThread();
    if (!this.#wasCut(run, INTERRUPTING)) return never();
    if (run.promise !== undefined) return this.#settle(run, run.promise).then(() => this.proceed());
    this.#leave(run);
    return undefined;
  }

  /** It has been cut off with its claim at `from`. A task that had ended by itself has done so all the same. */
  #wasCut(run: Run, from: Claim): boolean {
    const { lane, epoch, at } = run.place;
    if (!run.isReported && run.promise === undefined) return this.#finish(run, INTERRUPTED, undefined, from);
    return lane.move(epoch, at, from, run.isReported ? DONE : STARTED) || this.#outlast(run.place);
  }

  /** The function has returned a promise: from now on it is not cut off. */
  #awaits(run: Run, promise: PromiseLike<unknown>): boolean {
    const { lane, epoch, at } = run.place;
    lane.awaits(epoch, at);
    run.promise = promise;
    if (this.#guard === undefined || lane.move(epoch, at, GUARDED, STARTED)) return true;
    return this.#outlast(run.place);
  }

  #settle(run: Run, promise: PromiseLike<unknown>): Promise<void> {
    run.task.awaits();
    const settled = (ended: Ended, value: unknown): Promise<never> | undefined => {
      if (!this.#finish(run, ended, value, STARTED)) return never();
      this.#leave(run);
      return undefined;
    };
    return Promise.resolve(promise).then(
      (value) => settled(this.#reportValue(run, value), value),
      (error: unknown) => settled(this.#reportError(run, error), error),
    );
  }

  /**
   * Tells how the task ended. Whatever could be posted is by now: cloning a result may take long and runs getters of the
   * user's, so the claim moves to DONE, and the task out of the reach of a hard stop, only here.
   *
   * @returns false when the pool was quicker, and is ending this thread
   */
  #finish(
    run: Run,
    ended: Ended,
    value?: unknown,
    from: Claim = this.#guard === undefined ? STARTED : GUARDED,
  ): boolean {
    const { lane, epoch, at } = run.place;
    const since = this.#since;
    this.#since = now();
    lane.report(at, ended, ended === NUMBER ? (value as number) : 0, this.#since - since);
    run.isReported = true;
    return lane.move(epoch, at, from, DONE) || this.#outlast(run.place);
  }

  /**
   * The pool was quicker. It is ending this thread: false. Or a cut is under way: this waits for it, and does not return then, since
   * it is what is cut off.
   */
  #outlast({ lane, epoch, at }: Place): false {
    lane.sleepWhile(epoch, at, INTERRUPTING);
    return false;
  }

  /** Lets go of its place. */
  #leave({ task }: Run): void {
    this.#seat.current = undefined;
    const { ending } = task;
    task.over();
    // When the report is on its way: making an error takes longer than posting one.
    if (ending !== null) setImmediate(prepareEnding);
  }

  #reportValue({ task, place }: Run, value: unknown): Ended {
    switch (typeof value) {
      case "undefined":
        return UNDEFINED;
      case "boolean":
        return value ? TRUE : FALSE;
      case "number":
        return NUMBER;
      case "string":
      case "bigint":
        // Sure to be cloneable, so it may go in the reply, if nothing can take the thread down before that is sent: no other
        // task, nor the pool.
        if (place.at === this.#envelope.count - 1 && task.poll() === null) {
          this.#reply = value;
          return REPLIED;
        }
        break;
      default:
        if (value === null) return NULL;
    }
    try {
      this.#post(place, value, transfersOf(value));
      return POSTED;
    } catch (error) {
      this.#post(place, carry(error));
      return UNCLONEABLE;
    }
  }

  #reportError({ task, place }: Run, error: unknown): Ended {
    const ending = task.poll();
    if (ending !== null && isGivingUp(task, error)) return ending.expired ? STOPPED_EXPIRED : STOPPED;
    this.#post(place, carry(error));
    return FAILED;
  }

  #post({ mailbox, epoch, at }: Place, value: unknown, transfers?: readonly object[]): void {
    const parcel: Parcel = { epoch, place: at, value };
    refuseDetached(transfers);
    mailbox.port.postMessage(parcel, transfers as Parameters<MessagePort["postMessage"]>[1]);
  }
}

interface Opened {
  readonly values: Terms["values"];
  /** The arguments. Throws why they are not there. */
  open(): readonly unknown[];
}

/** Whether the pool has sent a cut, or is about to. */
export function isInterrupting({ lane, epoch, at }: Place): boolean {
  return lane.stands(epoch, at, INTERRUPTING);
}

/** Says that the task was being cut off when its thread had to end. */
export function abandon({ lane, epoch, at }: Place): void {
  lane.move(epoch, at, GUARDED, INTERRUPTING);
}

/**
 * This thread is ending under its task, which is not cut off from now on: a cut that meets the end of a thread may end the process
 * (MainThreadInterface::Post of Node 20 to 26). One that is under way is waited for, and cuts off `process.exit`.
 *
 * @param isOwn behind the guard, or what was under way has come: there is nothing to wait for
 */
export function exitUnder({ lane, epoch, at }: Place, isOwn: boolean): void {
  // As if the function had returned a promise.
  lane.awaits(epoch, at);
  if (!lane.move(epoch, at, GUARDED, STARTED) && !isOwn) lane.sleepWhile(epoch, at, INTERRUPTING);
}

/** So long after the claim says that a cut will be sent it has come for sure, ms: it is sent in the next statement. */
const SENT = 10;

/** Ends this thread. A cut of the pool's that may be under way is waited for, see `exitUnder`. */
function leaveAfterCut(guard: Guard, place: Place): never {
  guard.run(() => {
    exitUnder(place, false);
  }, SENT);
  return leaveThread();
}

/** Of a thread that is about to end. */
function never(): Promise<never> {
  return new Promise(() => {});
}

function openLetter(mailbox: Mailbox, epoch: number, at: number): Opened {
  try {
    const letter = mailbox.letter(epoch, at);
    if (letter === undefined) throw new Error("the arguments did not arrive");
    return { values: letter.values, open: () => letter.args };
  } catch (error) {
    // Something in it could be cloned on the other side, and not on this one.
    return {
      values: undefined,
      open: () => {
        throw error;
      },
    };
  }
}
