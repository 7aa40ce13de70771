/** The pool under test, with all that is asked of it, and what can be seen of that. */
import type { Worker } from "node:worker_threads";
import {
  type Batch,
  background,
  type CancelFunc,
  type Context,
  cause,
  Pool,
  type Task,
  withCancel,
  withTimeout,
} from "lifeguard";
import { expect, vi } from "vitest";
import { fixture } from "../../support/pool.js";
import { turn } from "../../support/turn.js";
import type { Action, Submission } from "./actions.js";
import type { Inside, View } from "./exact.js";
import { codeOf, type Rules } from "./parts.js";

/** The words of the fixture's board. */
const FIRST = 2;
const EACH = 3;
const MOST_TASKS = 1000;

interface Asked {
  readonly submission: Submission;
  /** Undefined of an input, and of what waits for room. */
  task: Task<unknown> | undefined;
  /** Not taken in. */
  isRefused: boolean;
  readonly told: string[];
}

/** What somebody was told who waits for something; more than one word is one too many. */
type Told = string[];

export class Real {
  readonly rules: Rules;
  readonly pool: Pool;
  readonly asked = new Map<number, Asked>();
  readonly batches = new Map<
    number,
    { readonly batch: Batch<unknown>; readonly inputs: readonly Submission[]; readonly told: Told }
  >();
  readonly waiters = new Map<number, Told>();
  readonly closes = new Map<number, Told>();
  readonly contexts: { readonly ctx: Context; readonly cancel: CancelFunc }[] = [];
  /** What was done to it, and must not have been. */
  readonly faults: string[] = [];
  readonly #board = new Int32Array(new SharedArrayBuffer(4 * (FIRST + EACH * MOST_TASKS)));
  readonly #workers = new Set<Worker>();
  readonly #onWorker = (worker: Worker): void => {
    this.#workers.add(worker);
    worker.once("exit", () => this.#workers.delete(worker));
  };

  constructor(rules: Rules, options: { readonly watchdog?: boolean } = {}) {
    this.rules = rules;
    const { threads, spares, order, maxQueue, grace } = rules;
    process.on("worker", this.#onWorker);
    this.pool = new Pool(fixture("gated.mjs"), { threads, spares, order, maxQueue, grace, ...options });
    const [ctx, cancel] = withCancel(background);
    this.contexts.push({ ctx, cancel });
  }

  /** Ready, and, where the rules say so, with tasks seen to be short. Those do not count. */
  async start(): Promise<void> {
    await this.pool.ready();
    if (!this.rules.together) return;
    const board = new Int32Array(this.#board.length);
    const part = codeOf({ gated: false, hears: "never", ends: "returns", heeds: "gives up" });
    // The first ones are slow: they are compiled. The average forgets.
    for (let i = 0; i < WARMING_UP; i++) await this.pool.run(background, "play", board, 0, part);
  }

  /** How many tasks ran before the first one that counts. */
  get warmedUp(): number {
    return this.rules.together ? WARMING_UP : 0;
  }

  apply(action: Action): void {
    switch (action.do) {
      case "derive": {
        const { ctx: parent } = this.contexts[action.parent]!;
        const [ctx, cancel] = Number.isFinite(action.timeout)
          ? withTimeout(parent, action.timeout, action.cause)
          : withCancel(parent);
        this.contexts.push({ ctx, cancel });
        break;
      }
      case "submit":
        this.#submit(action.task);
        break;
      case "map":
        this.#map(action);
        break;
      case "open": {
        const gate = this.#word(action.id, 1);
        Atomics.store(this.#board, gate, 1);
        Atomics.notify(this.#board, gate);
        break;
      }
      case "cancel task":
        this.#cancelTask(this.asked.get(action.id)?.task, action.cause);
        break;
      case "cancel batch":
        this.batches.get(action.id)!.batch.cancel(action.cause);
        break;
      case "cancel context":
        this.contexts[action.ctx]!.cancel(action.cause);
        this.#expectStopped();
        break;
      case "advance":
        vi.advanceTimersByTime(action.ms);
        this.#expectStopped();
        break;
      case "wait for room":
        this.#waitForRoom(action.id, this.contexts[action.ctx]!.ctx, action.task);
        break;
      case "close": {
        const ctx = action.ctx === undefined ? undefined : this.contexts[action.ctx]!.ctx;
        this.#awaitEnd(action.id, this.pool.close(ctx));
        break;
      }
      case "destroy":
        this.#awaitEnd(action.id, this.pool.destroy());
        this.#expectStopped();
        break;
      case "turns":
        break;
      default:
        action satisfies never;
    }
  }

  #submit(submission: Submission): void {
    const { id, part, ctx, priority, grace, onOverrun, isHeard } = submission;
    const args: unknown[] = [this.#board, id, codeOf(part)];
    if (part.ends === "unsendable") args.push(() => {});
    const task = this.pool.submit(this.contexts[ctx]?.ctx ?? background, "play", args, {
      priority,
      onOverrun,
      ...(grace !== undefined && { grace }),
      // What has something to move goes alone.
      ...(!this.rules.together && { transfer: [] }),
    });
    const isRefused = task.outcome === "failed";
    const asked: Asked = { submission, task, isRefused, told: [] };
    this.asked.set(id, asked);
    if (isHeard || isRefused) this.#listen(asked, task);
  }

  #listen(asked: Asked, task: Task<unknown>): void {
    task.result.then(
      (value) => asked.told.push(`value ${String(value)}`),
      (error: unknown) => {
        asked.told.push(`error ${codeOrMessage(error)}`);
        const isEnd = ["dropped", "stopped", "terminated", "interrupted"].includes(task.outcome ?? "");
        if (isEnd && error !== task.ctx.err()) this.faults.push(`task ${asked.submission.id}: not its err()`);
      },
    );
  }

  #map({ id, ctx, inputs, concurrency, onError }: Extract<Action, { do: "map" }>): void {
    for (const submission of inputs)
      this.asked.set(submission.id, { submission, task: undefined, isRefused: false, told: [] });
    const given = inputs.map(({ id, part }) => ({ board: this.#board, id, part: codeOf(part) }));
    const options = { concurrency, chunk: 1 };
    const { ctx: parent } = this.contexts[ctx]!;
    const batch: Batch<unknown> =
      onError === "settle"
        ? this.pool.map(parent, "item", given, { ...options, onError })
        : this.pool.map(parent, "item", given, { ...options, onError });
    const told: Told = [];
    this.batches.set(id, { batch, inputs, told });
    batch.results().then(
      (results) => told.push(`values ${results.map(recordOf).join("; ")}`),
      (error: unknown) => told.push(`error ${codeOrMessage(error)}`),
    );
  }

  #cancelTask(task: Task<unknown> | undefined, why: string | undefined): void {
    task?.cancel(why);
    this.#expectStopped();
  }

  /** When a cancellation returns, all that it ended is settled or stopping, and knows of it. */
  #expectStopped(): void {
    for (const [id, { task }] of this.asked) {
      if (task === undefined || task.ctx.err() === undefined) continue;
      if (!["stopping", "settled"].includes(task.state))
        this.faults.push(`task ${id}: its context has ended, its state is ${task.state}`);
    }
  }

  #waitForRoom(id: number, ctx: Context, task: Submission | undefined): void {
    const told: Told = [];
    this.waiters.set(id, told);
    this.pool.waitForRoom(ctx).then(
      () => {
        told.push("room");
        if (task !== undefined) this.#submit(task);
      },
      (error: unknown) => told.push(`error ${codeOrMessage(error)}`),
    );
  }

  #awaitEnd(id: number, end: Promise<void>): void {
    const told: Told = [];
    this.closes.set(id, told);
    end.then(
      () => {
        told.push("closed");
        for (const [task, asked] of this.asked)
          if (asked.task !== undefined && asked.task.outcome === undefined)
            this.faults.push(`closed with task ${task} unsettled`);
        if (this.#workers.size > 0) this.faults.push(`closed with ${this.#workers.size} threads`);
      },
      (error: unknown) => told.push(`error ${codeOrMessage(error)}`),
    );
  }

  #word(id: number, which: number): number {
    return FIRST + EACH * id + which;
  }

  begun(id: number): number {
    return Atomics.load(this.#board, this.#word(id, 0));
  }

  left(id: number): number {
    return Atomics.load(this.#board, this.#word(id, 2));
  }

  /** The most tasks that were ever running at once, by their own account. */
  get most(): number {
    return Atomics.load(this.#board, 1);
  }

  // ---- what can be seen

  /** As the model says it. Asks the pool nothing, so that nothing goes on only because of that. */
  view(): View {
    const jobs: Record<string, string> = {};
    for (const [id, { submission, task, isRefused, told }] of this.asked) {
      const begun = `begun ${this.begun(id)}`;
      const word = told.join(" and ") || (submission.isHeard ? "no word" : "unheard");
      if (task === undefined) jobs[id] = `input, ${begun}`;
      else if (isRefused) jobs[id] = `not accepted, ${word}, ${begun}`;
      else jobs[id] = `${task.outcome ?? "unsettled"}, ${word}, ${begun}, ${endOf(task.ctx)}`;
    }
    return {
      jobs,
      batches: words([...this.batches].map(([id, { told }]) => [id, told])),
      waiters: words(this.waiters),
      closes: words(this.closes),
    };
  }

  inside(): Inside {
    const stats = this.pool.stats();
    const states: Record<string, string> = {};
    for (const [id, { task, isRefused }] of this.asked)
      if (task !== undefined && !isRefused) states[id] = `${task.state}, ${task.progress}`;
    const { submitted, started, outcomes } = stats;
    return {
      stats: {
        ...stats,
        submitted: submitted - this.warmedUp,
        started: started - this.warmedUp,
        outcomes: { ...outcomes, completed: outcomes.completed - this.warmedUp },
      },
      states,
    };
  }

  /** Listens to what nobody has listened to. */
  async hear(): Promise<void> {
    for (const asked of this.asked.values())
      if (!asked.submission.isHeard && asked.task !== undefined && asked.told.length === 0)
        this.#listen(asked, asked.task);
    await turn();
  }

  /** Nothing of it is left, after it has ended. */
  expectGone(): void {
    process.off("worker", this.#onWorker);
    expect(this.faults).toEqual([]);
    expect(this.#workers.size).toBe(0);
    for (const id of this.asked.keys()) expect(this.begun(id), `task ${id} has begun`).toBeLessThanOrEqual(1);
  }

  /** Lets go of all but the contexts. */
  forget(): void {
    this.asked.clear();
    this.batches.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off("worker", this.#onWorker);
    // A game that went wrong ends, too: graces that began on a fake clock never would.
    for (let id = 0; id < MOST_TASKS; id++) Atomics.store(this.#board, this.#word(id, 1), 1);
    for (const { cancel } of this.contexts) cancel();
    // With the last deadline goes the timer, which must not be left to the next game: that has a clock of its own.
    withTimeout(background, 1)[1]();
    vi.useRealTimers();
    await this.pool.destroy();
  }
}

const WARMING_UP = 40;

function endOf(ctx: Context): string {
  const err = ctx.err();
  if (err === undefined) return "live";
  const why = cause(ctx);
  return `${err.code} by ${why === err ? "itself" : codeOrMessage(why)}`;
}

function codeOrMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : error.message;
}

/** A result of a batch, as it is or in its record. */
function recordOf(result: unknown): string {
  if (typeof result !== "object" || result === null) return `value ${String(result)}`;
  const record = result as PromiseSettledResult<unknown>;
  return record.status === "fulfilled"
    ? `value ${String(record.value)}`
    : `error ${codeOrMessage(record.reason)}`;
}

function words(all: Iterable<readonly [number, Told]>): Record<string, string> {
  return Object.fromEntries([...all].map(([id, told]) => [id, told.join(" and ") || "no word"]));
}
