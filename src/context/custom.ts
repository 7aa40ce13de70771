/**
 * Contexts that are not of this library: any object that implements the interface. Each gets one stand-in node, which
 * its children hang on, so that a custom parent holds one reaction however many children it has.
 */
import type { Context } from "./context.js";
import { Ending } from "./ending.js";
import { CanceledError } from "./errors.js";
import { Node, nodeKey, uncloneable } from "./node.js";
import { Watch } from "./watch.js";

/** Asks the custom context at every poll: its own `err` is what counts, even before its `done` has got round. */
class CustomWatch extends Watch {
  readonly #ctx: Context;
  readonly #node: () => StandIn;
  /** Contexts below a custom one must not be cloned by accident either. */
  readonly uncloneable = uncloneable;

  constructor(ctx: Context, node: () => StandIn) {
    super(false);
    this.#ctx = ctx;
    this.#node = node;
  }

  override get source(): Watch {
    return this;
  }

  override check(): void {
    this.left = 1;
    this.look();
  }

  override look(): void {
    this.#node().observe(false);
  }

  override deadline(): number | undefined {
    return this.#ctx.deadline();
  }

  override remaining(): number {
    const deadline = this.#ctx.deadline();
    return deadline === undefined ? Number.POSITIVE_INFINITY : deadline - Date.now();
  }
}

class StandIn extends Node {
  constructor(ctx: Context) {
    super(ctx, null, new CustomWatch(ctx, () => this));
    this.observe(false);
    if (this.ending !== null) return;
    const done = ctx.done();
    const inner = ctx.value(nodeKey);
    if (inner !== undefined && Node.is(inner) && inner.done() === done) this.linkTo(inner);
    else void Promise.resolve(done).then(() => this.observe(true));
  }

  /** @param over whether its `done` says that it has ended */
  observe(over: boolean): void {
    if (this.ending !== null) return;
    const ctx = this.parent;
    const error = ctx.err() ?? (over ? new CanceledError() : undefined);
    if (error === undefined) return;
    const reason = causeBelow(ctx);
    this.end(new Ending(error.code === "ERR_DEADLINE_EXCEEDED", reason === error ? undefined : reason, error));
  }
}

/** As in Go: the cause of the context of ours that it wraps, if that has ended, else its error. */
export function causeBelow(ctx: Context): unknown {
  const inner = ctx.value(nodeKey);
  const ending = inner !== undefined && Node.is(inner) ? inner.poll() : null;
  return ending === null ? ctx.err() : ending.cause();
}

const standIns = new WeakMap<Context, StandIn>();

/** The node that ends when the custom context does: the same one at every call. */
export function standInFor(ctx: Context): Node {
  let standIn = standIns.get(ctx);
  if (standIn === undefined) {
    standIn = new StandIn(ctx);
    standIns.set(ctx, standIn);
  }
  return standIn;
}
