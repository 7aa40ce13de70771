/**
 * One call of a task function, on the main thread's side: its context, where it stands, how it ended. What is done with the
 * answer is the subclass's: a task of its own (task.ts) or an item of a batch (batch-item.ts).
 */
import { type Alarm, dropAlarm, setAlarm } from "../context/alarms.js";
import { now } from "../context/clock.js";
import type { Context } from "../context/context.js";
import { DeadlineWatch } from "../context/deadline.js";
import { Ending, over } from "../context/ending.js";
import { Node } from "../context/node.js";
import { CANCELED, DROPPED, EXPIRED, noticeWord, OFFERED } from "../workers/lane.js";
import type { StandIn } from "../workers/stand-in.js";
import type { Thread } from "./thread.js";
import type { Outcome, SubmitOptions } from "./types.js";

/** What a job tells its pool. */
export interface JobHost {
  /** Its context has ended; called inside the `cancel()` that did it, or from the timer of the deadline. */
  ended(job: Job): void;
  /** It has overrun its grace. */
  overran(job: Job): void;
}

/** The job's own context: ends with the one it was submitted with, or alone. */
class JobScope extends Node {
  readonly #job: Job;
  /** The notice of its place, and the epoch there: at hand for the store that must not wait. */
  words: Int32Array | undefined = undefined;
  epoch = 0;

  constructor(parent: Context, owner: Node | null, job: Job) {
    super(parent, owner, owner === null ? null : owner.watch);
    this.#job = job;
  }
  override get listens(): boolean {
    return true;
  }
  /**
   * A loop in another thread is waiting for this store: nothing goes before it. And those that wait behind that loop are
   * dropped here, before it hears of anything and its thread comes to them.
   */
  protected override marked(ending: Ending): void {
    const { words } = this;
    if (words === undefined) return;
    if (ending.given() === undefined) words[0] = noticeWord(this.epoch, ending.expired ? EXPIRED : CANCELED);
    const { thread, place } = this.#job;
    if (place > 0) thread?.move(place, OFFERED, DROPPED);
  }
  protected override ended(): void {
    super.ended();
    this.#job.host.ended(this.#job);
  }
  override get label(): string {
    return `task(${this.#job.name})`;
  }
}

/** Waits for the grace to be over. */
class GraceAlarm implements Alarm {
  slot = -1;
  readonly when: number;
  readonly #job: Job;

  constructor(when: number, job: Job) {
    this.when = when;
    this.#job = job;
  }
  ring(): void {
    this.#job.host.overran(this.#job);
  }
}

const noOptions: SubmitOptions = {};

const noArguments: readonly unknown[] = [];

const noStandIns: readonly StandIn[] = [];

export abstract class Job {
  readonly name: string;
  /** Let go of with the end of the job: handles may be kept for long, arguments may be big. */
  args: readonly unknown[];
  readonly options: SubmitOptions;
  readonly host: JobHost;
  readonly scope: JobScope;
  /** Where it runs; undefined before and after. */
  thread: Thread | undefined = undefined;
  /** Its place in the thread's lane. */
  place = 0;
  outcome: Outcome | undefined = undefined;
  /**
   * Hand-overs of envelopes that came to nothing: their thread died before any of it had begun, or they could not be posted,
   * for no one's fault. From the first on, it goes alone.
   */
  retries = 0;
  /** Its grace is over, and it has been given another one. */
  isOverrun = false;
  /** It is being stopped hard, and counted as such. */
  isCondemned = false;
  /** It has ended, and its thread ought to have said so. */
  isOverdue = false;
  /** What went to its thread in place of arguments of its. */
  standIns: readonly StandIn[] = noStandIns;
  /** Its thread cuts it off by itself when its deadline and its grace are over. */
  isWatched = false;
  #grace: GraceAlarm | undefined = undefined;

  /** @param owner the node that `parent` hangs on, null where it can never end */
  constructor(
    host: JobHost,
    parent: Context,
    owner: Node | null,
    name: string,
    args: readonly unknown[],
    options = noOptions,
  ) {
    this.host = host;
    this.name = name;
    this.args = args;
    this.options = options;
    this.scope = new JobScope(parent, owner, this);
  }

  /** Its value or its error, once `outcome` is there. Called once. */
  abstract resolveWith(value: unknown): void;
  abstract rejectWith(error: unknown): void;

  /** For messages. */
  get title(): string {
    return `task ${JSON.stringify(this.name)}`;
  }

  /** It has been handed to `thread`. */
  on(thread: Thread, place: number): void {
    const { scope } = this;
    this.thread = thread;
    this.place = place;
    thread.jobs++;
    scope.words = thread.lane.notice(place);
    scope.epoch = thread.epoch;
  }

  /** It is on no thread any more. */
  off(): void {
    if (this.thread !== undefined) this.thread.jobs--;
    this.thread = undefined;
    this.scope.words = undefined;
    if (this.standIns.length === 0) return;
    for (const standIn of this.standIns) standIn.release();
    this.standIns = noStandIns;
  }

  get ctx(): Context {
    return this.scope;
  }

  cancel(cause?: unknown): void {
    if (this.outcome === undefined && this.scope.poll() === null) this.scope.end(new Ending(false, cause));
  }

  /** The worker has seen the deadline pass, so it has, whatever the clock here says: for all who have it. */
  expire(): void {
    const { watch } = this.scope;
    if (watch instanceof DeadlineWatch) watch.ring();
    else watch?.check();
    if (this.scope.ending === null) this.scope.end(new Ending(true, undefined));
  }

  /**
   * Starts what is left of the grace, or starts it again with less.
   *
   * @param grace ms from when the context ended; Infinity: no alarm
   */
  startGrace(grace: number): void {
    const at = now();
    const { ending, watch } = this.scope;
    // A deadline that passed while the event loop was blocked began the grace when it passed.
    const since = ending?.expired === true && watch !== null ? at + Math.min(0, watch.remaining()) : at;
    const when = since + grace;
    if (this.#grace !== undefined) {
      if (this.#grace.when <= when) return;
      dropAlarm(this.#grace);
    }
    if (when === Number.POSITIVE_INFINITY) return;
    this.#grace = new GraceAlarm(when, this);
    if (when <= at) this.#grace.ring();
    else setAlarm(this.#grace, at);
  }

  /** @param grace ms from now */
  startSecondGrace(grace: number): void {
    const at = now();
    this.#grace = new GraceAlarm(at + grace, this);
    setAlarm(this.#grace, at);
  }

  /** Over, as far as everybody who asks is concerned; the value or error follows. */
  end(outcome: Outcome): void {
    this.outcome = outcome;
    if (this.#grace !== undefined) {
      dropAlarm(this.#grace);
      this.#grace = undefined;
    }
    this.scope.end(over);
    this.args = noArguments;
  }
}
