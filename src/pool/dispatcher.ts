/**
 * The way of every task: taken in, kept until a thread is free, handed over, asked to stop, settled. Owns the queue, the
 * staff of threads and the counts; what the public sees of it is pool.ts.
 */
import { now } from "../context/clock.js";
import type { Context } from "../context/context.js";
import { ownerOf } from "../context/derive.js";
import type { Ending } from "../context/ending.js";
import { describe, invalidArg } from "../context/invalid.js";
import { background } from "../context/roots.js";
import { DROPPED, INTERRUPTING, OFFERED, PLACES } from "../workers/lane.js";
import type { Reply } from "../workers/messages.js";
import { hasStandIn } from "../workers/stand-in.js";
import { Causes, noticeOf } from "../workers/terms.js";
import { Admission } from "./admission.js";
import { type BatchHost, PoolBatch } from "./batch.js";
import { BatchItem } from "./batch-item.js";
import type { PoolError } from "./errors.js";
import { Escalation } from "./escalation.js";
import { Exits } from "./exits.js";
import { checkArguments, checkInput, crashed, refusal, refusals, transferListOf } from "./hand-over.js";
import type { Job, JobHost } from "./job.js";
import { Ledger } from "./ledger.js";
import type { Finished, Load } from "./load.js";
import { Lookout } from "./lookout.js";
import { type ResolvedOptions, resolveMapOptions, resolveSubmitOptions } from "./options.js";
import { Pace, SMALL } from "./pace.js";
import { Packing } from "./packing.js";
import { TaskQueue } from "./queue.js";
import { checkInputs } from "./source.js";
import { Staff } from "./staff.js";
import { PoolTask } from "./task.js";
import type { Death, Thread } from "./thread.js";
import type { Waiting } from "./turn.js";
import type { MapOptions, PoolEstimate, PoolStats, SubmitOptions } from "./types.js";

/** A task whose thread dies before it began goes back to the queue, but not for ever: it may be what kills them. */
const MAX_RETRIES = 3;

type Phase = "open" | "closing" | "destroying" | "closed";

export class Dispatcher {
  readonly #options: ResolvedOptions;
  readonly #queue: TaskQueue<Waiting>;
  readonly #staff: Staff;
  readonly #jobHost: JobHost;
  readonly #batchHost: BatchHost;
  readonly #ledger = new Ledger();
  readonly #pace = new Pace();
  readonly #batches = new Set<PoolBatch>();
  readonly #exits = new Exits(this.#ledger, () => this.#batches.size > 0);
  readonly #causes = new Causes();
  readonly #admission: Admission;
  readonly #escalation: Escalation;
  readonly #lookout = new Lookout(() => this.#lookAround(true));
  #phase: Phase = "open";
  #isDispatching = false;
  /** Off the queue and not yet on their thread: putting an envelope together may run code of the user's. */
  #inHand: readonly Job[] = [];
  #lastId = 0;
  /** Of those in the queue, the turns of batches. */
  #turns = 0;
  #closed: Promise<void> | undefined;

  /** Starts the threads. Throws what `new Worker` throws for options it does not take. */
  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.#queue = new TaskQueue(this.#options.order);
    this.#escalation = new Escalation(options, () => this.#phase === "destroying");
    this.#jobHost = {
      ended: (job) => {
        this.#ended(job);
      },
      overran: (job) => {
        this.#overran(job);
      },
    };
    this.#batchHost = this.#hostOfBatches();
    this.#staff = new Staff(this.#options, {
      available: () => {
        this.#dispatch();
      },
      broken: (error) => {
        this.#rejectQueued(error);
      },
      reported: (load, reply) => {
        this.#reported(load, reply);
      },
      refused: (load, error) => {
        this.#refused(load, error);
      },
      lost: (load, thread, death) => {
        this.#lost(load, thread, death);
      },
      waiting: () => this.#queue.size > 0,
    });
    this.#admission = new Admission(options, this.#staff, {
      waiting: () => this.#waiting,
      queued: () => this.#ledger.queued,
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
    return this.#phase === "open" ? this.#staff.ready() : Promise.reject(this.#admission.closedError());
  }

  /** Those of the module; empty before a thread has loaded it. */
  taskNames(): string[] {
    return [...(this.#staff.names ?? [])];
  }

  stats(): PoolStats {
    this.#lookAround(false);
    const threads = Math.min(this.#staff.usable, this.#options.threads);
    // Those that wait in an envelope behind another one have been handed over, but for whoever asks they wait.
    const behind = this.#staff.loads().reduce((sum, { thread }) => sum + thread.waiting, 0);
    return {
      threads,
      idle: Math.max(0, threads - this.#staff.busy),
      stuck: this.#ledger.stuck,
      queued: this.#ledger.queued + behind,
      running: this.#ledger.running - behind,
      submitted: this.#ledger.submitted,
      started: this.#ledger.started - behind,
      outcomes: { ...this.#ledger.outcomes },
    };
  }

  /** Takes no more tasks; resolves when those there are have settled and the threads have gone. */
  close(): Promise<void> {
    if (this.#phase === "open") {
      this.#phase = "closing";
      this.#admission.close();
      // From now on they wait for no reader.
      for (const batch of this.#batches) this.#advanceSoon(batch);
    }
    return this.#shutDown();
  }

  /** Cancels what is queued and running. `why` is the reason of the reason. */
  cancelAll(why?: unknown): void {
    const reason = this.#admission.closedError(why === undefined ? undefined : { cause: why });
    // One that has no grace frees a thread in here, with a spare at once: nothing of the queue is to get there, unseen by these loops.
    const wasDispatching = this.#isDispatching;
    this.#isDispatching = true;
    try {
      for (const batch of this.#batches) batch.cancel(reason);
      for (const job of this.#handedOver()) job.cancel(reason);
      for (let next = this.#queue.peek(); next !== undefined; next = this.#queue.peek()) {
        if (next instanceof PoolTask) {
          next.cancel(reason);
          this.#dropQueued(next);
        } else {
          next.batch.cancel(reason);
          this.#batchHost.leaveLine(next);
        }
      }
    } finally {
      this.#isDispatching = wasDispatching;
    }
  }

  destroy(): Promise<void> {
    if (this.#phase !== "closed") {
      this.#phase = "destroying";
      this.#admission.close();
      this.cancelAll();
      // Those that were asked to stop before may have been given longer. One that has ended needs none: its news is under way.
      for (const job of this.#handedOver())
        if (job.scope.ending !== null && !job.isOverdue) job.startGrace(this.#escalation.graceOf(job));
    }
    return this.#shutDown();
  }

  /** Those on threads, or on their way there, that have not settled. */
  #handedOver(): Job[] {
    return [...this.#staff.loads().flatMap(({ jobs }) => jobs), ...this.#inHand].filter(
      ({ outcome }) => outcome === undefined,
    );
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
      const resolved = options === undefined ? undefined : resolveSubmitOptions(where, options);
      checkArguments(args, () => `task ${JSON.stringify(name)}`);
      this.#admission.check(name);
      this.#admission.checkRoom();
      const task = new PoolTask(this.#jobHost, ++this.#lastId, ctx, owner, name, args, resolved);
      this.#ledger.tookIn();
      this.#admission.entered();
      if (task.scope.ending !== null) {
        this.#exits.drop(task);
      } else {
        this.#queue.push(task);
        this.#dispatch();
      }
      return task;
    } catch (error) {
      // Not accepted, and not counted: a handle that has settled.
      const task = new PoolTask(
        this.#jobHost,
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

  /** As Pool.waitForRoom. */
  waitForRoom(ctx: Context): Promise<void> {
    return this.#admission.waitForRoom(ctx);
  }

  /** As Pool.estimate. */
  estimate(where: string, ctx: Context, name: string, options: SubmitOptions = {}): PoolEstimate {
    const owner = ownerOf(`${where}: ctx`, ctx);
    if (typeof name !== "string") throw invalidArg(`${where}: name`, "the name of a task", name);
    const { priority } = resolveSubmitOptions(where, options);
    const left = owner === null || owner.watch === null ? Number.POSITIVE_INFINITY : owner.watch.remaining();
    const ahead = this.#queue.ahead(priority ?? 0, now() + left) + this.#behind();
    // The next of the threads is expected to be free after its share of a task.
    const isFree = ahead === 0 && this.#staff.busy < this.#options.threads;
    const wait = isFree ? 0 : ((ahead + 1) * this.#pace.each) / this.#options.threads;
    return { wait, run: this.#pace.whole(name), room: Math.max(0, this.#admission.free) };
  }

  /** Tasks that wait for a thread, or behind another one on a thread. */
  get #waiting(): number {
    return this.#queue.size - this.#turns + this.#behind();
  }

  /** Tasks that wait behind another one on a thread. */
  #behind(): number {
    return this.#staff
      .loads()
      .reduce((sum, load) => sum + (batchOf(load) === undefined ? load.thread.waiting : 0), 0);
  }

  /** Hands over what can be. Looking at contexts runs code of the user's: what that submits is next in the loop. */
  #dispatch(): void {
    if (this.#isDispatching) return;
    this.#isDispatching = true;
    try {
      this.#handOverAll();
    } finally {
      this.#isDispatching = false;
    }
    this.#admission.left();
  }

  #handOverAll(): void {
    while (this.#staff.busy < this.#options.threads) {
      const next = this.#queue.peek();
      if (next === undefined) return;
      // A deadline may have passed with no timer run yet. Or the `cancel()` we are in has not come to this one.
      if (next instanceof PoolTask && next.scope.poll() !== null) {
        this.#dropQueued(next);
        continue;
      }
      const thread = this.#staff.take();
      if (thread === undefined) return;
      if (next instanceof PoolTask) {
        this.#handOver(this.#gather(next), thread);
      } else {
        const { batch } = next;
        this.#batchHost.leaveLine(next);
        this.#handOver(batch.chunk(next), thread, batch);
        // What is next must be read by the time the thread comes back, or others are served before it.
        this.#advanceSoon(batch);
      }
    }
  }

  /** The task that is next, with as many of those behind it as go well into one envelope. */
  #gather(first: PoolTask): PoolTask[] {
    const waiting = this.#queue.size - this.#turns;
    // No more than its share for this thread, so that the others have theirs. But what takes no longer than another
    // hand-over would is shared with those only that have nothing to do.
    const share = Math.ceil(waiting / this.#options.threads);
    const smallShare = Math.ceil(waiting / (1 + Math.max(0, this.#options.threads - this.#staff.busy)));
    this.#queue.remove(first);
    const tasks = [first];
    this.#inHand = tasks;
    let filled = this.#shareOf(first);
    while (tasks.length < PLACES && tasks.length < (filled < SMALL ? smallShare : share)) {
      const next = this.#queue.peek();
      if (!(next instanceof PoolTask)) break;
      if (next.scope.poll() !== null) {
        this.#dropQueued(next);
        continue;
      }
      filled += this.#shareOf(next);
      if (filled > 1) break;
      this.#queue.remove(next);
      tasks.push(next);
    }
    return tasks;
  }

  /** What share of an envelope it fills: 1 or more if it goes alone. */
  #shareOf(task: PoolTask): number {
    if (task.retries > 0 || transferListOf(task) !== undefined || hasStandIn(task.args))
      return Number.POSITIVE_INFINITY;
    return this.#pace.share(task.name);
  }

  #handOver(jobs: readonly Job[], thread: Thread, batch?: PoolBatch): void {
    this.#inHand = jobs;
    const packing = new Packing(this.#escalation);
    for (const job of jobs) {
      try {
        const { names } = this.#staff;
        if (names !== undefined && !names.has(job.name)) throw this.#admission.unknown(job.name, names);
        if (batch !== undefined) {
          checkArguments(job.args, () => job.title);
          checkInput(job.args, () => job.title);
        }
        packing.add(job);
      } catch (error) {
        if (job.scope.ending === null) this.#exits.fail(job, error);
      }
    }
    thread.prepare();
    const { contents, refused } = packing.close((place, args, values) => {
      thread.postLetter(place, args, values);
    });
    this.#inHand = [];
    if (contents.jobs.length === 0) {
      this.#staff.putBack(thread);
      this.#freed(batch);
    } else {
      this.#ledger.handedOver(contents.jobs.length);
      thread.run(contents);
      if (contents.jobs.length > 1) this.#lookout.start();
    }
    for (const job of jobs) {
      if (job.outcome !== undefined) continue;
      if (refused.has(job)) this.#exits.fail(job, refusal(job, refused.get(job)));
      else if (job.scope.ending === null) continue;
      else if (job.thread === undefined) this.#exits.drop(job);
      else this.#ended(job);
    }
  }

  // ---- batches

  /** Throws for bad arguments; whatever else is wrong, its reader gets. */
  map(ctx: Context, name: string, inputs: unknown, options?: MapOptions): PoolBatch {
    const owner = ownerOf("Pool.map: ctx", ctx);
    if (typeof name !== "string") throw invalidArg("Pool.map: name", "the name of a task", name);
    checkInputs("Pool.map: inputs", inputs);
    const resolved = resolveMapOptions(options);
    const { threads } = this.#options;
    const batch = new PoolBatch(this.#batchHost, ctx, owner, name, inputs, resolved, threads);
    this.#batches.add(batch);
    try {
      this.#admission.check(name);
    } catch (error) {
      batch.fail(error);
    }
    this.#advanceSoon(batch);
    return batch;
  }

  #hostOfBatches(): BatchHost {
    return {
      jobs: this.#jobHost,
      isClosing: () => this.#phase !== "open",
      share: (name) => this.#pace.share(name),
      lineUp: (turn) => {
        this.#turns++;
        this.#queue.push(turn);
        this.#dispatch();
      },
      leaveLine: (turn) => {
        if (turn.slot < 0) return;
        this.#turns--;
        this.#queue.remove(turn);
      },
      tookIn: () => {
        this.#ledger.tookIn();
      },
      droppedInputs: (count) => {
        this.#ledger.dropped(count);
      },
      drop: (item) => {
        this.#exits.drop(item);
      },
      over: (batch) => {
        this.#batches.delete(batch);
        this.#exits.tellQuiet();
      },
    };
  }

  /** A thread is through with what it had of the batch. */
  #freed(batch: PoolBatch | undefined): void {
    if (batch === undefined) return;
    batch.freed();
    this.#advanceSoon(batch);
  }

  /** Not at once, where it could do harm: reading inputs runs code of the user's. */
  #advanceSoon(batch: PoolBatch): void {
    queueMicrotask(() => {
      batch.advance();
    });
  }

  // ---- from the context's end to the thread

  #ended(job: Job): void {
    if (job.outcome !== undefined) return;
    const { thread, place } = job;
    if (thread === undefined) {
      // Not in the queue: it is being taken in, or packed, or its batch has it, and is looked at there.
      if (job instanceof PoolTask && job.slot >= 0) this.#dropQueued(job);
      return;
    }
    if (thread.stands(place, DROPPED) || thread.move(place, OFFERED, DROPPED)) {
      // The thread is free again when it has come to see that; the task is over now.
      this.#cameBack(job);
      this.#exits.drop(job);
      this.#admission.left();
      return;
    }
    const ending = job.scope.ending as Ending;
    const notice = noticeOf(ending, job.scope.watch);
    thread.notify(place, notice, this.#causes.of(ending, notice));
    this.#staff.expectLoss();
    job.startGrace(this.#escalation.graceOf(job));
  }

  #overran(job: Job): void {
    const { thread, place } = job;
    if (thread === undefined || job.outcome !== undefined || this.#escalation.cutOff(job, thread)) return;
    // It may have stopped by itself meanwhile: then it cannot be condemned any more, and the news is under way. Unless what it has
    // left behind keeps its thread from sending it.
    if (thread.condemn(place)) this.#condemned(job);
    else if (!this.#isStuck(job, thread)) return;
    const { state } = thread;
    this.#staff.terminate(thread);
    if (state.kind === "busy") {
      // Nothing of this touches those before it, which have ended, nor those behind it, which have not begun.
      const finished = this.#collect(state.load);
      this.#giveBack(state.load.takeBack());
      this.#dispatch();
      this.#exits.settleAll(finished);
    }
    this.#dispatch();
  }

  /**
   * It has ended, and its thread has had the time to say so. Not one that has gone on to what waits behind, and has done nothing: nobody may
   * have looked while the event loop stood still. What can be taken back is, before the look, so that nothing begins after it.
   */
  #isStuck(job: Job, { state }: Thread): boolean {
    if (!this.#escalation.isSilent(job)) return false;
    if (state.kind !== "busy") return true;
    this.#giveBack(state.load.takeBack(job.place + 1));
    if (!state.load.hasBegunBehind(job.place)) return true;
    this.#dispatch();
    return false;
  }

  #condemned(job: Job): void {
    job.isCondemned = true;
    this.#ledger.condemned();
  }

  #dropQueued(task: PoolTask): void {
    if (task.outcome !== undefined) return;
    this.#queue.remove(task);
    this.#exits.drop(task);
    this.#admission.left();
  }

  // ---- from the thread to the promise

  #reported(load: Load, reply: Reply): void {
    const finished = this.#collect(load, reply);
    const batch = batchOf(load);
    // The thread's next task first: it has been waiting longer than this one's caller.
    batch?.freed();
    this.#dispatch();
    this.#exits.settleAll(finished);
    batch?.advance();
  }

  /**
   * Looks how far the threads have got with their envelopes, and settles what has ended.
   *
   * @param isLater some time has passed since the last time: what still waits behind the same task is taken back
   * @returns whether something is still waiting
   */
  #lookAround(isLater: boolean): boolean {
    let isMore = false;
    for (const load of this.#staff.loads()) {
      if (load.jobs.length === 1) continue;
      const finished = this.#collect(load);
      const isUnderWay = load.behind < load.jobs.length;
      if (isLater && load.lingers() && (load.current() !== undefined || this.#isThreadFree))
        this.#giveBack(load.takeBack(load.behind));
      this.#exits.settleAll(finished);
      const batch = batchOf(load);
      if (batch !== undefined) this.#advanceSoon(batch);
      // As of the look above: the thread may be at the last one by now, and the one before it be over.
      if (isUnderWay) isMore = true;
    }
    this.#dispatch();
    return isMore;
  }

  get #isThreadFree(): boolean {
    return this.#staff.usable > this.#staff.busy && this.#staff.busy < this.#options.threads;
  }

  /** What has ended of it since the last look, off its thread and not settled yet. */
  #collect(load: Load, reply?: Reply, isLast = false): Finished[] {
    const finished = load.collect(reply, isLast);
    const at = finished.length === 0 ? 0 : now();
    for (const { job, outcome, took } of finished) {
      job.off();
      this.#ledger.left(job);
      this.#ledger.outcomes[outcome]++;
      // It did not begin.
      if (outcome === "dropped") this.#ledger.started--;
      else this.#pace.took(job.name, took, at, outcome === "completed" && job.scope.ending === null);
    }
    return finished;
  }

  #refused(load: Load, error: unknown): void {
    const batch = batchOf(load);
    const jobs = load.jobs.filter(({ outcome }) => outcome === undefined);
    // Off the thread first, which is free already: trying them runs their getters, which may do anything.
    for (const job of jobs) this.#cameBack(job);
    this.#inHand = jobs;
    const refused = refusals(jobs, error);
    this.#inHand = [];
    // If no one of them is it, each has to go alone to find out.
    if (refused.size === 0) for (const job of jobs) job.retries++;
    this.#lineUpAgain(jobs.filter((job) => !refused.has(job)));
    batch?.freed();
    this.#dispatch();
    for (const [job, why] of refused) {
      if (job.scope.ending === null) this.#exits.fail(job, why);
      else this.#exits.drop(job);
    }
    batch?.advance();
  }

  #lost(load: Load, thread: Thread, death: Death): void {
    const finished = this.#collect(load, undefined, true);
    const current = load.current();
    // One that was being cut off may have left its thread in a state that nothing else should meet.
    const isStopped =
      current !== undefined && (current.isCondemned || thread.stands(current.place, INTERRUPTING));
    const unbegun = load.takeBack();
    const unclear = unclearOf(load, current, unbegun);
    for (const job of current === undefined ? unclear : [current, ...unclear]) {
      job.off();
      this.#ledger.left(job);
    }
    const lost = load.isUntouched ? this.#blamed(unbegun) : [];
    for (const job of lost) this.#cameBack(job);
    this.#giveBack(unbegun.filter((job) => !lost.includes(job)));
    const batch = batchOf(load);
    batch?.freed();
    this.#exits.settleAll(finished, death);
    if (current !== undefined) {
      // Its watchdog has seen the deadline pass, which no timer here may have.
      if (isStopped && current.scope.ending === null) current.expire();
      if (isStopped) this.#exits.reject(current, "terminated", current.scope.err());
      else this.#exits.reject(current, "crashed", crashed(current, death));
    }
    for (const job of unclear) this.#exits.reject(job, "crashed", crashed(job, death));
    for (const job of lost) this.#exits.fail(job, crashed(job, death), "crashed");
    batch?.advance();
  }

  /**
   * Of those that had not begun when their thread died, the ones that are not handed over again: the thread died of
   * something else, mostly, and they shall not suffer for it.
   */
  #blamed(jobs: readonly Job[]): Job[] {
    for (const job of jobs) job.retries++;
    return jobs.filter(
      (job) => job.retries > MAX_RETRIES || transferListOf(job) !== undefined || this.#phase === "closed",
    );
  }

  /** It is on no thread any more, and has not begun. */
  #cameBack(job: Job): void {
    job.off();
    this.#ledger.cameBack();
  }

  /** They have been taken back from their thread. */
  #giveBack(jobs: readonly Job[]): void {
    for (const job of jobs) this.#cameBack(job);
    this.#lineUpAgain(jobs);
  }

  /** They go to where they came from, to be handed over again. In order; all of one batch, or of none. */
  #lineUpAgain(jobs: readonly Job[]): void {
    const live = jobs.filter((job) => {
      if (job.scope.ending !== null) this.#exits.drop(job);
      return job.outcome === undefined;
    });
    const items = live.filter((job) => job instanceof BatchItem);
    if (items.length > 0) items[0]?.batch.takeBack(items);
    for (const task of live.reverse()) if (task instanceof PoolTask) this.#queue.putBack(task);
  }

  #rejectQueued(error: PoolError): void {
    for (const batch of this.#batches) batch.fail(error);
    for (let next = this.#queue.peek(); next !== undefined; next = this.#queue.peek()) {
      if (next instanceof PoolTask) {
        this.#queue.remove(next);
        this.#exits.fail(next, error);
      } else {
        this.#batchHost.leaveLine(next);
      }
    }
    this.#admission.left();
  }

  // ---- the end

  #shutDown(): Promise<void> {
    this.#closed ??= this.#exits.quiet().then(async () => {
      this.#phase = "closed";
      this.#lookout.stop();
      await this.#staff.dismiss(this.#admission.closedError());
    });
    return this.#closed;
  }
}

/** Those of which the lane says nothing that could be: code in their thread has written to it. */
function unclearOf({ jobs, thread }: Load, current: Job | undefined, unbegun: readonly Job[]): Job[] {
  const clear = new Set([current, ...unbegun]);
  return jobs.filter((job) => job.thread === thread && job.outcome === undefined && !clear.has(job));
}

/** An envelope holds items of one batch, or none. */
function batchOf({ jobs: [first] }: Load): PoolBatch | undefined {
  return first instanceof BatchItem ? first.batch : undefined;
}
