/**
 * The tree: nodes that can end, their links, and the one walk that ends them. What a kind of node adds (a deadline, a
 * listener, a custom parent) lives in its own file; how nodes are made from a public parent, in derive.ts.
 */
import type { Context } from "./context.js";
import { Ending } from "./ending.js";
import type { ContextError } from "./errors.js";
import { invalidArg, uncloneable } from "./invalid.js";
import { type ContextKey, isKey } from "./keys.js";
import { idle, type Watch } from "./watch.js";

/** What a node has only once somebody waits for it. */
class Waiting {
  ending: Ending | null;
  done: Promise<void> | undefined = undefined;
  resolve: (() => void) | undefined = undefined;
  controller: AbortController | undefined = undefined;

  constructor(ending: Ending | null) {
    this.ending = ending;
  }
}

const inspectCustom = Symbol.for("nodejs.util.inspect.custom");

/**
 * A context that can end. Six slots, because what `withCancel` returns is to stay below 250 bytes (bench/context):
 * children hang in a list threaded through the nodes themselves, newest first; the first one's `prev` is its owner.
 */
export class Node implements Context {
  /** The context this one was derived from, as the caller knew it: values and `String()` go through it. */
  readonly parent: Context;
  readonly watch: Watch | null;
  /** Null while live and nobody waits. */
  #state: Ending | Waiting | null = null;
  #child: Node | null = null;
  #next: Node | null = null;
  #prev: Node | null = null;

  /** @param owner the node whose end is this one's end too; null below what can never end */
  constructor(parent: Context, owner: Node | null, watch: Watch | null) {
    this.parent = parent;
    // A custom parent's fields may be anything, so the watch has to be what cannot be cloned.
    this.watch = watch === null && owner !== null && !Node.is(parent) && !ValueLayer.is(parent) ? idle : watch;
    if (owner !== null) this.linkTo(owner);
  }

  /** Whether `value` is such a node itself, not something that inherits from one or wraps it. */
  static is(value: object): value is Node {
    return #state in value;
  }

  /** How it ended; null while live. Looks at the state only, not at clocks or words: see `poll`. */
  get ending(): Ending | null {
    const state = this.#state;
    return state === null ? null : state.ending;
  }

  /** Below an owner that has ended, a node is born ended. */
  protected linkTo(owner: Node): void {
    const ending = owner.poll();
    if (ending !== null) {
      this.#mark(ending);
      return;
    }
    const first = owner.#child;
    this.#next = first;
    if (first !== null) first.#prev = this;
    this.#prev = owner;
    owner.#child = this;
  }

  #unlink(): void {
    const prev = this.#prev;
    if (prev === null) return;
    const next = this.#next;
    // Only an owner has this node as a child: a sibling's children are another list.
    if (prev.#child === this) prev.#child = next;
    else prev.#next = next;
    if (next !== null) next.#prev = prev;
    this.#prev = null;
    this.#next = null;
  }

  /**
   * Ends this node and all below it, once: first every one of them is marked, depth first and the oldest child first,
   * then each hears of it in that order, and signals, whose listeners may do anything, come last.
   *
   * Walks along the links themselves and reuses them for the list of those that have to hear of it: it neither recurses
   * nor allocates, since a chain may be 100,000 deep and a batch 100,000 wide (bench/queue).
   */
  end(ending: Ending): void {
    if (this.ending !== null) return;
    this.#unlink();
    let loudest: Node | null = null;
    let last: Node | null = null;
    for (let node: Node | null = this; node !== null; node = Node.#after(node, this)) {
      const loud = node.listens || node.#state !== null;
      node.#mark(ending);
      // Of siblings only `prev` is needed once the walk has come to the oldest, so `next` is free.
      node.#next = null;
      if (!loud) continue;
      if (last === null) loudest = node;
      else last.#next = node;
      last = node;
    }
    let aborting: Node[] | undefined;
    while (loudest !== null) {
      const node: Node = loudest;
      loudest = node.#next;
      node.#next = null;
      node.ended();
      if (node.#state instanceof Waiting && node.#state.controller !== undefined) (aborting ??= []).push(node);
    }
    if (aborting !== undefined) for (const node of aborting) node.#abort();
  }

  /** The node the walk below `top` comes to after `node`; takes the links apart that lie behind it. */
  static #after(node: Node, top: Node): Node | null {
    let oldest = node.#child;
    if (oldest !== null) {
      while (oldest.#next !== null) oldest = oldest.#next;
      return oldest;
    }
    let at = node;
    while (at !== top) {
      const prev = at.#prev as Node;
      at.#prev = null;
      if (prev.#child !== at) return prev;
      prev.#child = null;
      at = prev;
    }
    return null;
  }

  #mark(ending: Ending): void {
    if (this.#state === null) this.#state = ending;
    else (this.#state as Waiting).ending = ending;
  }

  /** Leaves the tree without an end of its own: for listeners that are no longer wanted. */
  protected leave(): void {
    this.#unlink();
  }

  /** Whether `ended` has to be called though nobody waits. */
  get listens(): boolean {
    return false;
  }

  /** Runs once, when this node and all that end with it are marked. Calls no code of the user's. */
  protected ended(): void {
    const state = this.#state;
    if (state instanceof Waiting) state.resolve?.();
  }

  #abort(): void {
    const state = this.#state;
    if (state instanceof Waiting) state.controller?.abort(this.err());
  }

  /** How it ended, after a close look; null while live. Every question but `err()`, which is in a hurry, starts here. */
  poll(): Ending | null {
    if (this.ending === null) this.watch?.check();
    return this.ending;
  }

  err(): ContextError | undefined {
    const state = this.#state;
    if (state === null || state.ending === null) {
      const watch = this.watch;
      if (watch === null) return undefined;
      if (watch.words[0] === watch.live && --watch.left > 0) return undefined;
      watch.check();
    }
    return this.ending?.error();
  }

  throwIfDone(): void {
    const error = this.err();
    if (error !== undefined) throw error;
  }

  deadline(): number | undefined {
    return this.watch === null ? undefined : this.watch.deadline();
  }

  done(): Promise<void> {
    const ended = this.poll() !== null;
    const waiting = this.#wait();
    if (waiting.done === undefined) {
      waiting.done = ended
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting.resolve = resolve;
          });
    }
    return waiting.done;
  }

  get signal(): AbortSignal {
    const ended = this.poll() !== null;
    const waiting = this.#wait();
    if (waiting.controller === undefined) {
      waiting.controller = new AbortController();
      if (ended) this.#abort();
    }
    return waiting.controller.signal;
  }

  #wait(): Waiting {
    const state = this.#state;
    if (state instanceof Waiting) return state;
    const waiting = new Waiting(state);
    this.#state = waiting;
    return waiting;
  }

  value<T>(key: ContextKey<T>): T | undefined {
    return valueOf(this, key);
  }

  /** What this layer is called in `String(ctx)`. */
  get label(): string {
    return "withCancel";
  }

  toString(): string {
    return pathOf(this);
  }

  [inspectCustom](): string {
    return this.toString();
  }
}

/** A context that never ends: background, todo, and what `withoutCancel` returns, which has a parent for its values. */
export class Root implements Context {
  readonly parent: Context | undefined;
  readonly label: string;
  /**
   * A context is not cloned by accident: structured clone follows `parent` up to here and cannot clone a function.
   * It costs the nodes nothing.
   */
  readonly uncloneable = uncloneable;

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
    return valueOf(this, key);
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
    return valueOf(this, key);
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
export const nodeKey: ContextKey<Node> = Object.freeze({ name: "lifeguard.node", shared: false, [Symbol.for("lifeguard.ContextKey")]: true });

/** The nearest value layer from `from` on upwards, or the custom context that is met first, or undefined. */
export function layerOf(from: Context): ValueLayer | Context | undefined {
  let ctx: Context | undefined = from;
  while (ctx !== undefined && (Node.is(ctx) || Root.is(ctx))) ctx = ctx.parent;
  return ctx;
}

/** The nearest match going up. Iterative; from a custom context on, the question is its own. */
function valueOf<T>(from: Context, key: ContextKey<T>): T | undefined {
  if (!isKey(key)) throw invalidArg("ctx.value: key", "a ContextKey made by contextKey() or sharedKey()", key);
  if ((key as unknown) === nodeKey) return nodeOf(from) as T | undefined;
  const above = layerOf(from);
  if (above === undefined) return undefined;
  if (!ValueLayer.is(above)) return (above as Context).value<T>(key);
  for (let layer: ValueLayer | null = above; layer !== null; layer = layer.next) {
    if (layer.key === key) return layer.held as T;
  }
  return above.beyond?.value<T>(key);
}

function nodeOf(from: Context): Node | undefined {
  const core = coreOf(from);
  if (Node.is(core)) return core;
  return Root.is(core) ? undefined : core.value(nodeKey);
}

function pathOf(from: Context): string {
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
