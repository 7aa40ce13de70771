/**
 * The pool: takes tasks, keeps them until a thread is free, hears how they end. Owns the threads and the queue; how a
 * thread is run is thread.ts, how a task is told is task.ts.
 */
import { DeadlineWatch } from "../context/deadline.js";
import type { Context } from "../context/context.js";
import { checkContext, isContext, ownerOf } from "../context/derive.js";
import type { Ending } from "../context/ending.js";
import { invalid, invalidArg } from "../context/invalid.js";
import { Listener } from "../context/listener.js";
import { race } from "../context/race.js";
import { background } from "../context/roots.js";
import { cause } from "../context/with-cancel.js";
import { sharedValuesOf } from "../context/with-value.js";
import { carry, type Carried, unpack } from "../workers/carry.js";
import { CANCELED, CANCELED_WITH_CAUSE, DROPPED, EXPIRED, KILLING, OFFERED, STARTED } from "../workers/lane.js";
import type { Deadline, Report } from "../workers/messages.js";
import { sharedNow } from "../workers/shared-clock.js";
import { transfersOf } from "../workers/transfer.js";
import { PoolError } from "./errors.js";
import { checkSubmitOptions, type PoolOptions, type ResolvedOptions, resolveOptions } from "./options.js";
import { TaskQueue } from "./queue.js";
import { Staff } from "./staff.js";
import { PoolTask, type TaskHost } from "./task.js";
import type { Death, Thread } from "./thread.js";
import type { AnyTasks, Outcome, PoolStats, PoolTasks, Result, SubmitOptions, Task, TaskArgs, TaskName } from "./types.js";

/** The longest grace while the pool is being destroyed, ms. */
const DESTROY_GRACE = 1000;

/** A task whose thread dies before it began goes back to the queue, but not for ever: it may be what kills them. */
const MAX_RETRIES = 3;

type Phase = "open" | "closing" | "destroying" | "closed";

/**
 * Threads that run the exported functions of one module, each under a context.
 *
 * An idle pool burns no CPU and does not keep the process alive; one with queued or running tasks does. Leave it with
 * `await using`, `close()` or `destroy()`, or let the process end by itself.
 *
 * @typeParam M the task module's type: `new Pool<typeof import("./tasks.js")>(…)`
 */
export class Pool<M = AnyTasks> implements AsyncDisposable {
  /** The module's functions, to be called as if they were here: `await pool.tasks.countPrimes(ctx, 1, 1e6)`. */
  readonly tasks: PoolTasks<M>;
  readonly #options: ResolvedOptions;
  readonly #queue: TaskQueue<PoolTask>;
  readonly #staff: Staff;
  readonly #host: TaskHost;
  readonly #outcomes: Record<Outcome, number> = {
    completed: 0,
    failed: 0,
    dropped: 0,
    stopped: 0,
    interrupted: 0,
    terminated: 0,
    crashed: 0,
  };
  #phase: Phase = "open";
  #lastId = 0;
  #submitted = 0;
  #started = 0;
  /** Handed over and not settled, on threads that are not being ended. */
  #running = 0;
  #stuck = 0;
  /** Cancelled in the queue: settled together in a microtask, so that `cancel()` has little to do for each. */
  #firstDropped: PoolTask | undefined;
  #lastDropped: PoolTask | undefined;
  #closed: Promise<void> | undefined;
  #onQuiet: (() => void) | undefined;
  #carried: { readonly ending: Ending; readonly cause: Carried | undefined } | undefined;

  /**
   * Starts the threads and returns without waiting for them; `ready` does.
   *
   * @param module the task module: a file URL, as URL or string, or an absolute path
   * @throws TypeError ERR_INVALID_ARG
   */
  constructor(module: string | URL, options?: PoolOptions) {
    this.#options = resolveOptions(module, options);
    this.#queue = new TaskQueue(this.#options.order);
    this.#host = {
      ended: (task) => {
        this.#ended(task);
      },
      overran: (task) => {
        this.#overran(task);
      },
    };
    this.#staff = new Staff(this.#options, {
      available: () => {
        this.#dispatch();
      },
      broken: (error) => {
        this.#rejectQueued(error);
      },
      reported: (thread, task, report) => {
        this.#reported(thread, task, report);
      },
      refused: (task, error) => {
        this.#refused(task, error);
      },
      lost: (task, thread, death) => {
        this.#lost(task, thread, death);
      },
      waiting: () => this.#queue.size > 0,
    });
    this.tasks = tasksOf(this as unknown as Pool) as PoolTasks<M>;
    try {
      this.#staff.fill();
    } catch (cause) {
      void this.destroy();
      throw invalid(`Pool: options: a thread cannot be started with them: ${String(cause)}`, { cause });
    }
  }

  /**
   * Resolves when all `threads` are up and have loaded the module. Not necessary before `run`, which waits by itself.
   *
   * @param ctx how long to wait; the threads start in any case
   * @returns rejects with PoolError ERR_TASK_MODULE when the module cannot be loaded, ERR_POOL_CLOSED after close, or
   * `ctx.err()`
   */
  async ready(ctx: Context = background): Promise<void> {
    checkContext("Pool.ready: ctx", ctx);
    if (this.#phase !== "open") throw this.#closedError();
    await race(ctx, this.#staff.ready());
  }

  /**
   * Runs the task `name` with a context of its own, a child of `ctx`, and `args`, which are cloned when the task is
   * handed to its thread.
   *
   * @returns the task's result, once it has really stopped: see Task.result. It may resolve after a cancellation; call
   * `ctx.throwIfDone()` where that matters. Never throws: whatever is wrong, the promise rejects.
   */
  run<K extends TaskName<M>>(ctx: Context, name: K, ...args: TaskArgs<M[K]>): Promise<Result<M, K>> {
    return this.#submit("Pool.run", ctx, name, args).result as Promise<Result<M, K>>;
  }

  /**
   * The same with options, and a handle instead of a promise. Never throws: whatever is wrong, `result` rejects.
   */
  submit<K extends TaskName<M>>(ctx: Context, name: K, args: TaskArgs<M[K]>, options?: SubmitOptions): Task<Result<M, K>> {
    return this.#submit("Pool.submit", ctx, name, args, options) as unknown as Task<Result<M, K>>;
  }

  /** A snapshot of what the pool is doing, and has done. */
  stats(): PoolStats {
    const threads = Math.min(this.#staff.usable, this.#options.threads);
    return {
      threads,
      idle: Math.max(0, threads - this.#staff.busy),
      stuck: this.#stuck,
      queued: this.#queue.size,
      running: this.#running,
      submitted: this.#submitted,
      started: this.#started,
      outcomes: { ...this.#outcomes },
    };
  }

  /**
   * Takes no more tasks, finishes what is queued and running, then ends the threads. When `ctx` ends first, the rest
   * is cancelled, with PoolError ERR_POOL_CLOSED as the cause, and stopped hard after its grace.
   *
   * @returns resolves when all that is done, however it was done. Repeated calls wait for the same; the context of
   * each counts. Rejects with TypeError ERR_INVALID_ARG
   */
  async close(ctx: Context = background): Promise<void> {
    const owner = ownerOf("Pool.close: ctx", ctx);
    if (this.#phase === "open") this.#phase = "closing";
    const cancel = (): void => {
      this.#cancelAll(this.#closedError({ cause: cause(ctx) }));
    };
    let listener: Listener | undefined;
    if (owner !== null) {
      if (owner.poll() !== null) cancel();
      // Not inside the `cancel()` that ends `ctx`: its other contexts come first.
      else listener = new Listener(ctx, owner, () => queueMicrotask(cancel));
    }
    await this.#shutDown();
    listener?.detach();
  }

  /**
   * Cancels everything now, with PoolError ERR_POOL_CLOSED as the cause, and ends every thread. Running tasks get
   * their grace, but no more than a second.
   *
   * @returns resolves when the last thread has gone. Repeated calls wait for the same
   */
  async destroy(): Promise<void> {
    if (this.#phase !== "closed") {
      this.#phase = "destroying";
      this.#cancelAll(this.#closedError());
      for (const task of this.#staff.tasks()) if (task.scope.ending !== null) task.startGrace(this.#graceOf(task));
    }
    await this.#shutDown();
  }

  /** `destroy()`: leaving a scope early must not wait for work nobody wants. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy();
  }

  #closedError(options?: ErrorOptions): PoolError {
    return new PoolError("ERR_POOL_CLOSED", `${this.#options.name}: the pool is closed`, options);
  }

  // ---- from submission to the thread

  #submit(where: string, ctx: Context, name: string, args: readonly unknown[], options?: SubmitOptions): PoolTask {
    try {
      const owner = ownerOf(`${where}: ctx`, ctx);
      if (typeof name !== "string") throw invalidArg(`${where}: name`, "the name of a task", name);
      if (!Array.isArray(args)) throw invalidArg(`${where}: args`, "an array", args);
      if (options !== undefined) checkSubmitOptions(where, options);
      this.#admit(name);
      const task = new PoolTask(this.#host, ++this.#lastId, ctx, owner, name, args, options);
      this.#submitted++;
      if (task.scope.ending !== null) {
        this.#drop(task);
      } else {
        this.#queue.push(task);
        this.#dispatch();
      }
      return task;
    } catch (error) {
      // Not accepted, and not counted: a handle that has settled.
      const task = new PoolTask(this.#host, ++this.#lastId, background, null, String(name), []);
      task.end("failed");
      task.rejectWith(error);
      return task;
    }
  }

  /** Throws why the pool does not take a task. */
  #admit(name: string): void {
    if (this.#phase !== "open") throw this.#closedError();
    const { names } = this.#staff;
    if (names !== undefined && !names.has(name)) throw this.#unknown(name, names);
    this.#staff.revive();
    if (this.#staff.broken !== undefined) throw this.#staff.broken;
    const { maxQueue, threads } = this.#options;
    if (maxQueue === Number.POSITIVE_INFINITY) return;
    // Threads that are still coming up will take some of those that wait.
    const waiting = this.#queue.size - Math.max(0, threads - this.#staff.busy);
    if (waiting >= maxQueue) {
      throw new PoolError("ERR_QUEUE_FULL", `${this.#options.name}: the queue is full: ${String(this.#queue.size)} tasks wait, maxQueue is ${String(maxQueue)}`);
    }
  }

  #unknown(name: string, names: ReadonlySet<string>): PoolError {
    const known = [...names].map((each) => JSON.stringify(each)).join(", ");
    return new PoolError("ERR_UNKNOWN_TASK", `${this.#options.name}: the task module exports no function ${JSON.stringify(name)}; it exports ${known === "" ? "none" : known}`);
  }

  #dispatch(): void {
    while (this.#staff.busy < this.#options.threads) {
      const task = this.#queue.peek();
      if (task === undefined) return;
      // A deadline may have passed with no timer run yet; ending the context takes the task out of the queue.
      if (task.scope.poll() !== null) continue;
      const thread = this.#staff.take();
      if (thread === undefined) return;
      this.#queue.remove(task);
      this.#handOver(task, thread);
    }
  }

  #handOver(task: PoolTask, thread: Thread): void {
    let deadline: Deadline | undefined;
    let values: Map<string, unknown> | undefined;
    try {
      this.#check(task);
      // May run code of the user's: a custom context's, the getters of a cause. That may even cancel the task.
      deadline = deadlineOf(task);
      values = sharedValuesOf(task.scope);
      task.scope.throwIfDone();
    } catch (error) {
      this.#staff.putBack(thread);
      if (task.scope.ending !== null) {
        this.#drop(task);
      } else {
        this.#settle(task, "failed");
        task.rejectWith(error);
      }
      return;
    }
    this.#running++;
    this.#started++;
    thread.run(task, deadline, values, transferListOf(task));
  }

  /** Throws what clone errors would not say clearly, or piscina not at all. */
  #check(task: PoolTask): void {
    const { names } = this.#staff;
    if (names !== undefined && !names.has(task.name)) throw this.#unknown(task.name, names);
    const at = task.args.findIndex(isContext);
    if (at < 0) return;
    throw new PoolError("ERR_NOT_CLONEABLE", `task ${JSON.stringify(task.name)}: argument ${String(at + 1)} is a context; a context goes first and nowhere else`);
  }

  // ---- from the context's end to the thread

  #ended(task: PoolTask): void {
    if (task.outcome !== undefined) return;
    const { thread } = task;
    if (thread === undefined) {
      // Born ended, it is not in the queue yet: `submit` drops it.
      if (task.slot < 0) return;
      this.#queue.remove(task);
      this.#drop(task);
      return;
    }
    const ending = task.scope.ending as Ending;
    const carried = this.#carriedCause(task, ending);
    thread.notify(ending.expired ? EXPIRED : carried === undefined ? CANCELED : CANCELED_WITH_CAUSE, carried);
    if (thread.move(OFFERED, DROPPED)) {
      // The thread is free again when it has come to see that; the task is over now.
      this.#running--;
      this.#started--;
      task.keepProgress();
      task.thread = undefined;
      this.#drop(task);
      return;
    }
    this.#staff.expectLoss();
    task.startGrace(this.#graceOf(task));
  }

  /** Made once for all running tasks that end together. */
  #carriedCause(task: PoolTask, ending: Ending): Carried | undefined {
    const given = ending.given();
    // The deadline's own was announced with the task.
    if (given === undefined || (ending.expired && given === announcedCause(task))) return undefined;
    if (this.#carried?.ending !== ending) this.#carried = { ending, cause: carry(given) };
    return this.#carried.cause;
  }

  #graceOf(task: PoolTask): number {
    const grace = task.options.grace ?? this.#options.grace;
    return this.#phase === "destroying" ? Math.min(grace, DESTROY_GRACE) : grace;
  }

  #overran(task: PoolTask): void {
    const { thread } = task;
    // It may have stopped by itself meanwhile, with the news under way: then the claim is not at STARTED any more.
    if (thread === undefined || task.outcome !== undefined || !thread.move(STARTED, KILLING)) return;
    this.#running--;
    this.#stuck++;
    this.#staff.terminate(thread);
    this.#dispatch();
  }

  #drop(task: PoolTask): void {
    this.#settle(task, "dropped");
    // Threaded through the tasks, which are in no queue any more: a batch of them allocates nothing here.
    if (this.#lastDropped === undefined) {
      this.#firstDropped = task;
      queueMicrotask(() => {
        this.#rejectDropped();
      });
    } else {
      this.#lastDropped.next = task;
    }
    this.#lastDropped = task;
  }

  #rejectDropped(): void {
    let task = this.#firstDropped;
    this.#firstDropped = undefined;
    this.#lastDropped = undefined;
    while (task !== undefined) {
      const { next } = task;
      task.next = undefined;
      task.rejectWith(task.scope.err());
      task = next;
    }
  }

  // ---- from the thread to the promise

  #reported(thread: Thread, task: PoolTask, report: Report): void {
    // Dropped after the hand-over: settled long ago.
    if (task.outcome !== undefined) {
      this.#dispatch();
      return;
    }
    const parcel = report.type === "parcel" ? takeParcel(thread) : undefined;
    task.keepProgress();
    task.thread = undefined;
    this.#running--;
    // The thread's next task first: it has been waiting longer than this one's caller.
    this.#dispatch();
    switch (report.type) {
      case "completed":
        this.#settle(task, "completed");
        task.resolveWith(report.value);
        return;
      case "parcel":
        this.#settle(task, parcel instanceof PoolError ? "failed" : "completed");
        if (parcel instanceof PoolError) task.rejectWith(parcel);
        else task.resolveWith(parcel?.value);
        return;
      case "failed":
        this.#settle(task, "failed");
        task.rejectWith(unpack(report.error));
        return;
      case "uncloneable":
        this.#settle(task, "failed");
        task.rejectWith(notCloneable(`the result of task ${JSON.stringify(task.name)}`, unpack(report.error)));
        return;
      case "stopped":
        if (task.scope.ending === null && report.expired) task.expire();
        this.#settle(task, "stopped");
        task.rejectWith(task.scope.err());
        return;
      case "dropped":
        // The claim says so only when #ended moved it: handled above.
        return;
      default:
        report satisfies never;
    }
  }

  #refused(task: PoolTask, error: unknown): void {
    this.#running--;
    this.#started--;
    task.thread = undefined;
    this.#dispatch();
    if (task.outcome !== undefined) return;
    this.#settle(task, "failed");
    task.rejectWith(notCloneable(culprit(task), error));
  }

  #lost(task: PoolTask, thread: Thread, death: Death): void {
    if (task.outcome !== undefined) return;
    task.keepProgress();
    task.thread = undefined;
    if (thread.move(OFFERED, DROPPED)) {
      // It never began: the thread died of something else, and this task shall not suffer for it.
      this.#running--;
      this.#started--;
      if (task.scope.ending === null && transferListOf(task) === undefined && task.retries < MAX_RETRIES && this.#phase !== "closed") {
        task.retries++;
        this.#queue.putBack(task);
        return;
      }
      if (task.scope.ending !== null) {
        this.#drop(task);
        return;
      }
    } else if (thread.stands(KILLING)) {
      this.#stuck--;
      this.#settle(task, "terminated");
      task.rejectWith(task.scope.err());
      return;
    } else {
      this.#running--;
    }
    this.#settle(task, "crashed");
    task.rejectWith(crashed(task.name, death));
  }

  #rejectQueued(error: PoolError): void {
    for (let task = this.#queue.peek(); task !== undefined; task = this.#queue.peek()) {
      this.#queue.remove(task);
      this.#settle(task, "failed");
      task.rejectWith(error);
    }
  }

  /** Every task passes here once, on its way out. */
  #settle(task: PoolTask, outcome: Outcome): void {
    task.end(outcome);
    this.#outcomes[outcome]++;
    if (this.#onQuiet !== undefined && this.#isQuiet()) this.#onQuiet();
  }

  // ---- the end

  #cancelAll(reason: PoolError): void {
    for (const task of this.#staff.tasks()) task.cancel(reason);
    for (let task = this.#queue.peek(); task !== undefined; task = this.#queue.peek()) task.cancel(reason);
  }

  #isQuiet(): boolean {
    return this.#queue.size === 0 && this.#running === 0 && this.#stuck === 0;
  }

  #shutDown(): Promise<void> {
    this.#closed ??= this.#quiet().then(async () => {
      this.#phase = "closed";
      await this.#staff.dismiss(this.#closedError());
    });
    return this.#closed;
  }

  async #quiet(): Promise<void> {
    while (!this.#isQuiet()) {
      await new Promise<void>((resolve) => {
        this.#onQuiet = resolve;
      });
    }
    this.#onQuiet = undefined;
  }
}

/** A proxy rather than the names: they are known only once a thread has loaded the module. */
function tasksOf(pool: Pool): object {
  const functions = new Map<string, (...args: readonly unknown[]) => Promise<unknown>>();
  return new Proxy(Object.freeze(Object.create(null) as object), {
    get(_, name) {
      // What looks like a promise would be awaited by mistake.
      if (typeof name !== "string" || name === "then") return undefined;
      let run = functions.get(name);
      if (run === undefined) {
        run = (ctx, ...args) => pool.run(ctx as Context, name, ...args);
        functions.set(name, run);
      }
      return run;
    },
  });
}

function announcedCause(task: PoolTask): unknown {
  const { watch } = task.scope;
  return watch instanceof DeadlineWatch ? watch.cause : undefined;
}

function deadlineOf(task: PoolTask): Deadline | undefined {
  const { watch } = task.scope;
  if (watch === null) return undefined;
  const left = watch.remaining();
  if (left === Number.POSITIVE_INFINITY) return undefined;
  const given = announcedCause(task);
  return { when: sharedNow() + left, wall: watch.deadline() ?? Date.now() + left, cause: given === undefined ? undefined : carry(given) };
}

function transferListOf(task: PoolTask): readonly object[] | undefined {
  let list = task.options.transfer;
  for (const arg of task.args) {
    const more = transfersOf(arg);
    if (more !== undefined) list = list === undefined ? more : [...new Set([...list, ...more])];
  }
  return list;
}

function takeParcel(thread: Thread): { readonly value: unknown } | PoolError {
  try {
    const parcel = thread.takeParcel();
    return parcel ?? notCloneable("the result", new Error("it did not arrive"));
  } catch (error) {
    return notCloneable("the result", error);
  }
}

function notCloneable(what: string, cause: unknown): PoolError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new PoolError("ERR_NOT_CLONEABLE", `${what} cannot be cloned to the other thread: ${why}`, { cause });
}

/** Names the argument or shared value that stands in the way: clone errors do not. */
function culprit(task: PoolTask): string {
  for (const [name, value] of sharedValuesOf(task.scope) ?? []) {
    if (!isCloneable(value)) return `the value of the shared key ${JSON.stringify(name)}`;
  }
  const at = task.args.findIndex((arg) => !isCloneable(arg));
  const which = at < 0 ? "an argument" : `argument ${String(at + 1)}`;
  return `${which} of task ${JSON.stringify(task.name)}`;
}

function isCloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

function crashed(name: string, { code, error }: Death): PoolError {
  const cause = error ?? new Error(`the thread exited with code ${String(code)}`);
  const why = cause instanceof Error ? cause.message : String(cause);
  return new PoolError("ERR_WORKER_CRASHED", `task ${JSON.stringify(name)}: its thread died under it: ${why}`, { cause });
}
