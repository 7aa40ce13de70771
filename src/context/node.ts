/**
 * The tree: nodes that can end, their links, and the one walk that ends them. What a kind of node adds (a deadline, a
 * listener, a custom parent) lives in its own file; how nodes are made from a public parent, in derive.ts.
 */
import type { Context } from "./context.js";
import type { Ending } from "./ending.js";
import type { ContextError } from "./errors.js";
import type { ContextKey } from "./keys.js";
import { lookUp, pathOf, ValueLayer } from "./layers.js";
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

/**
 * How far the walk has come that marks a node and all below it. Written down at each step, because in a worker it may be cut off: wherever
 * V8 ends an execution, at the head of a function and of each round of a loop, `Node.finish` can go on from here.
 */
const walk: {
  at: Node | null;
  /** Whether it has come to `at` from above; else all below that is marked. */
  arrives: boolean;
  top: Node | null;
  ending: Ending | null;
  /** Those that have to hear of it, so far, linked by `next`. */
  first: Node | null;
  last: Node | null;
} = { at: null, arrives: false, top: null, ending: null, first: null, last: null };

/** Those that are marked and may not have heard of it yet, linked by `next`: the ends that lie within others come before these. */
const unheard: { first: Node | null } = { first: null };

/** Node prints what this method returns, not the whole tree. */
export const inspectCustom = Symbol.for("nodejs.util.inspect.custom");

/**
 * A context that can end. Six slots, because what `withCancel` returns is to stay below 250 bytes (bench/context):
 * children hang in a list threaded through the nodes themselves, newest first. The newest one's `prev` is the oldest, where the
 * walk begins, and the oldest one's `next` is their owner, so that any of them can leave.
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

  /**
   * @param owner the node whose end is this one's end too; null below what can never end, and for kinds of nodes whose own fields
   * have to be there before that: these call `linkTo` last, since in a worker they may be cut off anywhere in between
   */
  constructor(parent: Context, owner: Node | null, watch: Watch | null) {
    this.parent = parent;
    this.watch = Node.watchBelow(parent, owner, watch);
    if (owner !== null) this.linkTo(owner);
  }

  /** What a node has for a watch that was given `watch`: a custom parent's fields may be anything, so it has to be what cannot be cloned. */
  protected static watchBelow(parent: Context, owner: Node | null, watch: Watch | null): Watch | null {
    return watch === null && owner !== null && !Node.is(parent) && !ValueLayer.is(parent) ? idle : watch;
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
      // Nobody can have waited for it before it was made.
      this.#state = ending;
      return;
    }
    const newest = owner.#child;
    if (newest === null) {
      owner.watched();
      this.#next = owner;
      this.#prev = this;
    } else {
      this.#next = newest;
      this.#prev = newest.#prev;
      newest.#prev = this;
    }
    owner.#child = this;
  }

  /** Somebody may be waiting for its end from now on, without looking. May be called more than once; must not end it. */
  protected watched(): void {
    // Nothing, here.
  }

  #unlink(): void {
    const prev = this.#prev;
    if (prev === null) return;
    const next = this.#next as Node;
    // An owner is no sibling: its own `prev` is on its own level.
    const isOldest = next.#prev !== this;
    const isNewest = prev.#next !== this;
    if (isOldest && isNewest) {
      next.#child = null;
    } else if (isNewest) {
      (prev.#next as Node).#child = next;
      next.#prev = prev;
    } else if (isOldest) {
      prev.#next = next;
      (next.#child as Node).#prev = prev;
    } else {
      prev.#next = next;
      next.#prev = prev;
    }
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
    if (this.#child === null) this.#endAlone(ending);
    else Node.#endFrom(this, ending);
  }

  #endAlone(ending: Ending): void {
    const { listens } = this;
    const waited = this.#state !== null;
    this.#unlink();
    // No call from there on, until it is written down who has to hear of it.
    if (this.#state === null) this.#state = ending;
    else (this.#state as Waiting).ending = ending;
    if (!listens && !waited) return;
    this.#next = unheard.first;
    unheard.first = this;
    if (listens) this.marked(ending);
    this.ended();
    if (waited) this.#abort();
    unheard.first = this.#next;
    this.#next = null;
  }

  static #endFrom(top: Node, ending: Ending): void {
    const others = unheard.first;
    // One that ran out of stack has stayed behind.
    if (walk.at !== null) Node.#walkOn();
    top.#unlink();
    walk.ending = ending;
    walk.top = top;
    walk.at = top;
    walk.arrives = true;
    Node.#walkOn();
    Node.#tell(others);
  }

  /** Marks what is not marked yet, and takes the links apart that lie behind it. No call in here but where a step begins or ends. */
  static #walkOn(): void {
    for (let node = walk.at; node !== null; node = walk.at) {
      if (walk.arrives) {
        const { listens } = node;
        const ending = walk.ending as Ending;
        const state = node.#state;
        if (state === null) node.#state = ending;
        else (state as Waiting).ending = ending;
        // Of siblings only `prev` is needed once the walk has come to the oldest, so `next` is free.
        node.#next = null;
        if (listens || state !== null) {
          if (walk.last === null) walk.first = node;
          else walk.last.#next = node;
          walk.last = node;
        }
        const newest = node.#child;
        if (newest === null) {
          walk.arrives = false;
        } else {
          walk.at = newest.#prev;
          // The way back up: from the newest on, `prev` leads to the owner.
          newest.#prev = node;
        }
        if (listens) node.marked(ending);
      } else if (node !== walk.top) {
        const prev = node.#prev as Node;
        node.#prev = null;
        walk.at = prev;
        if (prev.#child === node) prev.#child = null;
        else walk.arrives = true;
      } else {
        if (walk.last !== null) {
          walk.last.#next = unheard.first;
          unheard.first = walk.first;
        }
        walk.at = walk.top = walk.ending = walk.first = walk.last = null;
      }
    }
  }

  /** Tells those that have to hear of their end, up to where `others` begin, whom somebody else is telling. */
  static #tell(others: Node | null): void {
    for (let node = unheard.first; node !== null && node !== others; node = node.#next) node.ended();
    for (let node = unheard.first; node !== null && node !== others; node = unheard.first) {
      node.#abort();
      unheard.first = node.#next;
      node.#next = null;
    }
  }

  /** After execution has been ended at a place that nobody knows, which may lie in `end`: what was ending has ended then, and all have heard of it, some of them twice. */
  static finish(): void {
    Node.#walkOn();
    for (let node = unheard.first; node !== null; node = node.#next)
      if (node.listens) node.marked(node.ending as Ending);
    Node.#tell(null);
  }

  /** Leaves the tree without an end of its own: for listeners that are no longer wanted. */
  protected leave(): void {
    this.#unlink();
  }

  /** Whether `marked` and `ended` have to be called though nobody waits. */
  get listens(): boolean {
    return false;
  }

  /** Runs in the walk itself, before anybody hears of anything: for a store that other threads wait for. May run again, see `finish`. */
  protected marked(_ending: Ending): void {
    // Nothing, here.
  }

  /** Runs when this node and all that end with it are marked: once, or again, see `finish`. Calls no code of the user's. */
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
    if (state === null) this.watched();
    return waiting;
  }

  value<T>(key: ContextKey<T>): T | undefined {
    return lookUp(this, key);
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
