/**
 * Contexts that are not of this library: any object that implements the interface. One that only wraps a context of ours
 * is seen through; any other gets one stand-in node, which its children hang on, so that it holds one reaction however
 * many children it has.
 */
import { now } from "./clock.js";
import type { Context } from "./context.js";
import { Ending } from "./ending.js";
import { CanceledError, type ContextError } from "./errors.js";
import { nodeKey } from "./layers.js";
import { Node } from "./node.js";
import { Watch } from "./watch.js";

/** Asks the custom context at every poll: its own `err` is what counts, even before its `done` has got round. */
class CustomWatch extends Watch {
  readonly #ctx: Context;
  readonly #node: () => StandIn;
  #named: number | undefined;
  #due = Number.POSITIVE_INFINITY;

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
    this.look(0);
  }

  override look(_at: number): void {
    this.#node().observe(false);
  }

  override deadline(): number | undefined {
    return this.#ctx.deadline();
  }

  override remaining(): number {
    const deadline = this.#ctx.deadline();
    return deadline === undefined ? Number.POSITIVE_INFINITY : deadline - Date.now();
  }

  override due(): number {
    const deadline = this.#ctx.deadline();
    if (deadline === undefined) return Number.POSITIVE_INFINITY;
    // Read off two clocks, a moment apart: once for each deadline it names, or it would be another time at each call.
    if (deadline !== this.#named) {
      this.#named = deadline;
      this.#due = now() + deadline - Date.now();
    }
    return this.#due;
  }
}

class StandIn extends Node {
  #latest: Ending | null = null;

  constructor(ctx: Context) {
    super(ctx, null, new CustomWatch(ctx, () => this));
    this.observe(false);
    if (this.ending === null) void Promise.resolve(ctx.done()).then(() => this.observe(true));
  }

  /**
   * For what is derived now. As in Go, that gets the cause that the custom context has now: where the context of ours below
   * it ended later than itself, the cause of that one. What was derived before keeps what it got.
   */
  override poll(): Ending | null {
    const first = super.poll();
    if (first === null) return null;
    const latest = this.#latest ?? first;
    const reason = causeBelow(this.parent);
    if (reason !== latest.cause()) this.#latest = endingOf(first.error(), reason);
    return this.#latest ?? first;
  }

  /** @param over whether its `done` says that it has ended */
  observe(over: boolean): void {
    if (this.ending !== null) return;
    const ctx = this.parent;
    const error = ctx.err() ?? (over ? new CanceledError() : undefined);
    if (error === undefined) return;
    this.end(endingOf(error, causeBelow(ctx)));
  }
}

function endingOf(error: ContextError, reason: unknown): Ending {
  return new Ending(error.code === "ERR_DEADLINE_EXCEEDED", reason === error ? undefined : reason, error);
}

/** As in Go: the cause of the context of ours that it wraps, if that has ended, else its error. */
export function causeBelow(ctx: Context): unknown {
  const inner = ctx.value(nodeKey);
  const ending = inner !== undefined && Node.is(inner) ? inner.poll() : null;
  return ending === null ? ctx.err() : ending.cause();
}

/** The node of the context of ours that `ctx` wraps without changing its end or deadline; undefined for none. */
export function wrappedNode(ctx: Context): Node | undefined {
  const inner = ctx.value(nodeKey);
  if (inner === undefined || !Node.is(inner)) return undefined;
  return inner.done() === ctx.done() && inner.deadline() === ctx.deadline() ? inner : undefined;
}

const standIns = new WeakMap<Context, StandIn>();

/**
 * The node that ends when the custom context does. That of the context of ours it wraps, if it hands on that one's
 * `done` and `deadline`: then nothing of the wrapper stays behind. Else a stand-in, the same one at every call.
 */
export function nodeBehind(ctx: Context): Node {
  const known = standIns.get(ctx) ?? wrappedNode(ctx);
  if (known !== undefined) return known;
  const standIn = new StandIn(ctx);
  standIns.set(ctx, standIn);
  return standIn;
}
