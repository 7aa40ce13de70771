/** Contexts that are no nodes: roots, which never end, and values laid over others. And the questions that walk up. */
import type { Context } from "./context.js";
import type { ContextError } from "./errors.js";
import { contextsCannotBeCloned, invalidArg } from "./invalid.js";
import { type ContextKey, isKey } from "./keys.js";
import { inspectCustom, Node } from "./node.js";

/** A context that never ends: background, todo, and what `withoutCancel` returns, which has a parent for its values. */
export class Root implements Context {
  readonly parent: Context | undefined;
  readonly label: string;
  /**
   * A context is not cloned by accident: structured clone follows `parent` up to here and cannot clone a function.
   * It costs the nodes nothing.
   */
  readonly uncloneable = contextsCannotBeCloned;

  constructor(label: string, parent?: Context) {
    this.parent = parent;
    this.label = label;
  }

  static is(value: object): value is Root {
    return value instanceof Root && Object.hasOwn(value, "uncloneable");
  }

  deadline(): undefined {
    return undefined;
  }
  /** A fresh promise each time: what waits for it is not held by a context that lives as long as the process. */
  done(): Promise<void> {
    return new Promise(() => {});
  }
  err(): undefined {
    return undefined;
  }
  throwIfDone(): void {}
  get signal(): AbortSignal {
    return new AbortController().signal;
  }
  value<T>(key: ContextKey<T>): T | undefined {
    return lookUp(this, key);
  }
  toString(): string {
    return pathOf(this);
  }
  [inspectCustom](): string {
    return this.toString();
  }
}

/** A value laid over a context: everything but the value is the context's below. */
export class ValueLayer implements Context {
  readonly parent: Context;
  readonly key: ContextKey<unknown>;
  readonly held: unknown;
  /** The nearest context above that is no value layer. */
  readonly #core: Context;
  /** The next value layer up, null for none, or none before a custom context. */
  readonly next: ValueLayer | null;
  /** The custom context to ask when none of the layers has the key. */
  readonly beyond: Context | undefined;

  constructor(parent: Context, key: ContextKey<unknown>, held: unknown) {
    this.parent = parent;
    this.key = key;
    this.held = held;
    this.#core = coreOf(parent);
    const above = layerOf(parent);
    const layer = above !== undefined && ValueLayer.is(above) ? above : null;
    this.next = layer;
    this.beyond = layer === null ? above : layer.beyond;
  }

  static is(value: object): value is ValueLayer {
    return #core in value;
  }
  get core(): Context {
    return this.#core;
  }
  deadline(): number | undefined {
    return this.#core.deadline();
  }
  done(): Promise<void> {
    return this.#core.done();
  }
  err(): ContextError | undefined {
    return this.#core.err();
  }
  throwIfDone(): void {
    this.#core.throwIfDone();
  }
  get signal(): AbortSignal {
    return this.#core.signal;
  }
  value<T>(key: ContextKey<T>): T | undefined {
    return lookUp(this, key);
  }
  get label(): string {
    return `withValue(${this.key.name})`;
  }
  toString(): string {
    return pathOf(this);
  }
  [inspectCustom](): string {
    return this.toString();
  }
}

/** The context whose end, deadline and signal `ctx` has. */
export function coreOf(ctx: Context): Context {
  return ValueLayer.is(ctx) ? ctx.core : ctx;
}

/**
 * Asks a context which node it hangs on. A custom context that delegates `value` passes the question on, which is how
 * one finds out that it wraps one of ours (Go asks for its `cancelCtxKey` in the same way).
 */
export const nodeKey: ContextKey<Node> = Object.freeze({
  name: "lifeguard.node",
  shared: false,
  [Symbol.for("lifeguard.ContextKey")]: true,
});

/** The nearest value layer from `from` on upwards, or the custom context that is met first, or undefined. */
function layerOf(from: Context): ValueLayer | Context | undefined {
  let ctx: Context | undefined = from;
  while (ctx !== undefined && (Node.is(ctx) || Root.is(ctx))) ctx = ctx.parent;
  return ctx;
}

/** The nearest match going up. Iterative; from a custom context on, the question is its own. */
export function lookUp<T>(from: Context, key: ContextKey<T>): T | undefined {
  if (!isKey(key))
    throw invalidArg("ctx.value: key", "a ContextKey made by contextKey() or sharedKey()", key);
  if ((key as unknown) === nodeKey) return nodeOf(from) as T | undefined;
  const above = layerOf(from);
  if (above === undefined) return undefined;
  if (!ValueLayer.is(above)) return (above === from ? prototypeOf(from) : above).value<T>(key);
  for (let layer: ValueLayer | null = above; layer !== null; layer = layer.next) {
    if (layer.key === key) return layer.held as T;
  }
  return above.beyond?.value<T>(key);
}

function nodeOf(from: Context): Node | undefined {
  const core = coreOf(from);
  if (Node.is(core)) return core;
  if (Root.is(core)) return undefined;
  return (core === from ? prototypeOf(from) : core).value(nodeKey);
}

/** What an object that is none of ours has our `value` from: a context of ours is its prototype. */
function prototypeOf(custom: Context): Context {
  const proto = Object.getPrototypeOf(custom) as Partial<Context> | null;
  if (typeof proto?.value !== "function") throw invalidArg("ctx.value: this", "a Context", custom);
  return proto as Context;
}

/** `String(ctx)`: the layers from the root down, joined by dots. */
export function pathOf(from: Context): string {
  const labels: string[] = [];
  let ctx: Context | undefined = from;
  while (ctx !== undefined) {
    if (ValueLayer.is(ctx) || Node.is(ctx) || Root.is(ctx)) {
      labels.push(ctx.label);
      ctx = ctx.parent;
    } else {
      labels.push("custom");
      break;
    }
  }
  return labels.reverse().join(".");
}
