// @ts-check
/** A pool under load: hands out tasks with a slot in the ledger each, and holds every end against what the contract allows. */
import { background, Pool, withTimeout } from "lifeguard";
import { HARD, isClosed, isCrash, isEnd, isFull, kinds } from "./kinds.mjs";
import { POOL } from "./words.mjs";

/** @typedef {import("lifeguard").Context} Context */
/** @typedef {import("lifeguard").Outcome} Outcome */
/** @typedef {import("lifeguard").PoolOptions} PoolOptions */
/** @typedef {import("lifeguard").SubmitOptions} SubmitOptions */
/** @typedef {import("lifeguard").Task<unknown>} Task */
/** @typedef {import("./kinds.mjs").KindName} KindName */
/** @typedef {import("./random.mjs").Random} Random */
/** @typedef {import("./soak.mjs").Soak} Soak */
/** @typedef {import("./ledger.mjs").Runs} Runs */

/**
 * One task, from its submission on.
 *
 * @typedef {object} Job
 * @property {number} slot
 * @property {Promise<End>} end when it has settled and been looked at; never rejects
 * @property {() => void} cancel
 */

/** @typedef {Outcome | "refused" | "ended"} End by way of `run` nobody can tell the ends of a context apart */

const TASKS = new URL("work/tasks.mjs", import.meta.url);

/** Below it a task is not late, ms: alarms ring at whole milliseconds. */
const SLACK = 2;

export class SoakPool {
  soak;
  options;
  pool;
  index;
  isClosing = false;
  /** Tasks that were accepted, and inputs read. */
  #submitted = 0;
  /** Inputs among them: nobody is told of their ends one by one. */
  #inputs = 0;
  /** @type {Partial<Record<Outcome, number>>} */
  #outcomes = {};
  /** By way of `run`: how they ended is not known. */
  #unknown = 0;
  /** @type {Set<{ slot: number, task: Task | undefined, ctx: Context }>} */
  #open = new Set();
  /** Batches under way. @type {Set<{ slots: ReadonlyMap<number, unknown>, isStopping: () => boolean }>} */
  #batches = new Set();
  /** Tasks that were stopped hard while they were in, since the last look. */
  #cut = 0;
  #closingAt = Number.POSITIVE_INFINITY;

  /** @param {Soak} soak @param {PoolOptions} options */
  constructor(soak, options) {
    this.soak = soak;
    this.options = { threads: 1, grace: 250, ...options };
    this.index = soak.ledger.openPool();
    this.pool = soak.sabotage.pool(
      new Pool(TASKS, {
        ...options,
        ...soak.sabotage.options(options),
        workerData: { words: soak.ledger.words, pool: this.index },
      }),
    );
    soak.counts.pools++;
    soak.watched.add(this);
    soak.tell(`pool ${String(this.index)} made: ${JSON.stringify(options)}`);
  }

  get title() {
    return `pool ${String(this.index)}`;
  }

  /**
   * @param {Context} ctx
   * @param {KindName} kindName
   * @param {Random} random
   * @param {SubmitOptions & { way?: "submit" | "run" | "tasks" }} [options]
   * @returns {Job}
   */
  submit(ctx, kindName, random, { way = "submit", ...options } = {}) {
    const { soak } = this;
    const kind = kinds[kindName];
    const slot = soak.ledger.open();
    const args = kind.args?.(random) ?? [];
    const transfer = kind.transfer?.(args);
    const submitOptions = {
      ...options,
      ...(transfer && { transfer }),
      ...(kind.asynchronous && { onOverrun: /** @type {const} */ ("terminate") }),
    };
    // By way of `run` there are no options.
    const isPlain = way !== "submit" && transfer === undefined && kind.asynchronous === undefined;
    const at = performance.now();
    /** @type {Task | undefined} */
    let task;
    /** @type {Promise<unknown>} */
    let result;
    if (isPlain) {
      result =
        way === "run"
          ? this.pool.run(ctx, kind.name, slot, ...args)
          : /** @type {any} */ (this.pool.tasks)[kind.name](ctx, slot, ...args);
    } else {
      task = this.pool.submit(ctx, kind.name, [slot, ...args], submitOptions);
      ({ result } = task);
    }
    result = soak.sabotage.result(result, { pool: this.pool, slot, words: soak.ledger.words });
    soak.counts.tasks++;
    const open = { slot, task, ctx };
    this.#open.add(open);
    const job = {
      kind: kindName,
      slot,
      args,
      ctx,
      task,
      at,
      cancelledAt: Number.POSITIVE_INFINITY,
      options: submitOptions,
    };
    const grace = options.grace ?? this.options.grace;
    const what = `${kindName} ${String(slot)} of ${this.title}`;
    // The task's own end counts, and that of what it was submitted with.
    const end = soak.follow(what, result, task?.ctx ?? ctx, grace).then(
      (value) => this.#settled(job, { value }),
      (/** @type {unknown} */ error) => this.#settled(job, { error }),
    );
    return {
      slot,
      end: end.finally(() => this.#open.delete(open)),
      cancel: () => {
        soak.counts.cancellations++;
        job.cancelledAt = Math.min(job.cancelledAt, performance.now());
        task?.cancel(`soak ${String(slot)}`);
      },
    };
  }

  /**
   * @param {object} job
   * @param {KindName} job.kind
   * @param {number} job.slot
   * @param {readonly unknown[]} job.args
   * @param {Context} job.ctx
   * @param {Task | undefined} job.task
   * @param {number} job.at
   * @param {number} job.cancelledAt
   * @param {SubmitOptions} job.options
   * @param {{ value: unknown } | { error: unknown }} settled
   * @returns {End}
   */
  #settled({ kind: kindName, slot, args, ctx, task, at, cancelledAt, options }, settled) {
    const { soak } = this;
    const kind = kinds[kindName];
    const now = performance.now();
    const error = "error" in settled ? settled.error : undefined;
    const what = `${kindName} ${String(slot)} of ${this.title}`;
    if (
      "error" in settled &&
      task?.outcome !== "dropped" &&
      (isFull(error) || (isClosed(error) && !isEnd(error)))
    ) {
      // Not accepted.
      soak.ledger.close(slot, this.index, "never", what);
      soak.count(kindName, "refused");
      soak.check(
        isFull(error) ? this.options.maxQueue !== undefined : this.isClosing,
        "outcome",
        () => `${what} was refused: ${String(error)}`,
      );
      return "refused";
    }
    /** @type {Outcome | "ended"} */
    const end = soak.sabotage.outcome(
      task?.outcome ??
        ("value" in settled ? "completed" : isEnd(error) ? "ended" : isCrash(error) ? "crashed" : "failed"),
    );
    this.#submitted++;
    if (end === "ended") this.#unknown++;
    else this.#outcomes[end] = (this.#outcomes[end] ?? 0) + 1;
    soak.count(kindName, end);
    const isHard = end === "interrupted" || end === "terminated";
    if (isHard) soak.counts.hardStops++;
    if (end === "crashed") soak.counts.crashes++;
    // Its thread has stopped it, or has gone, and another one may have begun the next.
    if (soak.ledger.close(slot, this.index, runsOf(kindName, end), what)) this.#cut++;

    const hasEnded = ctx.err() !== undefined || cancelledAt <= now || this.#closingAt <= now;
    /** @type {readonly End[]} */
    const allowed = hasEnded
      ? ["dropped", "ended", ...HARD, ...kind.natural, ...(kind.ended ?? [])]
      : kind.natural;
    soak.check(
      allowed.includes(end),
      "outcome",
      () => `${what} ended as ${end}, its context ${hasEnded ? "over" : "live"}: ${String(error)}`,
    );
    if (end === "interrupted") {
      soak.check(
        (options.onOverrun ?? this.options.onOverrun) === "interrupt",
        "outcome",
        () => `${what} was interrupted, which was not asked for`,
      );
    }
    if (isHard && ctx.err() === undefined && this.#closingAt > now) {
      // It was its own cancellation that ended it, and when that was is known.
      const given = options.grace ?? this.options.grace;
      soak.check(
        now - cancelledAt >= given - SLACK,
        "grace",
        () =>
          `${what} was stopped hard ${(now - cancelledAt).toFixed(1)} ms after its end, grace ${String(given)} ms`,
      );
    }
    if ("value" in settled) {
      const { value } = settled;
      const isRight = kind.value?.(value, slot, args) ?? false;
      soak.check(isRight, "value", () => `${what}, ${(now - at).toFixed(0)} ms: unexpected ${String(value)}`);
      if (task !== undefined && kindName === "told")
        soak.check(
          task.progress === 1,
          "value",
          () => `${what}: progress ${String(task.progress)} at its end`,
        );
    } else if (end === "failed") {
      soak.check(kind.error?.(error, slot) ?? false, "value", () => `${what}: unexpected ${String(error)}`);
    } else if (end === "crashed") {
      soak.check(isCrash(error), "value", () => `${what} crashed with ${String(error)}`);
    } else {
      soak.check(isEnd(error), "value", () => `${what} ended as ${end} with ${String(error)}`);
      if (task !== undefined)
        soak.check(error === task.ctx.err(), "value", () => `${what}: not its context's err()`);
      if (task === undefined && !isClosed(error))
        soak.check(error === ctx.err(), "value", () => `${what}: not err() of the context given`);
    }
    if (isHard || end === "crashed") soak.tell(`${what} ${end} after ${(now - at).toFixed(0)} ms`);
    return end;
  }

  /**
   * A batch is under way.
   *
   * @param {{ slots: ReadonlyMap<number, unknown>, isStopping: () => boolean }} batch
   */
  openBatch(batch) {
    this.#batches.add(batch);
  }

  /**
   * It is over, and so are its items.
   *
   * @param {{ slots: ReadonlyMap<number, unknown>, isStopping: () => boolean }} batch
   * @param {(slot: number) => Runs} runs
   * @param {string} what
   */
  closeBatch(batch, runs, what) {
    this.#batches.delete(batch);
    for (const slot of batch.slots.keys())
      if (this.soak.ledger.close(slot, this.index, runs(slot), what)) this.#cut++;
  }

  /** Inputs of a batch that were read. */
  readInput() {
    this.#inputs++;
  }

  /**
   * To be called often: the counts add up, and no more run at once than there are threads. One that was stopped hard does not
   * tell that it no longer runs, and its thread may be gone before it has settled: so many more are allowed.
   */
  look() {
    const { soak } = this;
    const stats = soak.sabotage.stats(this.pool.stats());
    const ended = Object.values(stats.outcomes).reduce((sum, count) => sum + count, 0);
    soak.check(
      stats.queued + stats.running + stats.stuck + ended === stats.submitted,
      "statistics",
      () => `${this.title}: ${JSON.stringify(stats)} does not add up`,
    );
    soak.check(
      stats.running <= this.options.threads && stats.threads <= this.options.threads,
      "threads at once",
      () => `${this.title} of ${String(this.options.threads)}: ${JSON.stringify(stats)}`,
    );
    const most = soak.ledger.takeMost(this.index);
    let stopping = 0;
    for (const { slot, task, ctx } of this.#open) {
      if ((task?.ctx ?? ctx).err() !== undefined || this.isClosing)
        stopping += soak.ledger.isIn(slot) ? 1 : 0;
    }
    for (const { slots, isStopping } of this.#batches) {
      if (!isStopping() && !this.isClosing) continue;
      for (const slot of slots.keys()) stopping += soak.ledger.isIn(slot) ? 1 : 0;
    }
    soak.check(
      most <= this.options.threads + stopping + this.#cut,
      "threads at once",
      () =>
        `${this.title}: ${String(most)} at once on ${String(this.options.threads)} threads, ${String(stopping + this.#cut)} of them stopped hard`,
    );
    this.#cut = 0;
  }

  /** With nothing under way: what the pool says of itself is what was seen. */
  checkQuiet() {
    const { soak } = this;
    this.look();
    const stats = soak.sabotage.stats(this.pool.stats());
    const { submitted, started, outcomes, queued, running, stuck } = stats;
    const text = () =>
      `${this.title}: ${JSON.stringify(stats)}; seen ${JSON.stringify(this.#outcomes)}, ${String(this.#unknown)} by way of run, ${String(this.#inputs)} inputs`;
    soak.check(queued + running + stuck === 0, "capacity", text);
    soak.check(
      submitted >= this.#submitted && submitted <= this.#submitted + this.#inputs,
      "statistics",
      () => `${String(this.#submitted)} tasks and ${String(this.#inputs)} inputs were submitted; ${text()}`,
    );
    let less = 0;
    for (const outcome of /** @type {Outcome[]} */ (Object.keys(outcomes))) {
      const seen = this.#outcomes[outcome] ?? 0;
      soak.check(seen <= outcomes[outcome], "statistics", text);
      less += outcomes[outcome] - seen;
    }
    soak.check(less <= this.#unknown + this.#inputs, "statistics", text);
    const begun = soak.ledger.read(this.index, POOL.begun);
    soak.check(
      begun <= started && started <= submitted - outcomes.dropped,
      "statistics",
      () => `${String(begun)} have begun; ${text()}`,
    );
  }

  /** Every thread runs a task again, all of them at once. */
  async checkWhole() {
    const { soak } = this;
    const { threads } = this.options;
    const cell = new Int32Array(new SharedArrayBuffer(4));
    const [ctx, cancel] = withTimeout(background, soak.patience);
    const met = Array.from({ length: threads }, () => this.pool.run(ctx, "meet", cell, threads));
    this.#submitted += threads;
    this.#outcomes.completed = (this.#outcomes.completed ?? 0) + threads;
    try {
      await Promise.all(met);
    } catch (error) {
      soak.fail(
        "capacity",
        `${this.title}: ${String(Atomics.load(cell, 0))} of ${String(threads)} threads came: ${String(error)}; ${JSON.stringify(this.pool.stats())}`,
      );
    }
    cancel();
    // The lanes are idle when the news of it is here.
    const { idle, threads: up } = this.pool.stats();
    soak.check(
      idle === threads && up === threads,
      "capacity",
      () => `${this.title}: ${JSON.stringify(this.pool.stats())}`,
    );
  }

  /** Whatever it is doing, in one of the ways there are. @param {"close" | "close soon" | "destroy"} way */
  async end(way) {
    const { soak } = this;
    this.isClosing = true;
    if (way !== "close") this.#closingAt = performance.now();
    soak.tell(`${this.title} ends: ${way}`);
    if (way === "destroy") {
      await soak.follow(`destroy of ${this.title}`, this.pool.destroy());
    } else {
      const [ctx, cancel] = way === "close" ? [undefined, undefined] : withTimeout(background, 30);
      await soak.follow(`${way} of ${this.title}`, this.pool.close(ctx));
      cancel?.();
    }
    this.look();
    soak.watched.delete(this);
    const { threads, queued, running, stuck } = this.pool.stats();
    soak.check(
      threads + queued + running + stuck === 0,
      "capacity",
      () => `${this.title}, closed: ${JSON.stringify(this.pool.stats())}`,
    );
  }
}

/** How often a task has begun that ended like this. @param {KindName} kind @param {End} end @returns {Runs} */
function runsOf(kind, end) {
  if (end === "dropped" || kind === "unsendable") return "never";
  return end === "interrupted" || end === "terminated" || end === "ended" ? "at most once" : "once";
}
