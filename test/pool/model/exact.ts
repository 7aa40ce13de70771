/**
 * A pool as its documentation describes it, on one thread and without time of its own: after every action it says of each task
 * where it must be once nothing moves any more. Kept naive: arrays that are looked through and sorted anew, no links, no
 * counters that could be forgotten.
 */
import type { Outcome, PoolStats } from "lifeguard";
import { noOutcomes } from "../../../src/pool/ledger.js";
import type { Action, Submission } from "./actions.js";
import { endOf, heedOf, type Rules } from "./parts.js";

/** The code of the cause that a pool gives those it cancels. */
const CLOSED = "ERR_POOL_CLOSED";

/** The longest grace while a pool is destroyed, ms. */
const LAST_GRACE = 1000;

interface Ending {
  readonly code: "ABORT_ERR" | "ERR_DEADLINE_EXCEEDED";
  readonly cause: string | undefined;
}

/** A context: one of the user's, of a task, or of a batch. */
interface Scope {
  readonly parent: Scope | undefined;
  /** Of its own, ms; Infinity without one. */
  readonly deadline: number;
  readonly cause: string | undefined;
  ended: Ending | undefined;
}

interface Job extends Submission {
  readonly scope: Scope;
  readonly batch: Batch | undefined;
  state: "waiting" | "running" | "settled";
  /** When its grace is over. */
  overrunAt: number;
  begun: number;
  progress: number;
  outcome: Outcome | undefined;
  told: string | undefined;
}

interface Batch {
  readonly id: number;
  readonly scope: Scope;
  readonly inputs: readonly Submission[];
  readonly settles: boolean;
  /** Threads it may use. */
  readonly lanes: number;
  /** Inputs read. */
  pulled: number;
  /** Read and not on a thread yet. */
  buffer: Submission[];
  /** On threads. */
  active: number;
  results: string[];
  succeeded: number;
  told: string | undefined;
}

/** Something that waits for a thread. */
interface Entry {
  readonly what: { readonly job: Job } | { readonly turn: Batch };
  readonly priority: number;
  readonly deadline: number;
  readonly order: number;
}

interface Waiter {
  readonly id: number;
  readonly scope: Scope;
  /** What is submitted when there is room; undefined: nothing. */
  readonly then: Submission | undefined;
  told: "no word" | "room" | `error ${string}`;
}

/** What can be seen of a pool, said in words. */
export interface View {
  readonly jobs: Readonly<Record<string, string>>;
  readonly batches: Readonly<Record<string, string>>;
  readonly waiters: Readonly<Record<string, string>>;
  readonly closes: Readonly<Record<string, string>>;
}

/** The same of what is seen only by asking the pool, which makes it look around. */
export interface Inside {
  readonly stats: PoolStats;
  readonly states: Readonly<Record<string, string>>;
}

function isBelow(scope: Scope, top: Scope): boolean {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) if (at === top) return true;
  return false;
}

function deadlineOf(scope: Scope): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent)
    earliest = Math.min(earliest, at.deadline);
  return earliest;
}

export class Exact {
  readonly rules: Rules;
  /** ms since the beginning. */
  time = 0;
  phase: "open" | "closing" | "destroying" | "closed" = "open";
  readonly contexts: Scope[] = [];
  readonly #scopes: Scope[] = [];
  readonly jobs: Job[] = [];
  readonly #batches: Batch[] = [];
  readonly #waiters: Waiter[] = [];
  readonly #closes: { readonly id: number; readonly scope: Scope | undefined; hasCancelled: boolean }[] = [];
  #queue: Entry[] = [];
  #entries = 0;
  /** On threads, and waiting for nothing. */
  readonly #passing: Job[] = [];
  /** On threads, and asked to stop: they do, when their threads have heard of it. */
  #leaving: Job[] = [];
  /** Of these a turn came; they read on before anything else comes to its end. */
  #reading: Batch[] = [];
  #submitted = 0;
  #started = 0;
  /** Inputs of batches that were read and dropped before they became anything. */
  #droppedInputs = 0;
  /** Submissions that were not accepted, and what they were told. */
  readonly #refused: { readonly id: number; readonly told: string }[] = [];

  constructor(rules: Rules) {
    this.rules = rules;
    this.#derive(undefined, Number.POSITIVE_INFINITY, undefined);
  }

  // ---- what commands choose from

  /** Tasks at their gates, and tasks that wait and will come to theirs. */
  get gates(): readonly number[] {
    return this.jobs
      .filter(
        ({ state, part, isOpen, batch }) =>
          part.gated && !isOpen && (state === "running" || (state === "waiting" && batch === undefined)),
      )
      .map(({ id }) => id);
  }

  /** Those that can be cancelled by their handles. */
  get tasks(): readonly number[] {
    return this.jobs.filter(({ batch }) => batch === undefined).map(({ id }) => id);
  }

  get batches(): readonly number[] {
    return this.#batches.map(({ id }) => id);
  }

  /** How long until the next deadline or the end of a grace, ms; undefined without one. */
  get untilNext(): number | undefined {
    const times = [
      ...this.#scopes.filter(({ ended }) => ended === undefined).map(({ deadline }) => deadline),
      ...this.jobs.filter(({ state }) => state === "running").map(({ overrunAt }) => overrunAt),
    ];
    const next = Math.min(...times);
    return Number.isFinite(next) ? next - this.time : undefined;
  }

  // ---- what happens

  apply(action: Action): void {
    switch (action.do) {
      case "derive":
        this.#derive(this.contexts[action.parent], this.time + action.timeout, action.cause);
        break;
      case "submit":
        this.#submit(action.task);
        break;
      case "map":
        this.#map(action);
        break;
      case "open":
        this.#open(action.id);
        break;
      case "cancel task":
        this.#cancel(this.#job(action.id).scope, action.cause);
        break;
      case "cancel batch":
        this.#cancel(this.#batches.find(({ id }) => id === action.id)!.scope, action.cause);
        break;
      case "cancel context":
        this.#cancel(this.contexts[action.ctx]!, action.cause);
        break;
      case "advance":
        this.#advanceTime(action.ms);
        break;
      case "wait for room":
        this.#waitForRoom(action.id, this.contexts[action.ctx]!, action.task);
        break;
      case "close":
        this.#close(action.id, action.ctx === undefined ? undefined : this.contexts[action.ctx]);
        break;
      case "destroy":
        this.#destroy(action.id);
        break;
      case "turns":
        break;
      default:
        action satisfies never;
    }
    this.#dispatch();
    // Not inside the cancellation itself, but before any thread has heard of it.
    for (const close of this.#closes) {
      if (close.hasCancelled || close.scope?.ended === undefined || this.phase === "closed") continue;
      close.hasCancelled = true;
      this.#cancelAll();
    }
    this.#rest();
    if (this.phase !== "open" && this.#isQuiet) this.phase = "closed";
  }

  #derive(parent: Scope | undefined, deadline: number, cause: string | undefined): void {
    // A parent's earlier deadline is the child's, and an equal one does not occur.
    const isEarlier = parent !== undefined && deadlineOf(parent) < deadline;
    const scope = this.#scope(parent, isEarlier ? Number.POSITIVE_INFINITY : deadline, cause);
    this.contexts.push(scope);
    if (scope.deadline <= this.time) this.#expire(scope);
  }

  #scope(parent: Scope | undefined, deadline = Number.POSITIVE_INFINITY, cause?: string): Scope {
    const scope: Scope = { parent, deadline, cause, ended: parent?.ended };
    this.#scopes.push(scope);
    return scope;
  }

  #submit(task: Submission): void {
    if (this.phase !== "open") this.#refused.push({ id: task.id, told: `error ${CLOSED}` });
    else if (this.#free < 1) this.#refused.push({ id: task.id, told: "error ERR_QUEUE_FULL" });
    else this.#accept(task);
  }

  #accept(task: Submission): void {
    this.#submitted++;
    const job = this.#make(task, this.#scope(this.contexts[task.ctx]), undefined);
    if (job.scope.ended !== undefined) this.#drop(job);
    else this.#lineUp({ job }, task.priority, deadlineOf(job.scope));
  }

  #make(task: Submission, scope: Scope, batch: Batch | undefined): Job {
    const job: Job = {
      ...task,
      scope,
      batch,
      state: "waiting",
      overrunAt: Number.POSITIVE_INFINITY,
      begun: 0,
      progress: 0,
      outcome: undefined,
      told: undefined,
    };
    this.jobs.push(job);
    return job;
  }

  #lineUp(what: Entry["what"], priority: number, deadline: number): void {
    this.#queue.push({ what, priority, deadline, order: this.#entries++ });
    const isByDeadline = this.rules.order === "deadline";
    this.#queue.sort(
      (a, b) =>
        b.priority - a.priority ||
        (isByDeadline && a.deadline !== b.deadline ? a.deadline - b.deadline : a.order - b.order),
    );
  }

  #open(id: number): void {
    const job = this.#job(id);
    job.isOpen = true;
    if (job.state === "running") this.#end(job);
  }

  #cancel(scope: Scope, cause: string | undefined): void {
    this.#endScope(scope, { code: "ABORT_ERR", cause });
  }

  #expire(scope: Scope): void {
    this.#endScope(scope, { code: "ERR_DEADLINE_EXCEEDED", cause: scope.cause });
  }

  #endScope(top: Scope, ending: Ending): void {
    this.#endScopes([top], ending);
  }

  /** With all below them, all of that before anybody hears of it. */
  #endScopes(tops: readonly Scope[], ending: Ending): void {
    const live = tops.filter(({ ended }) => ended === undefined);
    const all = this.#scopes.filter(
      (scope) => scope.ended === undefined && live.some((top) => isBelow(scope, top)),
    );
    for (const scope of all) scope.ended = ending;
    for (const job of this.jobs.filter(({ scope }) => all.includes(scope))) this.#askToStop(job);
    for (const batch of this.#batches.filter(({ scope }) => all.includes(scope))) this.#endBatch(batch);
    for (const waiter of this.#waiters)
      if (waiter.told === "no word" && all.includes(waiter.scope)) waiter.told = `error ${ending.code}`;
    this.#dispatch();
  }

  #askToStop(job: Job): void {
    if (job.state === "waiting") {
      if (job.batch === undefined) this.#drop(job);
      return;
    }
    if (job.state === "settled") return;
    if (job.part.hears !== "never") {
      this.#leaving.push(job);
      return;
    }
    this.#startGrace(job, job.grace ?? this.rules.grace);
  }

  #startGrace(job: Job, grace: number): void {
    const longest = this.phase === "destroying" ? LAST_GRACE : Number.POSITIVE_INFINITY;
    job.overrunAt = Math.min(job.overrunAt, this.time + Math.min(grace, longest));
    if (job.overrunAt <= this.time) this.#stopHard(job);
  }

  #stopHard(job: Job): void {
    const isCut = job.onOverrun === "interrupt" && this.phase !== "destroying";
    this.#settle(job, isCut ? "interrupted" : "terminated", `error ${job.scope.ended!.code}`);
  }

  /** To a moment that is no later than the next one at which something happens. */
  #advanceTime(ms: number): void {
    this.time += ms;
    for (const scope of this.#scopes)
      if (scope.ended === undefined && scope.deadline <= this.time) this.#expire(scope);
    for (const job of this.jobs)
      if (job.state === "running" && job.overrunAt <= this.time) this.#stopHard(job);
  }

  // ---- threads

  get #running(): Job[] {
    return this.jobs.filter(({ state }) => state === "running");
  }

  /** Whoever is next goes to a thread that is free. */
  #dispatch(): void {
    while (this.#running.length < this.rules.threads) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      if ("turn" in next.what) this.#beginItem(next.what.turn);
      else if (next.what.job.scope.ended !== undefined) this.#drop(next.what.job);
      else this.#begin(next.what.job);
    }
  }

  /** Until every thread is at a gate or nobody waits. */
  #rest(): void {
    do {
      this.#readOn();
      this.#leave();
      for (let job = this.#passing.shift(); job !== undefined; job = this.#passing.shift()) {
        this.#end(job);
        this.#readOn();
      }
      this.#tellRoom();
    } while (this.#passing.length + this.#leaving.length > 0);
  }

  #leave(): void {
    const leaving = this.#leaving;
    this.#leaving = [];
    for (const job of leaving) {
      const { outcome, told } = heedOf(job.part, job.id, job.scope.ended!.code);
      this.#settle(job, outcome, told);
      this.#readOn();
    }
  }

  #readOn(): void {
    while (this.#reading.length > 0) {
      const batches = this.#reading;
      this.#reading = [];
      for (const batch of batches) this.#advance(batch);
    }
  }

  #begin(job: Job): void {
    job.state = "running";
    const isRefused = job.part.ends === "unsendable";
    if (!isRefused) {
      this.#started++;
      job.begun++;
      job.progress = 0.5;
    }
    if (isRefused || !job.part.gated || job.isOpen) this.#passing.push(job);
  }

  /** By itself. */
  #end(job: Job): void {
    if (job.begun > 0) job.progress = 1;
    const { outcome, told } = endOf(job.part, job.id);
    this.#settle(job, outcome, told);
  }

  #drop(job: Job): void {
    this.#queue = this.#queue.filter(({ what }) => !("job" in what && what.job === job));
    this.#settle(job, "dropped", `error ${job.scope.ended!.code}`);
  }

  #settle(job: Job, outcome: Outcome, told: string): void {
    job.state = "settled";
    job.outcome = outcome;
    job.told = told;
    job.overrunAt = Number.POSITIVE_INFINITY;
    job.scope.ended ??= { code: "ABORT_ERR", cause: undefined };
    const { batch } = job;
    if (batch !== undefined) {
      batch.active--;
      this.#lineUpBatch(batch);
    }
    this.#dispatch();
    if (batch === undefined) return;
    if (outcome === "completed") batch.succeeded++;
    batch.results[batch.inputs.findIndex(({ id }) => id === job.id)] = told;
    this.#advance(batch);
  }

  // ---- batches

  #map({ id, ctx, inputs, concurrency, onError }: Extract<Action, { do: "map" }>): void {
    const batch: Batch = {
      id,
      scope: this.#scope(this.contexts[ctx]),
      inputs,
      settles: onError === "settle",
      lanes: Math.min(concurrency, this.rules.threads),
      pulled: 0,
      buffer: [],
      active: 0,
      results: [],
      succeeded: 0,
      told: undefined,
    };
    this.#batches.push(batch);
    if (this.phase !== "open" && batch.scope.ended === undefined) {
      batch.scope.ended = { code: "ABORT_ERR", cause: CLOSED };
      batch.told = `error ${CLOSED}`;
    }
    this.#advance(batch);
  }

  #advance(batch: Batch): void {
    do {
      while (
        batch.scope.ended === undefined &&
        batch.buffer.length < batch.lanes &&
        batch.pulled < batch.inputs.length
      ) {
        batch.buffer.push(batch.inputs[batch.pulled++]!);
        this.#submitted++;
      }
    } while (this.#lineUpBatch(batch));
    this.#tellBatch(batch);
  }

  #turnsOf(batch: Batch): number {
    return this.#queue.filter(({ what }) => "turn" in what && what.turn === batch).length;
  }

  /** A turn for each input that is there, as long as it may use more threads. Whether there was one. */
  #lineUpBatch(batch: Batch): boolean {
    if (batch.scope.ended !== undefined) return false;
    const before = batch.active + this.#turnsOf(batch);
    let ready = batch.buffer.length - this.#turnsOf(batch);
    for (; ready > 0 && batch.active + this.#turnsOf(batch) < batch.lanes; ready--) {
      this.#lineUp({ turn: batch }, 0, deadlineOf(batch.scope));
      this.#dispatch();
    }
    return batch.active + this.#turnsOf(batch) > before;
  }

  #beginItem(batch: Batch): void {
    if (batch.scope.ended !== undefined) return;
    batch.active++;
    this.#reading.push(batch);
    this.#begin(this.#make(batch.buffer.shift()!, this.#scope(batch.scope), batch));
  }

  /** Its context has ended: what is on no thread yet is dropped. */
  #endBatch(batch: Batch): void {
    this.#queue = this.#queue.filter(({ what }) => !("turn" in what && what.turn === batch));
    this.#droppedInputs += batch.buffer.length;
    for (const { id } of batch.buffer)
      batch.results[batch.inputs.findIndex((each) => each.id === id)] = `error ${batch.scope.ended!.code}`;
    batch.buffer = [];
    this.#tellBatch(batch);
  }

  #isOver(batch: Batch): boolean {
    const hasAll = batch.pulled === batch.inputs.length;
    return batch.active === 0 && batch.buffer.length === 0 && (hasAll || batch.scope.ended !== undefined);
  }

  #tellBatch(batch: Batch): void {
    if (!this.#isOver(batch)) return;
    const hasAll =
      batch.pulled === batch.inputs.length && (batch.settles || batch.succeeded === batch.pulled);
    batch.told ??= hasAll ? `values ${batch.results.join("; ")}` : `error ${batch.scope.ended!.code}`;
    batch.scope.ended ??= { code: "ABORT_ERR", cause: undefined };
  }

  // ---- room

  /** How many more are let in: those that wait less those for which a thread is free are at most `maxQueue`. */
  get #free(): number {
    const waiting = this.#queue.filter(({ what }) => "job" in what).length;
    return this.rules.maxQueue - waiting + this.rules.threads - this.#running.length;
  }

  #waitForRoom(id: number, scope: Scope, then: Submission | undefined): void {
    let told: Waiter["told"] = "no word";
    if (scope.ended !== undefined) told = `error ${scope.ended.code}`;
    else if (this.phase !== "open") told = `error ${CLOSED}`;
    this.#waiters.push({ id, scope, then, told });
  }

  /** First come, first served; who does not use the room leaves it to the next. */
  #tellRoom(): void {
    for (const waiter of this.#waiters) {
      if (waiter.told !== "no word") continue;
      if (this.#free < 1) return;
      waiter.told = "room";
      if (waiter.then !== undefined) this.#submit(waiter.then);
      this.#dispatch();
    }
  }

  // ---- the end

  #closeDoor(id: number, scope: Scope | undefined): void {
    this.#closes.push({ id, scope, hasCancelled: false });
    if (this.phase === "open") this.phase = "closing";
    for (const waiter of this.#waiters) if (waiter.told === "no word") waiter.told = `error ${CLOSED}`;
  }

  #close(id: number, scope: Scope | undefined): void {
    this.#closeDoor(id, scope);
  }

  #destroy(id: number): void {
    this.#closeDoor(id, undefined);
    if (this.phase === "closed") return;
    this.phase = "destroying";
    this.#cancelAll();
    for (const job of this.#running)
      if (job.scope.ended !== undefined && !this.#leaving.includes(job))
        this.#startGrace(job, job.grace ?? this.rules.grace);
  }

  #cancelAll(): void {
    const live = this.jobs.filter(({ state }) => state !== "settled");
    this.#endScopes(
      [...this.#batches, ...live].map(({ scope }) => scope),
      { code: "ABORT_ERR", cause: CLOSED },
    );
  }

  get #isQuiet(): boolean {
    return (
      this.jobs.every(({ state }) => state === "settled") &&
      this.#batches.every((batch) => this.#isOver(batch))
    );
  }

  // ---- what can be seen

  #job(id: number): Job {
    return this.jobs.find((job) => job.id === id)!;
  }

  view(): View {
    const jobs: Record<string, string> = {};
    for (const { id, told } of this.#refused) jobs[id] = `not accepted, ${told}, begun 0`;
    for (const { inputs } of this.#batches) for (const { id } of inputs) jobs[id] = "input, begun 0";
    for (const { id, batch, outcome, told, begun, scope, isHeard } of this.jobs) {
      if (batch !== undefined) {
        jobs[id] = `input, begun ${begun}`;
        continue;
      }
      const { ended } = scope;
      const end = ended === undefined ? "live" : `${ended.code} by ${ended.cause ?? "itself"}`;
      jobs[id] =
        `${outcome ?? "unsettled"}, ${isHeard ? (told ?? "no word") : "unheard"}, begun ${begun}, ${end}`;
    }
    return {
      jobs,
      batches: Object.fromEntries(this.#batches.map(({ id, told }) => [id, told ?? "no word"])),
      waiters: Object.fromEntries(this.#waiters.map(({ id, told }) => [id, told])),
      closes: Object.fromEntries(
        this.#closes.map(({ id }) => [id, this.phase === "closed" ? "closed" : "no word"]),
      ),
    };
  }

  inside(): Inside {
    const running = this.#running.length;
    const outcomes = noOutcomes();
    for (const { outcome } of this.jobs) if (outcome !== undefined) outcomes[outcome]++;
    outcomes.dropped += this.#droppedInputs;
    const threads = this.phase === "closed" ? 0 : this.rules.threads;
    const queued =
      this.#queue.filter(({ what }) => "job" in what).length +
      this.#batches.reduce((sum, { buffer }) => sum + buffer.length, 0);
    const states: Record<string, string> = {};
    for (const { id, batch, state, scope, progress } of this.jobs) {
      if (batch !== undefined) continue;
      const asked = scope.ended === undefined ? "running" : "stopping";
      const now = { waiting: "queued", running: asked, settled: "settled" }[state];
      states[id] = `${now}, ${progress}`;
    }
    return {
      stats: {
        threads,
        idle: threads - running,
        stuck: 0,
        queued,
        running,
        submitted: this.#submitted,
        started: this.#started,
        outcomes,
      },
      states,
    };
  }

  /** What kind of situation this is, for counting how many different ones have been seen. */
  situation(): string {
    const of = ({ part, scope, grace }: Job): string =>
      `${part.hears}${scope.ended === undefined ? "" : "!"}${grace ?? ""}`;
    const running = this.#running.map(of).sort().join();
    const queue = this.#queue.map(({ what }) => ("job" in what ? "task" : "turn")).join();
    const waiters = this.#waiters.filter(({ told }) => told === "no word").length;
    const { threads, maxQueue, order } = this.rules;
    return [this.phase, threads, maxQueue, order, running, queue, waiters].join(" | ");
  }
}
