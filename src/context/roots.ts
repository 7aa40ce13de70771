/** Where every tree begins. */
import type { Context } from "./context.js";
import { checkContext } from "./derive.js";
import { Root } from "./layers.js";

/** Never ends, has no deadline and no values: the root of main programs, tests and incoming requests. */
export const background: Context = new Root("background");

/** The same, for places where it is not clear yet which context belongs there. */
export const todo: Context = new Root("todo");

/**
 * A context with the values of `parent` and nothing else of it: no end, no deadline, no cause, even when `parent` has
 * ended. For work that must outlive what started it, such as writing a log entry after the request.
 *
 * @throws TypeError ERR_INVALID_ARG
 */
export function withoutCancel(parent: Context): Context {
  checkContext("withoutCancel: parent", parent);
  return new Root("withoutCancel", parent);
}
