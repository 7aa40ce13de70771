/** One task on the main thread's side: its context, its promise, its state. What becomes of it is the pool's to say. */
import { type Alarm, dropAlarm, setAlarm } from "../context/alarms.js";
import { now } from "../context/clock.js";
import type { Context } from "../context/context.js";
import { DeadlineWatch } from "../context/deadline.js";
import { Ending } from "../context/ending.js";
import { inspectCustom, Node } from "../context/node.js";
import { CANCELED, EXPIRED, noticeWord } from "../workers/lane.js";
import type { Queued } from "./queue.js";
import type { Thread } from "./thread.js";
import type { Outcome, SubmitOptions, Task, TaskState } from "./types.js";

/** What a task tells its pool. */
export interface TaskHost {
  /** Its context has ended; called inside the `cancel()` that did it, or from the timer of the deadline. */
  ended(task: PoolTask): void;
  /** It has overrun its grace. */
  overran(task: PoolTask): void;
}

/** The task's own context: ends with the one it was submitted with, or alone. */
class TaskScope extends Node {
  readonly #task: PoolTask;
  /** The notice of the lane it runs on, and its epoch there: at hand for the store that must not wait. */
  words: Int32Array | undefined = undefined;
  epoch = 0;

  constructor(parent: Context, owner: Node | null, task: PoolTask) {
    super(parent, owner, owner === null ? null : owner.watch);
    this.#task = task;
  }
  override get listens(): boolean {
    return true;
  }
  /** A loop in another thread is waiting for this store: nothing goes before it. */
  protected override marked(ending: Ending): void {
    const { words } = this;
    if (words !== undefined && ending.given() === undefined) {
      words[0] = noticeWord(this.epoch, ending.expired ? EXPIRED : CANCELED);
    }
  }
  protected override ended(): void {
    super.ended();
    this.#task.host.ended(this.#task);
  }
  override get label(): string {
    return `task(${this.#task.name})`;
  }
}

/** Waits for the grace to be over. */
class GraceAlarm implements Alarm {
  slot = -1;
  readonly when: number;
  readonly #task: PoolTask;

  constructor(when: number, task: PoolTask) {
    this.when = when;
    this.#task = task;
  }
  ring(): void {
    this.#task.host.overran(this.#task);
  }
}

type Settled =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "error"; readonly error: unknown };

const noOptions: SubmitOptions = {};

/** How the context of a task ends that has settled before: with the task. One for all. */
const over = new Ending(false, undefined);

export class PoolTask implements Task<unknown>, Queued<PoolTask> {
  readonly id: number;
  readonly name: string;
  /** Let go of with the end of the task: handles may be kept for long, arguments may be big. */
  args: readonly unknown[];
  readonly options: SubmitOptions;
  readonly host: TaskHost;
  readonly scope: TaskScope;
  readonly priority: number;
  readonly deadline: number;
  next: PoolTask | undefined = undefined;
  prev: PoolTask | undefined = undefined;
  slot = -1;
  /** Where it runs; undefined before and after. */
  thread: Thread | undefined = undefined;
  outcome: Outcome | undefined = undefined;
  /** Hand-overs that its thread did not survive. */
  retries = 0;
  #progress = 0;
  /** Whether the context had ended before the task was over. */
  #cancelled = false;
  #settled: Settled | undefined = undefined;
  #grace: GraceAlarm | undefined = undefined;
  #promise: Promise<unknown> | undefined = undefined;
  #resolve: ((value: unknown) => void) | undefined = undefined;
  #reject: ((error: unknown) => void) | undefined = undefined;

  /** @param owner the node that `parent` hangs on, null where it can never end */
  constructor(
    host: TaskHost,
    id: number,
    parent: Context,
    owner: Node | null,
    name: string,
    args: readonly unknown[],
    options = noOptions,
  ) {
    this.host = host;
    this.id = id;
    this.name = name;
    this.args = args;
    this.options = options;
    this.priority = options.priority ?? 0;
    this.deadline =
      owner === null || owner.watch === null ? Number.POSITIVE_INFINITY : now() + owner.watch.remaining();
    this.scope = new TaskScope(parent, owner, this);
  }

  /** It has been handed to `thread`, or, with undefined, is on none any more. */
  on(thread: Thread | undefined): void {
    this.thread = thread;
    this.scope.words = thread?.notice;
    this.scope.epoch = thread?.epoch ?? 0;
  }

  get ctx(): Context {
    return this.scope;
  }

  get state(): TaskState {
    if (this.outcome !== undefined) return "settled";
    // The look may drop it, when its deadline has passed in the queue.
    if (this.scope.poll() !== null) return this.#afterEnd();
    return this.thread === undefined ? "queued" : "running";
  }

  #afterEnd(): TaskState {
    return this.outcome === undefined ? "stopping" : "settled";
  }

  get progress(): number {
    return this.thread === undefined ? this.#progress : this.thread.progress;
  }

  /** The last the task told, before its lane goes to the next one. */
  keepProgress(): void {
    this.#progress = this.progress;
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

  get result(): Promise<unknown> {
    if (this.#promise === undefined) {
      this.#promise = new Promise((resolve, reject) => {
        this.#resolve = resolve;
        this.#reject = reject;
      });
      if (this.#settled !== undefined) this.#pass(this.#settled);
    }
    return this.#promise;
  }

  /** Over, as far as everybody who asks is concerned; the promise follows with `deliver`. */
  end(outcome: Outcome): void {
    this.outcome = outcome;
    if (this.#grace !== undefined) {
      dropAlarm(this.#grace);
      this.#grace = undefined;
    }
    this.#cancelled = this.scope.ending !== null;
    this.scope.end(over);
    this.args = [];
  }

  /** What Node prints: not the tree behind the context. */
  [inspectCustom](): object {
    const { id, name, state, outcome, progress } = this;
    return { id, name, state, outcome, progress };
  }

  resolveWith(value: unknown): void {
    this.#deliver({ kind: "value", value });
  }

  rejectWith(error: unknown): void {
    this.#deliver({ kind: "error", error });
  }

  #deliver(settled: Settled): void {
    this.#settled = settled;
    if (this.#promise !== undefined) this.#pass(settled);
    // A failure of its own that nobody asked for shall not go unseen.
    else if (settled.kind === "error" && !this.#cancelled) void this.result;
  }

  #pass(settled: Settled): void {
    if (settled.kind === "value") {
      this.#resolve?.(settled.value);
    } else {
      this.#reject?.(settled.error);
      // By way of a cancellation a result that nobody listens to is no unhandled rejection.
      if (this.#cancelled) this.#promise?.catch(() => {});
    }
    this.#resolve = undefined;
    this.#reject = undefined;
  }
}
