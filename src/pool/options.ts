/** The options of a pool, checked once into a resolved form. */
import { availableParallelism } from "node:os";
import { invalidArg } from "../context/invalid.js";
import { checkGrace, DEFAULT_GRACE } from "../workers/grace.js";
import { type Probed, probeKey } from "../workers/probe.js";
import { checkTransferList } from "../workers/transfer.js";
import { resolveThreadOptions, type ThreadOptions, type ThreadSettings } from "./thread-options.js";
import type { MapOptions, SubmitOptions } from "./types.js";

export interface PoolOptions extends ThreadSettings {
  /** Tasks that run at once, each on a thread of its own. 1 or more. @default os.availableParallelism() */
  threads?: number;
  /**
   * Threads kept warm besides, so that up to that many hard stops at a time cost no thread start. They are started
   * after the first result, or when a task is asked to stop. 0 or more. @default 1
   */
  spares?: number;
  /** What a running task has to return after its context ends, in ms; then it is stopped hard. 0 or more, Infinity for never. @default 250 */
  grace?: number;
  /** Tasks that may wait. Beyond it `run` rejects with ERR_QUEUE_FULL. 0 or more. @default Infinity */
  maxQueue?: number;
  /** Who goes first: the one submitted first, or the one whose deadline is the earliest. `priority` goes before either. @default "fifo" */
  order?: "fifo" | "deadline";
  /**
   * What happens to a task that overruns its grace. `"terminate"`: its thread is ended and replaced. `"interrupt"`: what it
   * executes is ended where it is, `finally` blocks are not run, and its thread goes on with the next task; where that does not
   * take (native code, a task that awaits), its thread is ended after as long again, 100 ms at least; without Node's inspector it is
   * `"terminate"`, and a warning says so. It costs a
   * task some 10 µs, and what the task was in the middle of changing in its thread stays half changed. @default "terminate"
   */
  onOverrun?: "terminate" | "interrupt";
  /**
   * With `"interrupt"`: threads themselves end the execution of a task when its deadline and its grace are over, also while the main
   * thread is blocked. It costs such a task some 25 µs more, and 0.5 kB until that time, also if it is done long before. @default false
   */
  watchdog?: boolean;
  /** For people: appears in error messages. @default "pool" */
  name?: string;
}

export interface ResolvedOptions {
  readonly threads: number;
  readonly spares: number;
  readonly grace: number;
  readonly maxQueue: number;
  readonly order: "fifo" | "deadline";
  readonly onOverrun: "terminate" | "interrupt";
  readonly watchdog: boolean;
  readonly name: string;
  readonly thread: ThreadOptions;
}

/** @throws TypeError ERR_INVALID_ARG */
export function resolveOptions(module: string | URL, options: PoolOptions | undefined): ResolvedOptions {
  const given: PoolOptions = options ?? {};
  if (typeof given !== "object") throw invalidArg("Pool: options", "an object", options);
  const {
    threads = availableParallelism(),
    spares = 1,
    grace = DEFAULT_GRACE,
    maxQueue = Number.POSITIVE_INFINITY,
    order = "fifo",
    onOverrun = "terminate",
    watchdog = false,
    name = "pool",
  } = given;
  if (!Number.isInteger(threads) || threads < 1)
    throw invalidArg("Pool: options.threads", "an integer of 1 or more", threads);
  if (!Number.isInteger(spares) || spares < 0)
    throw invalidArg("Pool: options.spares", "an integer of 0 or more", spares);
  checkGrace("Pool: options.grace", grace);
  if (!(Number.isInteger(maxQueue) || maxQueue === Number.POSITIVE_INFINITY) || maxQueue < 0) {
    throw invalidArg("Pool: options.maxQueue", "an integer of 0 or more, or Infinity", maxQueue);
  }
  if (order !== "fifo" && (order as unknown) !== "deadline")
    throw invalidArg("Pool: options.order", '"fifo" or "deadline"', order);
  checkOnOverrun("Pool: options.onOverrun", onOverrun);
  if (typeof watchdog !== "boolean") throw invalidArg("Pool: options.watchdog", "a boolean", watchdog);
  if (typeof name !== "string") throw invalidArg("Pool: options.name", "a string", name);
  const thread = resolveThreadOptions("Pool", module, given);
  return { threads, spares, grace, maxQueue, order, onOverrun, watchdog, name, thread };
}

/**
 * Reads each of them once.
 *
 * @throws TypeError ERR_INVALID_ARG
 */
export function resolveSubmitOptions(where: string, options: SubmitOptions): SubmitOptions {
  if (typeof options !== "object" || (options as unknown) === null)
    throw invalidArg(`${where}: options`, "an object", options);
  const { grace, transfer, priority, onOverrun } = options;
  if (grace !== undefined) checkGrace(`${where}: options.grace`, grace);
  if (transfer !== undefined) checkTransferList(`${where}: options.transfer`, transfer);
  if (priority !== undefined && (typeof priority !== "number" || Number.isNaN(priority))) {
    throw invalidArg(`${where}: options.priority`, "a number", priority);
  }
  if (onOverrun !== undefined) checkOnOverrun(`${where}: options.onOverrun`, onOverrun);
  const probe = probeOf(options);
  return {
    ...(probe !== undefined && { [probeKey]: probe }),
    ...(grace !== undefined && { grace }),
    ...(transfer !== undefined && { transfer: [...transfer] }),
    ...(priority !== undefined && { priority }),
    ...(onOverrun !== undefined && { onOverrun }),
  };
}

/** Where a task that is being measured leaves its figures; undefined of any other one. */
export function probeOf(options: SubmitOptions & Probed): SharedArrayBuffer | undefined {
  return options[probeKey];
}

/** As given, with defaults. */
export interface ResolvedMapOptions {
  readonly concurrency: number;
  readonly chunk: number | "auto";
  readonly ordered: boolean;
  readonly onError: "cancel" | "settle";
}

/** @throws TypeError ERR_INVALID_ARG */
export function resolveMapOptions(options: MapOptions = {}): ResolvedMapOptions {
  if (typeof options !== "object" || (options as unknown) === null)
    throw invalidArg("Pool.map: options", "an object", options);
  const {
    concurrency = Number.POSITIVE_INFINITY,
    chunk = "auto",
    ordered = true,
    onError = "cancel",
  } = options;
  if (!(Number.isInteger(concurrency) || concurrency === Number.POSITIVE_INFINITY) || concurrency < 1)
    throw invalidArg("Pool.map: options.concurrency", "an integer of 1 or more, or Infinity", concurrency);
  if (chunk !== "auto" && !(Number.isInteger(chunk) && chunk >= 1))
    throw invalidArg("Pool.map: options.chunk", 'an integer of 1 or more, or "auto"', chunk);
  if (typeof ordered !== "boolean") throw invalidArg("Pool.map: options.ordered", "a boolean", ordered);
  if (onError !== "cancel" && (onError as unknown) !== "settle")
    throw invalidArg("Pool.map: options.onError", '"cancel" or "settle"', onError);
  return { concurrency, chunk, ordered, onError };
}

function checkOnOverrun(where: string, onOverrun: unknown): void {
  if (onOverrun !== "terminate" && onOverrun !== "interrupt")
    throw invalidArg(where, '"terminate" or "interrupt"', onOverrun);
}
