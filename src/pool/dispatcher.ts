/**
 * The way of every task: taken in, kept until a thread is free, handed over, asked to stop, settled. Owns the queue, the
 * staff of threads and the counts; what the public sees of it is pool.ts.
 */
import type { Context } from "../context/context.js";
import { ownerOf } from "../context/derive.js";
import type { Ending } from "../context/ending.js";
import { describe, invalidArg } from "../context/invalid.js";
import { background } from "../context/roots.js";
import { sharedValuesOf } from "../context/with-value.js";
import { type Carried, carry, unpack } from "../workers/carry.js";
import {
  CANCELED,
  CANCELED_WITH_CAUSE,
  DROPPED,
  EXPIRED,
  EXPIRED_WITH_CAUSE,
  KILLING,
  type LIVE,
  type Notice,
  OFFERED,
  STARTED,
} from "../workers/lane.js";
import type { Deadline, Report } from "../workers/messages.js";
import { Drops } from "./drops.js";
import { PoolError } from "./errors.js";
import {
  announcedCause,
  checkArguments,
  crashed,
  culprit,
  deadlineOf,
  notCloneable,
  transferListOf,
} from "./hand-over.js";
import { Ledger } from "./ledger.js";
import { checkSubmitOptions, type ResolvedOptions } from "./options.js";
import { TaskQueue } from "./queue.js";
import { Staff } from "./staff.js";
import { PoolTask, type TaskHost } from "./task.js";
import type { Death, Thread } from "./thread.js";
import type { Outcome, PoolStats, SubmitOptions } from "./types.js";

/** The longest grace while the pool is being destroyed, ms. */
const DESTROY_GRACE = 1000;

/** A task whose thread dies before it began goes back to the queue, but not for ever: it may be what kills them. */
const MAX_RETRIES = 3;

type Phase = "open" | "closing" | "destroying" | "closed";

export class Dispatcher {
  readonly #options: ResolvedOptions;
  readonly #queue: TaskQueue<PoolTask>;
  readonly #staff: Staff;
  readonly #host: TaskHost;
  readonly #ledger = new Ledger();
  readonly #drops = new Drops();
  #phase: Phase = "open";
  #lastId = 0;
  #closed: Promise<void> | undefined;
  #onQuiet: (() => void) | undefined;
  #carried: { readonly ending: Ending; readonly cause: Carried | undefined } | undefined;

  /** Starts the threads. Throws what `new Worker` throws for options it does not take. */
  constructor(options: ResolvedOptions) {
    this.#options = options;
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
    try {
      this.#staff.fill();
    } catch (error) {
      void this.destroy();
      throw error;
    }
  }

  /** As Pool.ready, without the context. */
  ready(): Promise<void> {
    return this.#phase === "open" ? this.#staff.ready() : Promise.reject(this.#closedError());
  }

  stats(): PoolStats {
    const threads = Math.min(this.#staff.usable, this.#options.threads);
    return {
      threads,
      idle: Math.max(0, threads - this.#staff.busy),
      stuck: this.#ledger.stuck,
      queued: this.#queue.size,
      running: this.#ledger.running,
      submitted: this.#ledger.submitted,
      started: this.#ledger.started,
      outcomes: { ...this.#ledger.outcomes },
    };
  }

  /** Takes no more tasks; resolves when those there are have settled and the threads have gone. */
  close(): Promise<void> {
    if (this.#phase === "open") this.#phase = "closing";
    return this.#shutDown();
  }

  /** Cancels what is queued and running. `why` is the reason of the reason. */
  cancelAll(why?: unknown): void {
    const reason = this.#closedError(why === undefined ? undefined : { cause: why });
    for (const task of this.#staff.tasks()) task.cancel(reason);
    for (let task = this.#queue.peek(); task !== undefined; task = this.#queue.peek()) {
      task.cancel(reason);
      this.#dropQueued(task);
    }
  }

  destroy(): Promise<void> {
    if (this.#phase !== "closed") {
      this.#phase = "destroying";
      this.cancelAll();
      // Those that were asked to stop before may have been given longer.
      for (const task of this.#staff.tasks())
        if (task.scope.ending !== null) task.startGrace(this.#graceOf(task));
    }
    return this.#shutDown();
  }

  #closedError(options?: ErrorOptions): PoolError {
    return new PoolError("ERR_POOL_CLOSED", `${this.#options.name}: the pool is closed`, options);
  }

  // ---- from submission to the thread

  /** Never throws: whatever is wrong, the task's result rejects. `where` is the public function, for the messages. */
  submit(
    where: string,
    ctx: Context,
    name: string,
    args: readonly unknown[],
    options?: SubmitOptions,
  ): PoolTask {
    try {
      const owner = ownerOf(`${where}: ctx`, ctx);
      if (typeof name !== "string") throw invalidArg(`${where}: name`, "the name of a task", name);
      if (!Array.isArray(args)) throw invalidArg(`${where}: args`, "an array", args);
      if (options !== undefined) checkSubmitOptions(where, options);
      checkArguments(name, args);
      this.#admit(name);
      const task = new PoolTask(this.#host, ++this.#lastId, ctx, owner, name, args, options);
      this.#ledger.submitted++;
      if (task.scope.ending !== null) {
        this.#drop(task);
      } else {
        this.#queue.push(task);
        this.#dispatch();
      }
      return task;
    } catch (error) {
      // Not accepted, and not counted: a handle that has settled.
      const task = new PoolTask(
        this.#host,
        ++this.#lastId,
        background,
        null,
        typeof name === "string" ? name : describe(name),
        [],
      );
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
      throw new PoolError(
        "ERR_QUEUE_FULL",
        `${this.#options.name}: the queue is full: queued ${this.#queue.size}, maxQueue ${maxQueue}`,
      );
    }
  }

  #unknown(name: string, names: ReadonlySet<string>): PoolError {
    const known = [...names].map((each) => JSON.stringify(each)).join(", ");
    return new PoolError(
      "ERR_UNKNOWN_TASK",
      `${this.#options.name}: the task module exports no function ${JSON.stringify(name)}; it exports ${known === "" ? "none" : known}`,
    );
  }

  #dispatch(): void {
    while (this.#staff.busy < this.#options.threads) {
      const task = this.#queue.peek();
      if (task === undefined) return;
      // A deadline may have passed with no timer run yet. Or the `cancel()` we are in has not come to this one.
      if (task.scope.poll() !== null) {
        this.#dropQueued(task);
        continue;
      }
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
      const { names } = this.#staff;
      if (names !== undefined && !names.has(task.name)) throw this.#unknown(task.name, names);
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
    this.#ledger.handedOver();
    thread.run(task, deadline, values, transferListOf(task));
  }

  // ---- from the context's end to the thread

  #ended(task: PoolTask): void {
    if (task.outcome !== undefined) return;
    const { thread } = task;
    if (thread === undefined) {
      // Born ended, it is not in the queue yet: `submit` drops it.
      if (task.slot < 0) return;
      this.#dropQueued(task);
      return;
    }
    const ending = task.scope.ending as Ending;
    const carried = this.#carriedCause(task, ending);
    thread.notify(noticeOf(ending, carried), carried);
    if (thread.move(OFFERED, DROPPED)) {
      // The thread is free again when it has come to see that; the task is over now.
      this.#ledger.neverBegan();
      task.keepProgress();
      task.on(undefined);
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
    this.#ledger.condemned();
    this.#staff.terminate(thread);
    this.#dispatch();
  }

  #dropQueued(task: PoolTask): void {
    if (task.outcome !== undefined) return;
    this.#queue.remove(task);
    this.#drop(task);
  }

  #drop(task: PoolTask): void {
    this.#settle(task, "dropped");
    this.#drops.add(task);
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
    task.on(undefined);
    this.#ledger.running--;
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
        task.rejectWith(
          notCloneable(`the result of task ${JSON.stringify(task.name)}`, unpack(report.error)),
        );
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
    if (task.outcome !== undefined) {
      this.#dispatch();
      return;
    }
    this.#ledger.neverBegan();
    task.on(undefined);
    this.#dispatch();
    const refusal = notCloneable(culprit(task), error);
    this.#settle(task, "failed");
    task.rejectWith(refusal);
  }

  #lost(task: PoolTask, thread: Thread, death: Death): void {
    if (task.outcome !== undefined) return;
    task.keepProgress();
    task.on(undefined);
    if (thread.move(OFFERED, DROPPED)) {
      // It never began: the thread died of something else, and this task shall not suffer for it.
      this.#ledger.neverBegan();
      if (
        task.scope.ending === null &&
        transferListOf(task) === undefined &&
        task.retries < MAX_RETRIES &&
        this.#phase !== "closed"
      ) {
        task.retries++;
        this.#queue.putBack(task);
        return;
      }
      if (task.scope.ending !== null) {
        this.#drop(task);
        return;
      }
    } else if (thread.stands(KILLING)) {
      this.#ledger.stuck--;
      this.#settle(task, "terminated");
      task.rejectWith(task.scope.err());
      return;
    } else {
      this.#ledger.running--;
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
    this.#ledger.outcomes[outcome]++;
    if (this.#onQuiet !== undefined && this.#isQuiet()) this.#onQuiet();
  }

  // ---- the end

  #isQuiet(): boolean {
    return this.#queue.size === 0 && this.#ledger.running === 0 && this.#ledger.stuck === 0;
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

function noticeOf(ending: Ending, carried: Carried | undefined): Exclude<Notice, typeof LIVE> {
  if (carried === undefined) return ending.expired ? EXPIRED : CANCELED;
  return ending.expired ? EXPIRED_WITH_CAUSE : CANCELED_WITH_CAUSE;
}

function takeParcel(thread: Thread): { readonly value: unknown } | PoolError {
  try {
    const parcel = thread.takeParcel();
    return parcel ?? notCloneable("the result", new Error("it did not arrive"));
  } catch (error) {
    return notCloneable("the result", error);
  }
}
