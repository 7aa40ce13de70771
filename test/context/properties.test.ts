/**
 * Random trees and random lives of them, against a model that is too simple to be wrong: parent pointers, the first
 * ending wins, recursion. fast-check prints the seed of a failure; FC_SEED=… runs it again.
 */
import { getEventListeners } from "node:events";
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import {
  afterFunc,
  background,
  CanceledError,
  type CancelFunc,
  type Context,
  type ContextError,
  type ContextKey,
  cause,
  contextKey,
  DeadlineExceededError,
  Group,
  remaining,
  withCancel,
  withoutCancel,
  withSignal,
  withTimeout,
  withValue,
} from "../../src/context/index.js";
import { canceledError, Delegating, expiredError, Independent } from "../support/contexts.js";
import { type Gate, openableGate } from "../support/gate.js";
import { turn } from "../support/turn.js";

const keys = ["a", "b", "c"].map((name) => contextKey<unknown>(name));
const values = [1, "x", null, undefined];
const causes = [undefined, null, 0, "", "why", new Error("why")];
const seconds = 1000;

const run = (runs: number): fc.Parameters<unknown> => {
  const numRuns = Number(process.env.FC_RUNS ?? runs);
  return process.env.FC_SEED === undefined ? { numRuns } : { numRuns, seed: Number(process.env.FC_SEED) };
};

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

// --- the model ---

interface Ending {
  readonly code: "ABORT_ERR" | "ERR_DEADLINE_EXCEEDED";
  readonly cause: unknown;
}

interface Deadline {
  readonly at: number;
  readonly wall: number;
  readonly cause: unknown;
}

/** A context as the model knows it: its parent, what it adds, and how it ended. */
interface ModelNode {
  /** What ends it and what it asks for a deadline; undefined where nothing above counts. */
  readonly parent: ModelNode | undefined;
  /** Whom it asks for values. */
  readonly values: ModelNode | undefined;
  readonly value?: { readonly key: ContextKey<unknown>; readonly value: unknown };
  readonly deadline?: Deadline;
  ending?: Ending;
}

class Model {
  readonly nodes: ModelNode[] = [];
  now = 0;

  add(node: Omit<ModelNode, "ending">): ModelNode {
    const added: ModelNode = { ...node };
    this.nodes.push(added);
    if (node.parent?.ending !== undefined) added.ending = node.parent.ending;
    this.expire();
    return added;
  }

  end(node: ModelNode, ending: Ending): void {
    if (node.ending !== undefined) return;
    node.ending = ending;
    for (const child of this.nodes) if (child.parent === node) this.end(child, ending);
  }

  advance(ms: number): void {
    this.now += ms;
    this.expire();
  }

  private expire(): void {
    const due = this.nodes.filter(({ deadline }) => deadline !== undefined && deadline.at <= this.now);
    due.sort((a, b) => (a.deadline?.at ?? 0) - (b.deadline?.at ?? 0));
    for (const node of due) {
      this.end(node, { code: "ERR_DEADLINE_EXCEEDED", cause: node.deadline?.cause });
    }
  }

  /** The earliest deadline going up. */
  deadlineOf(node: ModelNode | undefined): Deadline | undefined {
    if (node === undefined) return undefined;
    const above = this.deadlineOf(node.parent);
    if (node.deadline === undefined) return above;
    return above !== undefined && above.at < node.deadline.at ? above : node.deadline;
  }

  valueOf(node: ModelNode | undefined, key: ContextKey<unknown>): unknown {
    if (node === undefined) return undefined;
    return node.value?.key === key ? node.value.value : this.valueOf(node.values, key);
  }
}

/** `expect(got).toBe(wanted)`, a hundred times as fast where it holds. */
function same(got: unknown, wanted: unknown): void {
  if (!Object.is(got, wanted)) expect(got).toBe(wanted);
}

// --- what happens ---

type Step =
  | { readonly do: "derive"; readonly how: Derivation; readonly at: number; readonly n: number }
  | { readonly do: "cancel" | "abort" | "end"; readonly at: number; readonly n: number }
  | { readonly do: "afterFunc" | "stop" | "listen"; readonly at: number }
  | { readonly do: "advance" | "block" | "step"; readonly by: number };
type Derivation =
  | "withCancel"
  | "withTimeout"
  | "withValue"
  | "withoutCancel"
  | "withSignal"
  | "delegating"
  | "independent";

const derivations: readonly Derivation[] = [
  "withCancel",
  "withTimeout",
  "withValue",
  "withoutCancel",
  "withSignal",
  "delegating",
  "independent",
];
const at = fc.nat({ max: 1000 });
const n = fc.nat({ max: 1000 });
const calm: fc.WeightedArbitrary<Step>[] = [
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant("derive" as const), how: fc.constantFrom(...derivations), at, n }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("cancel", "abort", "end"), at, n }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("afterFunc", "stop", "listen"), at }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("advance" as const), by: fc.integer({ min: 0, max: 6 }) }),
  },
];
const rough: fc.WeightedArbitrary<Step>[] = [
  ...calm,
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("block" as const), by: fc.integer({ min: 0, max: 6 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("step" as const), by: fc.integer({ min: -50, max: 50 }) }),
  },
];

/** A context beside its model, with what the test may do to it. */
interface Pair {
  readonly ctx: Context;
  readonly model: ModelNode;
  /** Below a custom context with an end of its own: may hear of it a microtask late. */
  readonly late: boolean;
  readonly cancel?: CancelFunc;
  readonly controller?: AbortController;
  readonly independent?: Independent;
}

interface Registration {
  readonly pair: Pair;
  readonly stop: () => boolean;
  runs: number;
  stopped: boolean;
}

interface Heard {
  readonly pair: Pair;
  aborts: number;
  done: boolean;
}

/** Lives through the steps in both worlds, and compares them after each. */
class Life {
  readonly #model = new Model();
  readonly #pairs: Pair[] = [];
  readonly #registrations: Registration[] = [];
  readonly #heard: Heard[] = [];
  /** Every ending of the model is one error object, and the other way round. */
  readonly #errors = new Map<Ending, ContextError>();
  readonly #known = new Set<ContextError>();
  readonly #promises = new Map<Context, Promise<void>>();
  /** How far the monotonic clock has gone on while the timers stood still. */
  #blocked = 0;

  constructor() {
    const now = performance.now.bind(performance);
    vi.spyOn(performance, "now").mockImplementation(() => now() + this.#blocked);
    const [ctx, cancel] = withCancel(background);
    this.#pairs.push({
      ctx,
      cancel,
      late: false,
      model: this.#model.add({ parent: undefined, values: undefined }),
    });
  }

  #pick(index: number): Pair {
    return this.#pairs[index % this.#pairs.length] ?? expect.unreachable();
  }

  #derive(how: Derivation, from: Pair, n: number): Pair {
    const { ctx: parent, model, late } = from;
    const below = { parent: model, values: model };
    switch (how) {
      case "withCancel": {
        const [ctx, cancel] = withCancel(parent);
        return { ctx, cancel, late, model: this.#model.add(below) };
      }
      case "withTimeout": {
        // No two deadlines at the same time: which of them comes first is nobody's promise.
        const ms = ((n % 12) - 1) * seconds + this.#pairs.length;
        const reason = causes[n % causes.length];
        const deadline = { at: this.#model.now + ms, wall: Date.now() + ms, cause: reason };
        const [ctx, cancel] = withTimeout(parent, ms, reason);
        const above = this.#model.deadlineOf(model);
        const dropped = above !== undefined && above.at < deadline.at;
        return { ctx, cancel, late, model: this.#model.add(dropped ? below : { ...below, deadline }) };
      }
      case "withValue": {
        const key = keys[n % keys.length] ?? expect.unreachable();
        const value = values[n % values.length];
        return {
          ctx: withValue(parent, key, value),
          late,
          model: this.#model.add({ ...below, value: { key, value } }),
        };
      }
      case "withoutCancel":
        return {
          ctx: withoutCancel(parent),
          late: false,
          model: this.#model.add({ parent: undefined, values: model }),
        };
      case "withSignal": {
        const controller = new AbortController();
        const [ctx, cancel] = withSignal(parent, controller.signal);
        return { ctx, cancel, controller, late, model: this.#model.add(below) };
      }
      case "delegating":
        return { ctx: new Delegating(parent), late, model: this.#model.add(below) };
      case "independent": {
        const independent = new Independent();
        const added = this.#model.add({ parent: undefined, values: undefined });
        return { ctx: independent, independent, late: true, model: added };
      }
    }
  }

  #take(step: Step): void {
    switch (step.do) {
      case "derive":
        this.#pairs.push(this.#derive(step.how, this.#pick(step.at), step.n));
        return;
      case "cancel": {
        const { model, cancel } = this.#pick(step.at);
        const reason = causes[step.n % causes.length];
        if (cancel === undefined) return;
        cancel(reason);
        this.#model.end(model, { code: "ABORT_ERR", cause: reason });
        return;
      }
      case "abort": {
        const { model, controller } = this.#pick(step.at);
        if (controller === undefined) return;
        const first = !controller.signal.aborted;
        controller.abort(causes[step.n % causes.length]);
        if (first) this.#model.end(model, { code: "ABORT_ERR", cause: controller.signal.reason });
        return;
      }
      case "end": {
        const { model, independent } = this.#pick(step.at);
        if (independent === undefined || model.ending !== undefined) return;
        const err = step.n % 2 === 0 ? canceledError() : expiredError();
        independent.end(err);
        const ending: Ending = {
          code: step.n % 2 === 0 ? "ABORT_ERR" : "ERR_DEADLINE_EXCEEDED",
          cause: undefined,
        };
        this.#errors.set(ending, err);
        this.#known.add(err);
        this.#model.end(model, ending);
        return;
      }
      case "afterFunc": {
        const pair = this.#pick(step.at);
        const registration: Registration = {
          pair,
          runs: 0,
          stopped: false,
          stop: afterFunc(pair.ctx, () => {
            registration.runs++;
          }),
        };
        this.#registrations.push(registration);
        return;
      }
      case "stop": {
        const registration = this.#registrations[step.at % Math.max(1, this.#registrations.length)];
        if (registration === undefined) return;
        const prevents = registration.pair.model.ending === undefined && !registration.stopped;
        expect(registration.stop()).toBe(prevents);
        registration.stopped ||= prevents;
        return;
      }
      case "listen": {
        const pair = this.#pick(step.at);
        if (pair.model.ending !== undefined) return;
        const heard: Heard = { pair, aborts: 0, done: false };
        pair.ctx.signal.addEventListener("abort", () => heard.aborts++);
        void pair.ctx.done().then(() => {
          heard.done = true;
        });
        this.#heard.push(heard);
        return;
      }
      case "advance":
        this.#model.advance(step.by * seconds);
        vi.advanceTimersByTime(step.by * seconds);
        return;
      case "block": // time goes by and no timer runs
        this.#model.advance(step.by * seconds);
        this.#blocked += step.by * seconds;
        return;
      case "step":
        vi.setSystemTime(Date.now() + step.by * 100_000);
    }
  }

  #compare({ ctx, model }: Pair): void {
    const err = ctx.err();
    const { ending } = model;
    same(err?.code, ending?.code);
    if (ending === undefined || err === undefined) {
      same(cause(ctx), undefined);
    } else {
      const known = this.#errors.get(ending);
      if (known === undefined) {
        if (this.#known.has(err)) expect.unreachable("one error for two endings");
        this.#known.add(err);
        this.#errors.set(ending, err);
      } else {
        same(err, known);
      }
      expect(err).toBeInstanceOf(ending.code === "ABORT_ERR" ? CanceledError : DeadlineExceededError);
      same(err.cause, ending.cause);
      same(cause(ctx), ending.cause === undefined ? err : ending.cause);
    }
    const deadline = this.#model.deadlineOf(model);
    same(ctx.deadline(), deadline?.wall);
    same(remaining(ctx), deadline === undefined ? Infinity : Math.max(0, deadline.at - this.#model.now));
    for (const key of keys) same(ctx.value(key), this.#model.valueOf(model, key));
  }

  #compareSignals(): void {
    for (const { pair, aborts } of this.#heard) {
      same(aborts, pair.model.ending === undefined ? 0 : 1);
      same(pair.ctx.signal.reason, pair.ctx.err());
    }
  }

  async take(step: Step): Promise<void> {
    this.#take(step);
    // What is promised at once.
    for (const pair of this.#pairs) if (!pair.late) this.#compare(pair);
    await turn();
    // What is promised soon.
    for (const pair of this.#pairs) this.#compare(pair);
    await turn(); // one that is late may have been polled just now for the first time
    this.#compareSignals();
    for (const { pair, done } of this.#heard) {
      same(done, pair.model.ending !== undefined);
      if (pair.model.ending !== undefined || pair.cancel !== undefined) {
        const promise = this.#promises.get(pair.ctx) ?? pair.ctx.done();
        this.#promises.set(pair.ctx, promise);
        same(pair.ctx.done(), promise);
      }
    }
    for (const { pair, runs, stopped } of this.#registrations) {
      same(runs, pair.model.ending !== undefined && !stopped ? 1 : 0);
    }
  }

  /** When every context has been cancelled, nothing is left: no timer, no listener. */
  finish(): void {
    for (const { cancel } of this.#pairs) cancel?.();
    expect(vi.getTimerCount()).toBe(0);
    for (const { controller } of this.#pairs) {
      if (controller !== undefined) expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
    }
  }
}

async function live(steps: readonly Step[]): Promise<void> {
  vi.useFakeTimers();
  const life = new Life();
  try {
    for (const step of steps) await life.take(step);
  } finally {
    life.finish();
    vi.restoreAllMocks();
    vi.useRealTimers();
  }
}

test("random trees of every kind of context behave as the model: errors, causes, values, deadlines, signals, functions", async () => {
  const steps = fc.array(fc.oneof(...calm), { maxLength: 60, size: "max" });
  await fc.assert(fc.asyncProperty(steps, live), run(400));
});

test("and also while the event loop is blocked and the system clock is set", async () => {
  const steps = fc.array(fc.oneof(...rough), { maxLength: 60, size: "max" });
  await fc.assert(fc.asyncProperty(steps, live), run(400));
});

// --- groups ---

type GroupStep =
  | { readonly do: "go" | "tryGo" }
  | { readonly do: "open" | "fail"; readonly at: number }
  | { readonly do: "cancelParent" };

const groupStep: fc.Arbitrary<GroupStep> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("go", "tryGo") }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("open", "fail"), at }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cancelParent" as const) }) },
);

test("random groups start, queue, fail and settle as a model with an array for a queue", async () => {
  const property = async (limit: number, steps: readonly GroupStep[]): Promise<void> => {
    const places = limit < 0 ? Infinity : limit;
    const [parent, cancelParent] = withCancel(background);
    const group = new Group(parent, { limit });
    const gates: Gate<number>[] = [];
    const started: number[] = [];
    const results: unknown[] = [];
    const model = { active: [] as number[], queue: [] as number[], started: [] as number[] };
    const expected: unknown[] = [];
    let first: { readonly error: unknown } | undefined;
    let ended: unknown;
    let parentEnded = 0;

    const start = (id: number) => {
      model.active.push(id);
      model.started.push(id);
    };
    const settle = async (id: number, error: Error | undefined) => {
      if (error === undefined) gates[id]?.open(id);
      else gates[id]?.fail(error);
      expected[id] = error ?? id;
      if (error !== undefined) {
        first ??= { error };
        ended ??= error;
      }
      model.active.splice(model.active.indexOf(id), 1);
      const next = model.queue.shift();
      if (next !== undefined) start(next);
      await turn();
    };

    for (const step of steps) {
      switch (step.do) {
        case "go":
        case "tryGo": {
          const id = gates.length;
          const gate = openableGate<number>();
          gates.push(gate);
          const fn = () => {
            started.push(id);
            return gate.opened;
          };
          const free = model.active.length < places;
          if (step.do === "tryGo") {
            expect(group.tryGo(fn)).toBe(free);
            if (free) start(id);
            break;
          }
          if (free) start(id);
          else model.queue.push(id);
          group.go(fn).then(
            (value) => {
              results[id] = value;
            },
            (error: unknown) => {
              results[id] = error;
            },
          );
          break;
        }
        case "open":
        case "fail": {
          const id = model.active[step.at % Math.max(1, model.active.length)];
          if (id !== undefined)
            await settle(id, step.do === "fail" ? new Error(`number ${String(id)}`) : undefined);
          break;
        }
        case "cancelParent":
          cancelParent("parent");
          parentEnded++;
          ended ??= "parent";
      }
      await turn();
      expect(started).toEqual(model.started);
      expect(cause(group.ctx)).toBe(ended);
      expect(parent.err() !== undefined).toBe(parentEnded > 0);
    }
    if (places === 0) return; // what waits for a place that never comes is not waited for here
    let settled = false;
    const waited = group.wait().then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    void waited.then(() => {
      settled = true;
    });
    while (model.active.length > 0) {
      await turn();
      expect(settled).toBe(false);
      await settle(model.active[0] ?? expect.unreachable(), undefined);
    }
    expect(await waited).toEqual(first);
    expect((await waited)?.error).toBe(first?.error);
    expect(group.ctx.err()).toBeInstanceOf(CanceledError);
    expect(started).toEqual(model.started);
    for (const id of results.keys()) if (results[id] !== undefined) expect(results[id]).toBe(expected[id]);
  };
  const limit = fc.constantFrom(-1, 0, 1, 2, 3);
  const steps = fc.array(groupStep, { maxLength: 40, size: "max" });
  await fc.assert(fc.asyncProperty(limit, steps, property), run(200));
});
