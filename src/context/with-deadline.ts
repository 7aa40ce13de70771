/** Contexts that end by themselves. */
import { now } from "./clock.js";
import type { CancelFunc, Context } from "./context.js";
import { wrappedNode } from "./custom.js";
import { DeadlineNode, DeadlineWatch } from "./deadline.js";
import { cancelFunc, checkContext, ownerOf } from "./derive.js";
import { invalidArg } from "./invalid.js";
import { coreOf, Root } from "./layers.js";
import { Node } from "./node.js";

/**
 * Derives a context that ends after `ms` milliseconds with a DeadlineExceededError, or when its parent ends, or when
 * cancelled.
 *
 * Measured on the monotonic clock: a step of the system clock changes nothing. The timer behind it is shared by all
 * deadlines and never keeps the process alive. A poll sees the deadline pass even while the event loop is blocked.
 * Zero or less is over on return, Infinity is no deadline, and a deadline later than the parent's is the parent's.
 * Call `cancel` when the work is done: it frees what the deadline holds.
 *
 * @param ms any number but NaN; more than 2^31-1 ms is fine
 * @param cause what `cause(ctx)` returns once this deadline has passed
 * @throws TypeError ERR_INVALID_ARG
 */
export function withTimeout(
  parent: Context,
  ms: number,
  cause?: unknown,
): [ctx: Context, cancel: CancelFunc] {
  checkContext("withTimeout: parent", parent);
  if (typeof ms !== "number" || Number.isNaN(ms))
    throw invalidArg("withTimeout: ms", "a number of milliseconds", ms);
  return derive("withTimeout", parent, ms, Date.now() + ms, cause);
}

/**
 * The same with a point in time. How far away that is gets measured once, here, on the system clock.
 *
 * @param when a Date, or milliseconds since the epoch
 * @throws TypeError ERR_INVALID_ARG
 */
export function withDeadline(
  parent: Context,
  when: Date | number,
  cause?: unknown,
): [ctx: Context, cancel: CancelFunc] {
  checkContext("withDeadline: parent", parent);
  const wall = when instanceof Date ? when.getTime() : when;
  if (typeof wall !== "number" || Number.isNaN(wall)) {
    throw invalidArg("withDeadline: when", "a valid Date or a number of milliseconds since the epoch", when);
  }
  return derive("withDeadline", parent, wall - Date.now(), wall, cause);
}

function derive(
  where: string,
  parent: Context,
  ms: number,
  wall: number,
  cause: unknown,
): [Context, CancelFunc] {
  const owner = ownerOf(where, parent);
  const over = owner === null ? null : owner.watch;
  const at = now();
  // Go keeps the parent's deadline when it is the earlier one, and makes no timer then; equal is not earlier.
  if (ms === Number.POSITIVE_INFINITY || (over !== null && isEarlier(over, at, ms, wall))) {
    const node = new Node(parent, owner, over);
    return [node, cancelFunc(node)];
  }
  const node = new DeadlineNode(parent, owner, new DeadlineWatch(at + ms, wall, cause, over), at);
  return [node, cancelFunc(node)];
}

/** On the monotonic clock where both deadlines are ours; a custom parent has only a wall-clock time to compare with. */
function isEarlier(over: NonNullable<Node["watch"]>, at: number, ms: number, wall: number): boolean {
  if (over instanceof DeadlineWatch) return over.when < at + ms;
  const theirs = over.deadline();
  return theirs !== undefined && theirs < wall;
}

/**
 * Milliseconds to the deadline of `ctx`, with fractions, on the monotonic clock; 0 when it is past, Infinity without
 * one. Below a custom parent it is an estimate by the system clock.
 *
 * @throws TypeError ERR_INVALID_ARG
 */
export function remaining(ctx: Context): number {
  checkContext("remaining: ctx", ctx);
  const core = coreOf(ctx);
  if (Root.is(core)) return Number.POSITIVE_INFINITY;
  const node = Node.is(core) ? core : wrappedNode(core);
  if (node !== undefined)
    return node.watch === null ? Number.POSITIVE_INFINITY : Math.max(0, node.watch.remaining());
  const deadline = core.deadline();
  return deadline === undefined ? Number.POSITIVE_INFINITY : Math.max(0, deadline - Date.now());
}
