/** What goes along with a task to its thread, and what is said when something of it cannot. */
import { DeadlineWatch } from "../context/deadline.js";
import { isContext } from "../context/derive.js";
import { reasonOf } from "../context/invalid.js";
import { sharedValuesOf } from "../context/with-value.js";
import { carry } from "../workers/carry.js";
import type { Deadline } from "../workers/messages.js";
import { sharedNow } from "../workers/shared-clock.js";
import { transfersOf } from "../workers/transfer.js";
import { PoolError } from "./errors.js";
import type { PoolTask } from "./task.js";
import type { Death } from "./thread.js";

/** The cause a task's context will have when its own deadline passes: its thread is told beforehand. */
export function announcedCause(task: PoolTask): unknown {
  const { watch } = task.scope;
  return watch instanceof DeadlineWatch ? watch.cause : undefined;
}

/** Undefined without one. */
export function deadlineOf(task: PoolTask): Deadline | undefined {
  const { watch } = task.scope;
  if (watch === null) return undefined;
  const left = watch.remaining();
  if (left === Number.POSITIVE_INFINITY) return undefined;
  const given = announcedCause(task);
  return {
    when: sharedNow() + left,
    wall: watch.deadline() ?? Date.now() + left,
    cause: given === undefined ? undefined : carry(given),
  };
}

/** What moves along instead of being copied: what the options name and what the arguments were marked with. */
export function transferListOf(task: PoolTask): readonly object[] | undefined {
  let list = task.options.transfer;
  for (const arg of task.args) {
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

/** Names the argument or shared value that stands in the way: clone errors do not. */
export function culprit(task: PoolTask): string {
  for (const [name, value] of sharedValuesOf(task.scope) ?? []) {
    if (!isCloneable(value)) return `the value of the shared key ${JSON.stringify(name)}`;
  }
  // What is to move along cannot be tried without moving it.
  const at = transferListOf(task) === undefined ? task.args.findIndex((arg) => !isCloneable(arg)) : -1;
  const which = at < 0 ? "an argument" : `argument ${String(at + 1)}`;
  return `${which} of task ${JSON.stringify(task.name)}`;
}

function isCloneable(value: unknown): boolean {
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
