/** Values in contexts. */
import type { Context } from "./context.js";
import { checkContext } from "./derive.js";
import { invalidArg } from "./invalid.js";
import { type ContextKey, isKey, sharedKeys } from "./keys.js";
import { Root, ValueLayer } from "./layers.js";
import { Node } from "./node.js";

/**
 * Derives a context in which `key` has `value`; everything else is the parent's. A value of undefined or null hides
 * one set above. For what belongs to the request (a trace id), not for a bag of parameters.
 *
 * @throws TypeError ERR_INVALID_ARG
 */
export function withValue<T>(parent: Context, key: ContextKey<T>, value: T): Context {
  checkContext("withValue: parent", parent);
  if (!isKey(key))
    throw invalidArg("withValue: key", "a ContextKey made by contextKey() or sharedKey()", key);
  return new ValueLayer(parent, key, value);
}

/** What of the values of `ctx` travels to another thread: the nearest one of each shared key. Undefined for none. */
export function sharedValuesOf(ctx: Context): Map<string, unknown> | undefined {
  let found: Map<string, unknown> | undefined;
  const add = (key: ContextKey<unknown>, value: unknown): void => {
    if (!key.shared || found?.has(key.name) === true) return;
    found ??= new Map();
    found.set(key.name, value);
  };
  for (let at: Context | undefined = ctx; at !== undefined; ) {
    if (ValueLayer.is(at)) {
      add(at.key, at.held);
      at = at.parent;
    } else if (Node.is(at) || Root.is(at)) {
      at = at.parent;
    } else {
      // A custom context cannot be walked through: ask it for every shared key there is.
      for (const key of sharedKeys().values()) {
        const value = at.value(key);
        if (value !== undefined) add(key, value);
      }
      return found;
    }
  }
  return found;
}
