/** What goes along with jobs to their thread, and what is said when something of it cannot. */

import type { Context } from "../context/context.js";
import { DeadlineWatch } from "../context/deadline.js";
import { isContext } from "../context/derive.js";
import { reasonOf } from "../context/invalid.js";
import { sharedValuesOf } from "../context/with-value.js";
import { carry } from "../workers/carry.js";
import { BY_LETTER, type Deadline, type Envelope, type Terms } from "../workers/messages.js";
import { sharedNow } from "../workers/shared-clock.js";
import { transfersOf } from "../workers/transfer.js";
import { PoolError } from "./errors.js";
import type { Job } from "./job.js";
import type { Death } from "./thread.js";

/** What is handed to a thread at a time. */
export interface Contents {
  /** Some may have ended meanwhile, by way of code of the user's that ran while letters were posted. */
  readonly jobs: readonly Job[];
  readonly message: Pick<Envelope, "names" | "terms" | "calls">;
  readonly transfers: readonly object[] | undefined;
}

/** What goes in the letters to the thread. Throws what posting it does. */
type PostLetter = (place: number, args: readonly unknown[], values: Terms["values"]) => void;

/** Puts an envelope together. */
export class Packing {
  readonly #added: { readonly job: Job; readonly terms: number }[] = [];
  readonly #terms: Terms[] = [];
  /** The context that the last terms are of. Jobs that wait together were mostly submitted under the same one. */
  #under: Context | undefined;

  /** May run code of the user's: a custom context's, the getters of a cause. Throws what that throws, or the job's end. */
  add(job: Job): void {
    const { scope } = job;
    if (this.#under !== scope.parent) {
      const terms = { deadline: deadlineOf(job), values: sharedValuesOf(scope) };
      this.#terms.push(terms);
      this.#under = scope.parent;
    }
    scope.throwIfDone();
    this.#added.push({ job, terms: this.#terms.length - 1 });
  }

  /**
   * Without those that have ended meanwhile, by way of that code.
   *
   * @returns `refused`: those whose letter could not be posted, and why
   */
  close(postLetter: PostLetter): { contents: Contents; refused: Map<Job, unknown> } {
    const refused = new Map<Job, unknown>();
    const live = this.#added.filter(({ job }) => job.scope.ending === null);
    const jobs: Job[] = [];
    const names: string[] = [];
    const calls: unknown[] = [];
    // One that goes alone shares nothing with anybody.
    const apart = live.length > 1 ? new Apart() : undefined;
    const hasOwnValues = this.#terms.map(({ values }) => apart !== undefined && !apart.areSafe(values));
    let transfers: readonly object[] | undefined;
    for (const { job, terms } of live) {
      const { args } = job;
      const byLetter = apart !== undefined && (hasOwnValues[terms] === true || !apart.takes(args));
      if (byLetter) {
        try {
          postLetter(jobs.length, args, this.#terms[terms]?.values);
        } catch (error) {
          refused.set(job, error);
          continue;
        }
        calls.push(indexOf(names, job.name), terms, BY_LETTER);
      } else {
        calls.push(indexOf(names, job.name), terms, args.length);
        for (const arg of args) calls.push(arg);
        transfers ??= transferListOf(job);
      }
      jobs.push(job);
    }
    const sent = this.#terms.map(({ deadline, values }, at) => ({
      deadline,
      values: hasOwnValues[at] === true ? undefined : values,
    }));
    return { contents: { jobs, message: { names, terms: sent, calls }, transfers }, refused };
  }
}

function indexOf(names: string[], name: string): number {
  const last = names.length - 1;
  if (names[last] === name) return last;
  const at = names.indexOf(name);
  return at < 0 ? names.push(name) - 1 : at;
}

/** Longer ones are not looked through: posting them takes longer than the letter around them. */
const MAX_LOOK = 64;

/**
 * What may lie side by side in one message: primitive values, and objects that hold nothing else and have not been seen in it
 * before. In one message an object stays one object, and tasks must not get to see each other's.
 */
class Apart {
  readonly #seen = new Set<unknown>();

  takes(args: readonly unknown[]): boolean {
    return args.every((arg) => isSafe(arg) || this.#takesObject(arg as object));
  }

  /** Shared values: all tasks under one context have the same. */
  areSafe(values: Terms["values"]): boolean {
    return values === undefined || [...values.values()].every(isSafe);
  }

  #takesObject(value: object): boolean {
    // Shared memory is shared, and a view of it holds nothing else.
    if (
      value instanceof SharedArrayBuffer ||
      (ArrayBuffer.isView(value) && value.buffer instanceof SharedArrayBuffer)
    )
      return true;
    if (this.#seen.has(value) || !isFlat(value)) return false;
    this.#seen.add(value);
    return true;
  }
}

/** Primitive and cloneable. */
function isSafe(value: unknown): boolean {
  const type = typeof value;
  return value === null || (type !== "object" && type !== "function" && type !== "symbol");
}

function isFlat(value: object): boolean {
  if (Array.isArray(value)) return value.length <= MAX_LOOK && value.every(isSafe);
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  let left = MAX_LOOK;
  try {
    for (const key in value)
      if (left-- === 0 || !isSafe((value as Readonly<Record<string, unknown>>)[key])) return false;
  } catch {
    // A getter that throws: posting it will say so.
    return false;
  }
  return true;
}

/** The cause a job's context will have when its own deadline passes: its thread is told beforehand. */
export function announcedCause(job: Job): unknown {
  const { watch } = job.scope;
  return watch instanceof DeadlineWatch ? watch.cause : undefined;
}

/** Undefined without one. */
function deadlineOf(job: Job): Deadline | undefined {
  const { watch } = job.scope;
  if (watch === null) return undefined;
  const left = watch.remaining();
  if (left === Number.POSITIVE_INFINITY) return undefined;
  const given = announcedCause(job);
  return {
    when: sharedNow() + left,
    wall: watch.deadline() ?? Date.now() + left,
    cause: given === undefined ? undefined : carry(given),
  };
}

/** What moves along instead of being copied: what the options name and what the arguments were marked with. */
export function transferListOf(job: Job): readonly object[] | undefined {
  let list = job.options.transfer;
  for (const arg of job.args) {
    const more = transfersOf(arg);
    if (more !== undefined) list = list === undefined ? more : [...new Set([...list, ...more])];
  }
  return list;
}

/** The PoolError for something that does not cross: `cause` is what the attempt threw. */
export function notCloneable(what: string, cause: unknown): PoolError {
  return new PoolError(
    "ERR_NOT_CLONEABLE",
    `${what} cannot be cloned to the other thread: ${reasonOf(cause)}`,
    {
      cause,
    },
  );
}

/** The argument or shared value of the job that stands in the way: clone errors do not name it. Undefined for none. */
function culprit(job: Job): string | undefined {
  for (const [name, value] of sharedValuesOf(job.scope) ?? []) {
    if (!isCloneable(value)) return `the value of the shared key ${JSON.stringify(name)}`;
  }
  // What is to move along cannot be tried without moving it.
  const at = transferListOf(job) === undefined ? job.args.findIndex((arg) => !isCloneable(arg)) : -1;
  return at < 0 ? undefined : `argument ${String(at + 1)} of task ${JSON.stringify(job.name)}`;
}

/** What to tell a job that could not be posted. `error`: what the attempt threw. */
export function refusal(job: Job, error: unknown): PoolError {
  return notCloneable(culprit(job) ?? `an argument of task ${JSON.stringify(job.name)}`, error);
}

/**
 * Of jobs whose envelope could not be posted, those it was because of, with what to tell them: all of them, if there is only
 * one; possibly none.
 *
 * @param error what the attempt threw
 */
export function refusals(jobs: readonly Job[], error: unknown): Map<Job, PoolError> {
  const refused = new Map<Job, PoolError>();
  for (const job of jobs) {
    const what = culprit(job);
    if (what !== undefined) refused.set(job, notCloneable(what, error));
  }
  const [only] = jobs;
  if (refused.size === 0 && only !== undefined && jobs.length === 1) refused.set(only, refusal(only, error));
  return refused;
}

function isCloneable(value: unknown): boolean {
  if (
    value === null ||
    (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol")
  )
    return true;
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

/** The PoolError for a task whose thread died under it. */
export function crashed(name: string, { code, error }: Death): PoolError {
  const cause = error ?? new Error(`the thread exited with code ${String(code)}`);
  return new PoolError(
    "ERR_WORKER_CRASHED",
    `task ${JSON.stringify(name)}: its thread died under it: ${reasonOf(cause)}`,
    { cause },
  );
}

/** @throws PoolError ERR_NOT_CLONEABLE for a context among the arguments: the clone error would not say it clearly */
export function checkArguments(name: string, args: readonly unknown[]): void {
  const at = args.findIndex(isContext);
  if (at < 0) return;
  const what = `argument ${at + 1} of task ${JSON.stringify(name)}`;
  throw new PoolError("ERR_NOT_CLONEABLE", `${what} is a context: a context goes first and nowhere else`);
}
