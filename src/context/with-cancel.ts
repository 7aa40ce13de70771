/** Contexts that end when told to, and what they were told. */
import type { CancelFunc, Context } from "./context.js";
import { causeBelow } from "./custom.js";
import { cancelFunc, checkContext, ownerOf } from "./derive.js";
import { coreOf, Root } from "./layers.js";
import { Node } from "./node.js";

/**
 * Derives a context from `parent`, with the function that cancels it.
 *
 * Cancelling ends the context and everything below it before it returns; it does not wait for the work. Only the
 * first call counts. Call it also after success: until then `parent` holds a reference to the child. Below a parent
 * that has ended, the child is born ended, with the parent's error and cause.
 *
 * @throws TypeError ERR_INVALID_ARG
 */
export function withCancel(parent: Context): [ctx: Context, cancel: CancelFunc] {
  const owner = ownerOf("withCancel: parent", parent);
  const node = new Node(parent, owner, owner === null ? null : owner.watch);
  return [node, cancelFunc(node)];
}

/**
 * Why `ctx` ended: what was given to `cancel`, `withTimeout` or `withDeadline`, by identity, or `ctx.err()` where
 * nothing was. Undefined while it is live. An ancestor that ended first decides.
 *
 * @throws TypeError ERR_INVALID_ARG
 */
export function cause(ctx: Context): unknown {
  checkContext("cause: ctx", ctx);
  const core = coreOf(ctx);
  if (Node.is(core)) return core.poll()?.cause();
  if (Root.is(core)) return undefined;
  return core.err() === undefined ? undefined : causeBelow(core);
}
