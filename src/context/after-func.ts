/** Reacting to the end of a context. */
import type { Context } from "./context.js";
import { ownerOf } from "./derive.js";
import { invalidArg } from "./invalid.js";
import { Listener } from "./listener.js";

/**
 * Calls `fn` once, in a microtask of its own, after `ctx` has ended; at once, but still asynchronously, when it has
 * ended already. Registrations are independent of each other. What `fn` throws surfaces as an uncaught exception, as
 * from `queueMicrotask`, and disturbs no other.
 *
 * @returns `stop`: takes the registration off; true only when that very call prevented `fn` from running, false when
 * `fn` has started, or was stopped before
 * @throws TypeError ERR_INVALID_ARG
 */
export function afterFunc(ctx: Context, fn: () => void): () => boolean {
  const owner = ownerOf("afterFunc: ctx", ctx);
  if (typeof fn !== "function") throw invalidArg("afterFunc: fn", "a function", fn);
  let waiting = true;
  const run = (): void => {
    queueMicrotask(() => {
      if (!waiting) return;
      waiting = false;
      fn();
    });
  };
  const listener = owner === null ? undefined : new Listener(ctx, owner, run);
  return () => {
    const prevented = waiting;
    waiting = false;
    listener?.detach();
    return prevented;
  };
}
