// @ts-check
/** Runs programs with lifeguard. reference/main.go is the same with Go: both write the same trace, word for word. */
import { Clock, turn } from "./clock.mjs";
import { FIRST, KEYS, TICK } from "./program.mjs";

/** @typedef {typeof import("lifeguard/context")} Library */
/** @typedef {import("lifeguard/context").Context} Context */
/** @typedef {import("lifeguard/context").ContextError} ContextError */
/** @typedef {import("./program.mjs").Step} Step */
/** @typedef {import("./program.mjs").Program} Program */
/** @template T @typedef {import("lifeguard/context").ContextKey<T>} ContextKey */

/**
 * How often each step was taken, by the state of what it was taken on: "cancel of a live one".
 *
 * @typedef {Map<string, number>} Coverage
 */

/** Passes every question on. @implements {Context} */
class Delegating {
  #inner;
  /** @param {Context} inner */
  constructor(inner) {
    this.#inner = inner;
  }
  deadline() {
    return this.#inner.deadline();
  }
  done() {
    return this.#inner.done();
  }
  err() {
    return this.#inner.err();
  }
  /**
   * @template T
   * @param {ContextKey<T>} key
   * @returns {T | undefined}
   */
  value(key) {
    return this.#inner.value(key);
  }
  throwIfDone() {
    this.#inner.throwIfDone();
  }
  get signal() {
    return this.#inner.signal;
  }
}

/** Answers for one value itself. */
class Labelled extends Delegating {
  #key;
  #label;
  /**
   * @param {Context} inner
   * @param {ContextKey<string>} key
   * @param {string} label
   */
  constructor(inner, key, label) {
    super(inner);
    this.#key = key;
    this.#label = label;
  }
  /**
   * @override
   * @template T
   * @param {ContextKey<T>} key
   * @returns {T | undefined}
   */
  value(key) {
    return /** @type {unknown} */ (key) === this.#key
      ? /** @type {T} */ (/** @type {unknown} */ (this.#label))
      : super.value(key);
  }
}

/** Says a deadline of its own, which nothing happens at. */
class Dated extends Delegating {
  #at;
  /**
   * @param {Context} inner
   * @param {number} at
   */
  constructor(inner, at) {
    super(inner);
    this.#at = at;
  }
  /** @override */
  deadline() {
    return this.#at;
  }
}

/** Has the values of another context, and ends when it is told to. */
class Independent extends Delegating {
  #at;
  #controller = new AbortController();
  /** @type {() => void} */
  #resolve = () => {};
  /** @type {Promise<void>} */
  #done = new Promise((resolve) => {
    this.#resolve = resolve;
  });
  /** @type {ContextError | undefined} */
  #err;
  /**
   * @param {Context} inner
   * @param {number | undefined} at
   */
  constructor(inner, at) {
    super(inner);
    this.#at = at;
  }
  /** @param {ContextError} err */
  end(err) {
    if (this.#err !== undefined) return;
    this.#err = err;
    this.#resolve();
    this.#controller.abort(err);
  }
  /** @override */
  deadline() {
    return this.#at;
  }
  /** @override */
  done() {
    return this.#done;
  }
  /** @override */
  err() {
    return this.#err;
  }
  /** @override */
  throwIfDone() {
    if (this.#err !== undefined) throw this.#err;
  }
  /** @override */
  get signal() {
    return this.#controller.signal;
  }
}

/**
 * @typedef {{
 *   group: InstanceType<Library["Group"]>,
 *   limit: number,
 *   style: import("./program.mjs").Style,
 *   running: number,
 *   queued: number,
 *   waiting: number,
 * }} Group
 */

/** One program being run. */
class Run {
  #lib;
  #coverage;
  #clock = new Clock();
  /** @type {Map<number, Context>} */
  #contexts;
  /** @type {ContextKey<string | null | undefined>[]} */
  #keys;
  /** @type {Map<number, (cause?: unknown) => void>} */
  #cancels = new Map();
  /** @type {Map<number, () => boolean>} */
  #stops = new Map();
  /** @type {(() => boolean)[]} */
  #innerStops = [];
  /** @type {Map<number, Group>} */
  #groups = new Map();
  /** Of the functions that run until they are told to end. @type {Map<number, (end: (() => ContextError | Error | undefined)) => void>} */
  #gates = new Map();
  /** @type {Map<unknown, string>} */
  #labels = new Map();
  /** @type {string[]} */
  #events = [];
  /** @type {Map<number, string>} */
  #looked = new Map();
  /** @type {string[]} */
  #trace = [];
  #cleaning = false;

  /**
   * @param {Library} lib
   * @param {Coverage} coverage
   */
  constructor(lib, coverage) {
    this.#lib = lib;
    this.#coverage = coverage;
    this.#contexts = new Map([[0, lib.background]]);
    this.#keys = Array.from({ length: KEYS }, (_, i) => lib.contextKey(`k${i}`));
  }

  /**
   * @param {Program} program
   * @returns {Promise<string>}
   */
  async run({ every, steps }) {
    this.#clock.install();
    try {
      await this.#clock.pass(FIRST);
      for (const step of steps) {
        this.#count(step);
        this.#take(step);
        await this.#clock.pass(step.op === "pass" ? TICK * step.ticks : TICK);
        await this.#look(step.id, every || step.op === "look");
      }
      await this.#look(-1, true);
      await this.#clean();
    } finally {
      this.#clock.uninstall();
    }
    return this.#trace.join("\t");
  }

  /** @param {string} event */
  #say(event) {
    if (!this.#cleaning) this.#events.push(event);
  }

  /** @param {Step} step */
  #count(step) {
    let name = step.op === "custom" ? `custom ${step.kind}` : step.op;
    if (step.op === "afterFunc" && step.does !== "nothing") name += `, which does ${step.does}`;
    if (step.op !== "withCancel" && "cause" in step && step.cause) name += " with a cause";
    if (step.op === "go" || step.op === "tryGo") name += ` ${step.work}`;
    if (step.op === "finish" && step.fails !== "no") name += ` fails ${step.fails}`;
    let state = "";
    if ("on" in step) {
      const err = this.#contexts.get(step.on)?.err();
      if (this.#contexts.has(step.on)) state = err === undefined ? "live" : this.#labelOf(err);
      else if (step.op === "finish") state = this.#gates.has(step.on) ? "running" : "not running";
    }
    const key = `${name}\t${state}`;
    this.#coverage.set(key, (this.#coverage.get(key) ?? 0) + 1);
  }

  /** The error that this step brings. @param {number} id */
  #cause(id) {
    const error = new Error(`c${id}`);
    this.#labels.set(error, error.message);
    return error;
  }

  /** Which error it is: by identity, or, of Go's two, by class. @param {unknown} error */
  #labelOf(error) {
    const label = this.#labels.get(error);
    if (label !== undefined) return label;
    if (error === undefined) return "-";
    if (error instanceof this.#lib.CanceledError) return "canceled";
    if (error instanceof this.#lib.DeadlineExceededError) return "deadline";
    return String(error);
  }

  /** @param {number} id */
  #ctx(id) {
    return /** @type {Context} */ (this.#contexts.get(id));
  }

  /**
   * @param {number} id
   * @param {[Context, (cause?: unknown) => void]} made
   */
  #add(id, [ctx, cancel]) {
    this.#contexts.set(id, ctx);
    this.#cancels.set(id, cancel);
  }

  /** @param {Step} step */
  #take(step) {
    const lib = this.#lib;
    const { id } = step;
    switch (step.op) {
      case "withCancel":
        return this.#add(id, lib.withCancel(this.#ctx(step.on)));
      case "withTimeout":
        return this.#add(
          id,
          lib.withTimeout(this.#ctx(step.on), step.ms, ...(step.cause ? [this.#cause(id)] : [])),
        );
      case "withDeadline": {
        const why = step.cause ? [this.#cause(id)] : [];
        return this.#add(id, lib.withDeadline(this.#ctx(step.on), this.#clock.wall(step.at), ...why));
      }
      case "withValue": {
        // Go's nil: either of the two.
        const value = step.nil ? (id % 2 === 0 ? null : undefined) : `v${id}`;
        const key = /** @type {ContextKey<string | null | undefined>} */ (this.#keys[step.key]);
        this.#contexts.set(id, lib.withValue(this.#ctx(step.on), key, value));
        return;
      }
      case "withoutCancel":
        this.#contexts.set(id, lib.withoutCancel(this.#ctx(step.on)));
        return;
      case "custom":
        this.#contexts.set(id, this.#custom(step));
        return;
      case "group": {
        const { limit, style } = step;
        const group = new lib.Group(this.#ctx(step.on), { limit });
        this.#groups.set(id, { group, limit, style, running: 0, queued: 0, waiting: 0 });
        this.#contexts.set(id, group.ctx);
        return;
      }
      case "cancel":
        return this.#cancels.get(step.on)?.(...(step.cause ? [this.#cause(id)] : []));
      case "end":
        return /** @type {Independent} */ (this.#ctx(step.on)).end(this.#ending(step.expired));
      case "afterFunc":
        return this.#afterFunc(step);
      case "stop":
        return this.#say(`stop r${step.on}: ${this.#stops.get(step.on)?.()}`);
      case "watch":
        void this.#ctx(step.on)
          .done()
          .then(() => this.#say(`n${step.on} is done`));
        return;
      case "go":
      case "tryGo":
        return this.#go(step);
      case "finish": {
        const end = this.#gates.get(step.on);
        this.#gates.delete(step.on);
        if (end === undefined) return this.#say(`f${step.on} is not running`);
        const fails = {
          no: undefined,
          cause: () => this.#cause(id),
          err: () => this.#ctx(step.target).err(),
        };
        return end(fails[step.fails] ?? (() => undefined));
      }
      case "wait":
        return this.#wait(step);
      case "pass":
      case "look":
    }
  }

  /** An error of the library's, as a custom context would have it. @param {boolean} expired */
  #ending(expired) {
    const { background, withCancel, withTimeout } = this.#lib;
    const [ctx, cancel] = expired ? withTimeout(background, 0) : withCancel(background);
    cancel();
    return /** @type {ContextError} */ (ctx.err());
  }

  /**
   * @param {Extract<Step, { op: "custom" }>} step
   * @returns {Context}
   */
  #custom({ id, on, kind, key, at }) {
    const inner = this.#ctx(on);
    switch (kind) {
      case "delegating":
        return new Delegating(inner);
      case "labelled":
        return new Labelled(inner, /** @type {ContextKey<any>} */ (this.#keys[key]), `v${id}`);
      case "dated":
        return new Dated(inner, this.#clock.wall(at));
      case "independent":
        return new Independent(inner, undefined);
      case "independent dated":
        return new Independent(inner, this.#clock.wall(at));
    }
  }

  /** @param {Extract<Step, { op: "afterFunc" }>} step */
  #afterFunc({ id, on, does, target, cause }) {
    const { afterFunc, withCancel } = this.#lib;
    const ctx = this.#ctx(on);
    const stop = afterFunc(ctx, () => {
      this.#say(`r${id} runs: ${this.#endOf(ctx)}`);
      switch (does) {
        case "nothing":
          return;
        case "cancel":
          return this.#cancels.get(target)?.(...(cause ? [this.#cause(id)] : []));
        case "stop":
          return this.#say(`stop r${id} within: ${stop()}`);
        case "register": {
          const other = this.#ctx(target);
          const inner = afterFunc(other, () => this.#say(`r${id}'s runs: ${this.#endOf(other)}`));
          this.#innerStops.push(inner);
          return;
        }
        case "derive": {
          const [child, cancel] = withCancel(ctx);
          this.#say(`r${id}'s child: ${this.#endOf(child)}`);
          cancel();
        }
      }
    });
    this.#stops.set(id, stop);
  }

  /** @param {Extract<Step, { op: "go" | "tryGo" }>} step */
  #go({ op, id, on, work }) {
    const group = /** @type {Group} */ (this.#groups.get(on));
    const full = group.limit >= 0 && group.running >= group.limit;
    if (op === "go" && full && group.waiting > 0) return this.#say(`f${id}: not while somebody waits`);
    if (op === "go") group.queued++;
    const fn = async (/** @type {Context} */ ctx) => {
      group.running++;
      if (op === "go") group.queued--;
      this.#say(`f${id} begins: ${this.#endOf(ctx)}`);
      if (ctx !== group.group.ctx) this.#say(`f${id} was handed another context`);
      const err = await this.#work(id, work, group);
      group.running--;
      this.#say(`f${id} ends: ${this.#labelOf(err)}`);
      if (err !== undefined) throw err;
    };
    if (op === "tryGo") this.#say(`tryGo f${id}: ${group.group.tryGo(fn)}`);
    else void group.group.go(fn);
  }

  /**
   * @param {number} id
   * @param {import("./program.mjs").Work} work
   * @param {Group} group
   * @returns {Promise<unknown>} its failure; undefined for none
   */
  async #work(id, work, { group: { ctx }, style }) {
    switch (work) {
      case "ok":
        return undefined;
      case "fail":
        return this.#cause(id);
      case "gate":
        if (this.#cleaning) return undefined;
        return new Promise((resolve) => {
          this.#gates.set(id, (end) => resolve(end()));
        });
      case "ctx":
        await ctx.done();
        if (style === "err") return ctx.err();
        return style === "cause" ? this.#lib.cause(ctx) : undefined;
    }
  }

  /** @param {Extract<Step, { op: "wait" }>} step */
  #wait({ id, on }) {
    const group = /** @type {Group} */ (this.#groups.get(on));
    if (group.queued > 0) return this.#say(`n${on}: no wait while somebody waits for a place`);
    group.waiting++;
    const over = (/** @type {unknown} */ error) => {
      group.waiting--;
      this.#say(`wait w${id}: ${this.#labelOf(error)}`);
    };
    group.group.wait().then(() => over(undefined), over);
  }

  /** @param {Context} ctx */
  #endOf(ctx) {
    const err = ctx.err();
    return err === undefined ? "live" : `${this.#labelOf(err)} ${this.#labelOf(this.#lib.cause(ctx))}`;
  }

  /**
   * @param {Context} ctx
   * @param {boolean} done
   */
  #stateOf(ctx, done) {
    const at = ctx.deadline();
    const values = this.#keys.map((key) => ctx.value(key) ?? "-");
    const deadline = at === undefined ? "-" : at - this.#clock.wall(0);
    return `${this.#endOf(ctx)} ${done ? "done" : "not done"} ${deadline} ${values.join(" ")}`;
  }

  /**
   * Adds what has happened, and, if asked to, what has changed in the contexts.
   *
   * @param {number} id
   * @param {boolean} contexts
   */
  async #look(id, contexts) {
    const events = this.#events.splice(0).sort(); // in one step the order is open
    if (contexts) {
      const ended = new Set();
      for (const [at, ctx] of this.#contexts) void ctx.done().then(() => ended.add(at));
      await turn();
      for (const [at, ctx] of this.#contexts) {
        const state = this.#stateOf(ctx, ended.has(at));
        if (state === this.#looked.get(at)) continue;
        this.#looked.set(at, state);
        events.push(`n${at} ${state}`);
      }
    }
    if (events.length > 0) this.#trace.push(`${id}| ${events.join("; ")}`);
  }

  /** Ends all of it; then no timer is left. */
  async #clean() {
    this.#cleaning = true;
    for (const stop of [...this.#stops.values(), ...this.#innerStops]) stop();
    for (const cancel of this.#cancels.values()) cancel();
    for (const ctx of this.#contexts.values()) {
      if (ctx instanceof Independent) ctx.end(this.#ending(false));
    }
    for (const end of this.#gates.values()) end(() => undefined);
    await turn();
    if (this.#clock.size > 0) this.#trace.push(`${this.#clock.size} timers are left`);
  }
}

/**
 * Runs a program with this library, for its trace.
 *
 * @param {Library} lib
 * @param {Program} program
 * @param {Coverage} [coverage] is added to
 * @returns {Promise<string>}
 */
export function runOurs(lib, program, coverage = new Map()) {
  return new Run(lib, coverage).run(program);
}
