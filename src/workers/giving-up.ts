/** What counts as giving up because the context has ended. */
import type { Context } from "../context/context.js";
import { cause } from "../context/with-cancel.js";

/** Whether `error` is the end of the context, its cause, or an abort error caused by either, as Node's own functions throw. */
export function isGivingUp(task: Context, error: unknown): boolean {
  const reasons = [task.err(), cause(task)];
  if (reasons.includes(error)) return true;
  try {
    const { code, cause: why } = error as { code?: unknown; cause?: unknown };
    return code === "ABORT_ERR" && reasons.includes(why);
  } catch {
    return false;
  }
}
