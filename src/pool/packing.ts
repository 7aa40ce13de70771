/** Putting an envelope together: what its jobs have in common goes once, and what they must not share goes by letter. */
import type { Context } from "../context/context.js";
import { sharedValuesOf } from "../context/with-value.js";
import { BY_LETTER, type Envelope, type Terms } from "../workers/messages.js";
import { makerOf, type StandIns, standIns } from "../workers/stand-in.js";
import { deadlineOf } from "../workers/terms.js";
import { refuseDetached } from "../workers/transfer.js";
import type { Escalation } from "./escalation.js";
import { transferListOf } from "./hand-over.js";
import { reachThreads } from "./interrupter.js";
import type { Job } from "./job.js";
import { probeOf } from "./options.js";

/** What is handed to a thread at a time. */
export interface Contents {
  /** Some may have ended meanwhile, by way of code of the user's that ran while letters were posted. */
  readonly jobs: readonly Job[];
  readonly message: Pick<Envelope, "names" | "terms" | "calls" | "guarded" | "revive">;
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
  #watchdog: number | undefined;
  readonly #escalation: Escalation;

  constructor(escalation: Escalation) {
    this.#escalation = escalation;
  }

  /** May run code of the user's: a custom context's, the getters of a cause. Throws what that throws, or the job's end. */
  add(job: Job): void {
    const { scope } = job;
    const watchdog = this.#escalation.watchdogOf(job);
    const probe = probeOf(job.options);
    if (this.#under !== scope.parent || this.#watchdog !== watchdog || probe !== undefined) {
      const deadline = deadlineOf(scope.watch);
      const values = sharedValuesOf(scope);
      const isWatched = watchdog !== undefined && deadline !== undefined;
      this.#terms.push({
        deadline,
        values,
        ...(isWatched && { watchdog }),
        ...(probe !== undefined && { probe }),
      });
      // Those of one that is measured are its own.
      this.#under = probe === undefined ? scope.parent : undefined;
      this.#watchdog = watchdog;
    }
    job.isWatched = this.#terms.at(-1)?.watchdog !== undefined;
    scope.throwIfDone();
    this.#added.push({ job, terms: this.#terms.length - 1 });
  }

  /**
   * Without those that have ended meanwhile, by way of that code.
   *
   * @returns `refused`: those whose letter, or transfers, could not be posted, and why
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
    const registry = apart === undefined ? standIns() : undefined;
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
        const list = transferListOf(job);
        try {
          refuseDetached(list);
        } catch (error) {
          refused.set(job, error);
          continue;
        }
        calls.push(indexOf(names, job.name), terms, args.length);
        transfers ??= list;
        if (registry === undefined) {
          for (const arg of args) calls.push(arg);
        } else {
          for (const arg of args) calls.push(this.#standInFor(job, arg, registry, calls.length));
        }
      }
      jobs.push(job);
    }
    const sent = this.#terms.map((terms, at) =>
      hasOwnValues[at] === true ? { ...terms, values: undefined } : terms,
    );
    const isGuarded = jobs.some((job) => this.#escalation.isInterruptible(job));
    if (isGuarded) reachThreads();
    const made = jobs[0]?.standIns ?? [];
    const message = {
      names,
      terms: sent,
      calls,
      ...(isGuarded && { guarded: true as const }),
      ...(registry !== undefined &&
        made.length > 0 && { revive: { module: registry.module, at: this.#revived } }),
    };
    for (const { transfers: more } of made) transfers = [...(transfers ?? []), ...more];
    return { contents: { jobs, message, transfers }, refused };
  }

  /** Where in the calls there are stand-ins. */
  readonly #revived: number[] = [];

  /** What goes over for an argument of a job that goes alone. */
  #standInFor(job: Job, arg: unknown, registry: StandIns, at: number): unknown {
    const make = makerOf(registry, arg);
    if (make === undefined) return arg;
    const standIn = make();
    job.standIns = [...job.standIns, standIn];
    this.#revived.push(at);
    return standIn.data;
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
