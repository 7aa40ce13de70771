/** What `measureCancellation` takes, checked once. */
import type { Context } from "../context/context.js";
import { checkContext } from "../context/derive.js";
import { invalidArg } from "../context/invalid.js";
import { background } from "../context/roots.js";
import { Pool } from "../pool/pool.js";

export interface MeasureOptions {
  /** When it ends, so does the measurement: with what there is so far, if there is something. @default background */
  ctx?: Context;
  /**
   * Tasks that run, and are cancelled, at once. As many as the pool has threads, and the way to a thread's next task is measured as
   * well. 1 or more. @default 1
   */
  tasks?: number;
  /** Cancellations, at most. 1 or more. @default 1000 */
  samples?: number;
  /** How long to go on cancelling, ms; a few samples are taken in any case. More than 0. @default 5000 */
  time?: number;
  /** How long a task may take to begin, and to stop once it is cancelled, ms. More than 0. @default 10000 */
  patience?: number;
  /** As in SubmitOptions. @default the pool's */
  grace?: number;
  /** As in SubmitOptions. @default the pool's */
  onOverrun?: "terminate" | "interrupt";
  /** Told of each cancellation: how many there were, of how many at most. What it throws is thrown at nobody. */
  onProgress?: (done: number, of: number) => void;
}

export interface ResolvedMeasureOptions {
  readonly ctx: Context;
  readonly tasks: number;
  readonly samples: number;
  readonly time: number;
  readonly patience: number;
  readonly submit: { readonly grace?: number; readonly onOverrun?: "terminate" | "interrupt" };
  readonly onProgress: ((done: number, of: number) => void) | undefined;
}

/** @throws TypeError ERR_INVALID_ARG */
export function resolveMeasureOptions(
  where: string,
  pool: unknown,
  name: unknown,
  args: unknown,
  options: MeasureOptions | undefined = {},
): ResolvedMeasureOptions {
  if (!(pool instanceof Pool)) throw invalidArg(`${where}: pool`, "a Pool", pool);
  if (typeof name !== "string") throw invalidArg(`${where}: name`, "the name of a task", name);
  if (!Array.isArray(args)) throw invalidArg(`${where}: args`, "an array", args);
  if (typeof options !== "object" || (options as unknown) === null)
    throw invalidArg(`${where}: options`, "an object", options);
  const { ctx = background, tasks = 1, samples = 1000, time = 5000, patience = 10_000, onProgress } = options;
  checkContext(`${where}: options.ctx`, ctx);
  for (const [key, value] of Object.entries({ tasks, samples })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw invalidArg(`${where}: options.${key}`, "an integer of 1 or more", value);
  }
  for (const [key, value] of Object.entries({ time, patience })) {
    if (typeof value !== "number" || !(value > 0))
      throw invalidArg(`${where}: options.${key}`, "more than 0 milliseconds", value);
  }
  if (onProgress !== undefined && typeof onProgress !== "function")
    throw invalidArg(`${where}: options.onProgress`, "a function", onProgress);
  const { grace, onOverrun } = options;
  const submit = { ...(grace !== undefined && { grace }), ...(onOverrun !== undefined && { onOverrun }) };
  return { ctx, tasks, samples, time, patience, submit, onProgress };
}
