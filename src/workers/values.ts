/** Shared values that have come along from another thread. */
import type { Context } from "../context/context.js";
import { sharedKey } from "../context/keys.js";
import { ValueLayer } from "../context/layers.js";
import { background } from "../context/roots.js";

/** A context with the values that came along. */
export function valuesOf(values: Map<string, unknown> | undefined): Context {
  let ctx: Context = background;
  if (values !== undefined)
    for (const [name, value] of values) ctx = new ValueLayer(ctx, sharedKey(name), value);
  return ctx;
}
