/** What of a job goes to its thread, and what is said when something of it cannot. */

import { isContext } from "../context/derive.js";
import { reasonOf } from "../context/invalid.js";
import { sharedValuesOf } from "../context/with-value.js";
import { hasStandIn } from "../workers/stand-in.js";
import { transfersOf } from "../workers/transfer.js";
import { PoolError } from "./errors.js";
import type { Job } from "./job.js";
import type { Death } from "./thread.js";

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
  const at =
    transferListOf(job) === undefined
      ? job.args.findIndex((arg) => !isCloneable(arg) && !hasStandIn([arg]))
      : -1;
  return at < 0 ? undefined : `argument ${String(at + 1)} of ${job.title}`;
}

/** What to tell a job that could not be posted. `error`: what the attempt threw. */
export function refusal(job: Job, error: unknown): PoolError {
  return notCloneable(culprit(job) ?? `an argument of ${job.title}`, error);
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
export function crashed(job: Job, { code, error }: Death): PoolError {
  const cause = error ?? new Error(`the thread exited with code ${String(code)}`);
  return new PoolError("ERR_WORKER_CRASHED", `${job.title}: its thread died under it: ${reasonOf(cause)}`, {
    cause,
  });
}

/** @throws PoolError ERR_NOT_CLONEABLE for a context among the arguments: the clone error would not say it clearly */
export function checkArguments(args: readonly unknown[], title: () => string): void {
  const at = args.findIndex(isContext);
  if (at < 0) return;
  const what = `argument ${at + 1} of ${title()}`;
  throw new PoolError("ERR_NOT_CLONEABLE", `${what} is a context: a context goes first and nowhere else`);
}

/** @throws PoolError ERR_NOT_CLONEABLE for a callback as an input: a batch knows of no end of one input to release it at */
export function checkInput(input: readonly unknown[], title: () => string): void {
  if (!hasStandIn(input)) return;
  throw new PoolError(
    "ERR_NOT_CLONEABLE",
    `the input of ${title()} is a callback: callbacks go as arguments of \`run\` and \`submit\``,
  );
}
