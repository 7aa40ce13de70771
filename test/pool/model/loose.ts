/**
 * The same pool while nobody waits for it to come to rest: what happens first is up to threads and timers, so this knows of each
 * task not how it ends but how it may.
 */
import type { Outcome } from "lifeguard";
import { expect } from "vitest";
import { expectBalanced } from "../../support/pool.js";
import type { Action, Submission } from "./actions.js";
import { endOf, heedOf } from "./parts.js";
import type { Real } from "./real.js";

interface Scope {
  readonly parent: Scope | undefined;
  /** It may end at any time: it has a deadline. */
  readonly mayEnd: boolean;
  hasEnded: boolean;
}

interface Job extends Submission {
  readonly scope: Scope;
  readonly isInput: boolean;
  /** Its context had ended when it was submitted. */
  readonly isLate: boolean;
  /** Its context ended before it settled, or may have. `begun`: it had begun by then, for sure. */
  ended: { readonly begun: boolean } | undefined;
}

function mayEnd(scope: Scope | undefined): boolean {
  return scope !== undefined && (scope.mayEnd || mayEnd(scope.parent));
}

function hasEnded(scope: Scope | undefined): boolean {
  return scope !== undefined && (scope.hasEnded || hasEnded(scope.parent));
}

export class Loose {
  readonly contexts: Scope[] = [{ parent: undefined, mayEnd: false, hasEnded: false }];
  readonly #jobs: Job[] = [];
  readonly batches: number[] = [];
  readonly #scopes = new Map<number, Scope>();
  isClosed = false;
  #isDestroyed = false;
  readonly #real: Real;
  readonly #watchdog: boolean;

  constructor(real: Real, watchdog: boolean) {
    this.#real = real;
    this.#watchdog = watchdog;
  }

  get gates(): readonly number[] {
    return this.#jobs.filter(({ part, isOpen }) => part.gated && !isOpen).map(({ id }) => id);
  }

  get tasks(): readonly number[] {
    return this.#jobs.filter(({ isInput }) => !isInput).map(({ id }) => id);
  }

  /** To be called before the same is done to the real pool. */
  apply(action: Action): void {
    switch (action.do) {
      case "derive": {
        const parent = this.contexts[action.parent];
        this.contexts.push({ parent, mayEnd: Number.isFinite(action.timeout), hasEnded: false });
        break;
      }
      case "submit":
        this.#add(action.task, this.contexts[action.task.ctx]!, false);
        break;
      case "map": {
        const scope: Scope = { parent: this.contexts[action.ctx], mayEnd: true, hasEnded: false };
        this.#scopes.set(action.id, scope);
        this.batches.push(action.id);
        for (const input of action.inputs) this.#add(input, scope, true);
        break;
      }
      case "open":
        this.#jobs.find(({ id }) => id === action.id)!.isOpen = true;
        break;
      case "cancel task":
        this.#end(this.#jobs.filter(({ id }) => id === action.id));
        break;
      case "cancel batch":
        this.#endScope(this.#scopes.get(action.id)!);
        break;
      case "cancel context":
        this.#endScope(this.contexts[action.ctx]!);
        break;
      case "wait for room":
        // Nobody knows when that will be.
        if (action.task !== undefined)
          this.#add(
            action.task,
            { parent: this.contexts[action.task.ctx], mayEnd: true, hasEnded: false },
            false,
          );
        break;
      case "close":
        this.isClosed = true;
        if (action.ctx !== undefined)
          for (const { scope } of this.#jobs) this.#addEnd({ scope, ctx: this.contexts[action.ctx]! });
        break;
      case "destroy":
        this.isClosed = true;
        this.#isDestroyed = true;
        this.#end(this.#jobs);
        break;
      case "advance":
      case "turns":
        break;
      default:
        action satisfies never;
    }
  }

  /** From now on what is below `scope` may end with `ctx`, too. */
  #addEnd({ scope }: { scope: Scope; ctx: Scope }): void {
    (scope as { mayEnd: boolean }).mayEnd = true;
  }

  #add(submission: Submission, parent: Scope, isInput: boolean): void {
    const isLate = hasEnded(parent);
    const scope: Scope = { parent, mayEnd: false, hasEnded: false };
    this.#jobs.push({ ...submission, scope, isInput, isLate, ended: undefined });
  }

  #endScope(top: Scope): void {
    top.hasEnded = true;
    this.#end(this.#jobs.filter(({ scope }) => hasEnded(scope)));
  }

  #end(jobs: readonly Job[]): void {
    for (const job of jobs) {
      if (job.ended !== undefined || this.#real.asked.get(job.id)?.task?.outcome !== undefined) continue;
      job.ended = { begun: this.#real.begun(job.id) > 0 };
    }
  }

  /** How this one may end. */
  #outcomes(job: Job): Outcome[] {
    const { part, scope, ended, isLate, id } = job;
    if (isLate) return ["dropped"];
    const outcomes: Outcome[] = [endOf(part, id).outcome];
    const isLoose = mayEnd(scope);
    if (ended === undefined && !isLoose) return outcomes;
    if (isLoose || ended?.begun !== true) outcomes.push("dropped");
    if (part.ends === "unsendable") return outcomes;
    if (part.gated && part.hears !== "never") outcomes.push(heedOf(part, id, "").outcome);
    const { rules } = this.#real;
    const grace = job.grace ?? rules.grace;
    if (!Number.isFinite(grace) && !this.#isDestroyed) return outcomes;
    outcomes.push("terminated");
    if (job.onOverrun === "interrupt" && (!this.#isDestroyed || Number.isFinite(grace) || this.#watchdog))
      outcomes.push("interrupted");
    return outcomes;
  }

  /** What holds at any time. */
  expectSound(): void {
    const { rules, pool, batches } = this.#real;
    const stats = pool.stats();
    expectBalanced(stats);
    expect(stats.running).toBeLessThanOrEqual(rules.threads);
    expect(stats.idle + stats.running).toBeLessThanOrEqual(rules.threads);
    if (batches.size === 0) expect(stats.queued).toBeLessThanOrEqual(rules.maxQueue + rules.threads);
  }

  /** What holds when the pool has ended. */
  expectOver(): void {
    const { rules, pool, asked, batches, waiters, closes, most, warmedUp } = this.#real;
    const stats = pool.stats();
    expectBalanced(stats);
    expect(stats).toMatchObject({ threads: 0, idle: 0, stuck: 0, queued: 0, running: 0 });
    const counts: Record<string, number> = { completed: warmedUp };
    let started = warmedUp;
    for (const job of this.#jobs) {
      const { id, part, isInput } = job;
      const one = asked.get(id);
      const begun = this.#real.begun(id);
      if (one === undefined || one.isRefused) {
        expect(begun).toBe(0);
        if (one !== undefined) expect(one.told).toEqual([this.#refusal(one.told)]);
        continue;
      }
      if (isInput) continue;
      const { outcome, state } = one.task!;
      expect(state).toBe("settled");
      expect(this.#outcomes(job), `task ${id}`).toContain(outcome);
      expect(one.told, `task ${id}`).toEqual([this.#wordOf(job, outcome!, one.told[0])]);
      const hasNotBegun = outcome === "dropped" || part.ends === "unsendable";
      if (hasNotBegun) expect(begun, `task ${id}, ${outcome}`).toBe(0);
      else if (outcome !== "terminated" && outcome !== "interrupted") expect(begun, `task ${id}`).toBe(1);
      counts[outcome!] = (counts[outcome!] ?? 0) + 1;
      if (!hasNotBegun) started++;
    }
    for (const told of [
      ...waiters.values(),
      ...closes.values(),
      ...[...batches.values()].map((each) => each.told),
    ])
      expect(told).toHaveLength(1);
    for (const [id, { told, inputs }] of batches) this.#expectResults(id, inputs, told[0]!);
    if (batches.size === 0) {
      expect(stats.outcomes).toEqual({ ...noOutcomes, ...counts });
      expect(stats.started).toBe(started);
    }
    const { terminated, interrupted } = stats.outcomes;
    expect(most).toBeLessThanOrEqual(rules.threads + terminated + interrupted);
  }

  #refusal(told: readonly string[]): string {
    if (this.isClosed && told[0] === "error ERR_POOL_CLOSED") return told[0];
    return Number.isFinite(this.#real.rules.maxQueue) ? "error ERR_QUEUE_FULL" : "no refusal";
  }

  /** What one that ended like this may have told: what it `said`, if that is one of several. */
  #wordOf({ id, part }: Job, outcome: Outcome, said: string | undefined): string {
    switch (outcome) {
      case "completed":
      case "failed":
      case "crashed": {
        // Where it fails both behind its gate and at it, the two tell different words.
        const words = [endOf(part, id), heedOf(part, id, "")].filter((each) => each.outcome === outcome);
        return (words.find(({ told }) => told === said) ?? words[0])?.told ?? "nothing";
      }
      case "dropped":
      case "stopped":
      case "interrupted":
      case "terminated":
        return said === "error ERR_DEADLINE_EXCEEDED" ? said : "error ABORT_ERR";
    }
  }

  /** Values are the inputs' own, in order; what else a batch may tell is a failure of one of them, or its end. */
  #expectResults(id: number, inputs: readonly Submission[], told: string): void {
    const reasons = ["error ABORT_ERR", "error ERR_DEADLINE_EXCEEDED"];
    const own = inputs.flatMap(({ id, part }) => [endOf(part, id).told, heedOf(part, id, "").told]);
    if (!told.startsWith("values")) {
      expect([...reasons, ...own, "error ERR_POOL_CLOSED"], `batch ${id}`).toContain(told);
      return;
    }
    const results = told.slice("values ".length).split("; ");
    expect(results).toHaveLength(inputs.length);
    results.forEach((result, i) => {
      const { id: input, part } = inputs[i]!;
      const may = [endOf(part, input).told, heedOf(part, input, "ABORT_ERR").told, ...reasons];
      expect(may, `batch ${id}, input ${input}`).toContain(result);
    });
  }
}

const noOutcomes = {
  completed: 0,
  failed: 0,
  dropped: 0,
  stopped: 0,
  interrupted: 0,
  terminated: 0,
  crashed: 0,
};
