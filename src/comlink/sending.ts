/** Contexts on their way to another thread: each is a node below the one that was sent, which tells the other side of its end. */
import type { Context } from "../context/context.js";
import { ownerOf } from "../context/derive.js";
import { Ending } from "../context/ending.js";
import { Node } from "../context/node.js";
import { sharedValuesOf } from "../context/with-value.js";
import { carry } from "../workers/carry.js";
import { CANCELED, EXPIRED } from "../workers/lane.js";
import { deadlineOf, noticeOf } from "../workers/terms.js";
import { canShareMemory } from "./platform.js";
import { slotBehind } from "./received.js";
import { Slot } from "./slots.js";
import type { ContextWire, PortLike, PortNotice } from "./wire.js";

/** What a context is on the wire, with what has to be transferred along. */
export interface Sent {
  readonly wire: ContextWire;
  readonly transfers: readonly object[];
  /** Undefined where nothing will ever have to be told. */
  readonly sending: Sending | undefined;
}

/** How contexts go over: by shared memory where there is any, unless the user has said otherwise. */
export interface Way {
  readonly sharedMemory: boolean;
}

/** How the contexts of a call end that is over. One for all. */
const over = new Ending(false, undefined);

/** Ends with the context that was sent, or alone; whatever it ends with, the other side hears of. */
export abstract class Sending extends Node {
  /** Called once, inside the `cancel()` that ends the context: not when the call is over. */
  onEnded: (() => void) | undefined = undefined;

  /** It hangs on `owner` once `linkTo` has been called. */
  constructor(parent: Context, owner: Node) {
    super(parent, null, owner.watch);
  }

  override get listens(): boolean {
    return true;
  }

  protected override ended(): void {
    super.ended();
    this.onEnded?.();
  }

  /** Whether the other side is known to have received it. */
  abstract get hasArrived(): boolean;

  /**
   * The call is over: so is the context on the other side, for whatever was left behind there.
   *
   * @param isAnswered whether the other side has said so itself
   */
  finish(isAnswered: boolean): void {
    this.onEnded = undefined;
    if (this.ending === null) this.end(over);
    this.leaveWay(isAnswered);
  }

  protected abstract leaveWay(isAnswered: boolean): void;

  override get label(): string {
    return "sent";
  }
}

class SlotSending extends Sending {
  readonly slot = Slot.take();
  #hasLeft = false;

  constructor(parent: Context, owner: Node) {
    super(parent, owner);
    this.linkTo(owner);
  }

  /** A loop in another thread is waiting for this store: nothing goes before it. */
  protected override marked(ending: Ending): void {
    if (ending.given() === undefined) this.slot.post(ending.expired ? EXPIRED : CANCELED);
  }

  protected override ended(): void {
    const ending = this.ending as Ending;
    if (ending.given() !== undefined) {
      const notice = noticeOf(ending, this.watch);
      this.slot.putCause(ending, notice);
      this.slot.post(notice);
    }
    this.slot.wake();
    if (this.isBare) this.leaveWay(false);
    super.ended();
  }

  /** No call is known that it belongs to: it is given back when the context ends. */
  isBare = true;

  override get hasArrived(): boolean {
    return this.slot.hasArrived;
  }

  protected override leaveWay(isAnswered: boolean): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.slot.leave(isAnswered);
  }
}

class PortSending extends Sending {
  readonly #port: PortLike;

  constructor(parent: Context, owner: Node, port: PortLike) {
    super(parent, owner);
    this.#port = port;
    port.unref?.();
    this.linkTo(owner);
  }

  protected override ended(): void {
    const ending = this.ending as Ending;
    const notice = noticeOf(ending, this.watch);
    const given = ending.given();
    const cause = given === undefined || notice === EXPIRED ? undefined : carry(given);
    const message: PortNotice = { notice, cause };
    this.#port.postMessage(message);
    this.leaveWay();
    super.ended();
  }

  override get hasArrived(): boolean {
    return true;
  }

  protected override leaveWay(): void {
    this.#port.close();
  }
}

/** Makes ready to be sent what `ctx` is. Throws for what is no context. */
function send(ctx: Context, way: Way): Sent {
  const owner = ownerOf("lifeguard/comlink: ctx", ctx);
  if (owner !== null) return sendBelow(owner, ctx, way);
  return { wire: { type: "root", values: sharedValuesOf(ctx) }, transfers: [], sending: undefined };
}

/** @param owner what ends it */
function sendBelow(owner: Node, ctx: Context, way: Way): Sent {
  const values = sharedValuesOf(ctx);
  if (owner.poll() !== null) return ended(owner, values);
  const deadline = deadlineOf(owner.watch);
  if (way.sharedMemory && canShareMemory()) {
    const sending = new SlotSending(ctx, owner);
    // Its deadline has passed since.
    if (sending.ending !== null) {
      sending.finish(true);
      return ended(owner, values);
    }
    const { page, at: slot, epoch } = sending.slot;
    const under = slotBehind(owner);
    const wire: ContextWire = {
      type: "shared",
      page: page.buffer,
      pageId: page.id,
      slot,
      epoch,
      deadline,
      values,
      under,
    };
    return { wire, transfers: [], sending };
  }
  const { port1, port2 } = new MessageChannel();
  const sending = new PortSending(ctx, owner, port1 as unknown as PortLike);
  if (sending.ending !== null) {
    sending.finish(true);
    return ended(owner, values);
  }
  const port = port2 as unknown as PortLike;
  return { wire: { type: "port", port, deadline, values }, transfers: [port], sending };
}

function ended(node: Node, values: ContextWire["values"]): Sent {
  const { expired, given } = endOf(node);
  const wire: ContextWire = {
    type: "ended",
    expired,
    cause: given === undefined ? undefined : carry(given),
    deadline: deadlineOf(node.watch),
    values,
  };
  return { wire, transfers: [], sending: undefined };
}

function endOf(node: Node): { readonly expired: boolean; readonly given: unknown } {
  const ending = node.ending as Ending;
  return { expired: ending.expired, given: ending.given() };
}

/** What comlink's handler has sent for a context, without knowing for which call. */
interface Bare {
  readonly ctx: Context;
  readonly sent: Sent;
  readonly way: Way;
  /** In how many calls. */
  uses: number;
}

/** Where a wire comes from, beside it: structured clone does not look at symbols. */
const origin = Symbol("lifeguard.bare");

type Marked = ContextWire & { [origin]?: Bare };

/** One for each context that lives, in however many calls it goes along. */
const bares = new WeakMap<Context, Bare>();

/** What comlink's handler sends for `ctx`. */
export function serializeContext(ctx: Context, way: Way): Sent {
  let bare = bares.get(ctx);
  if (bare === undefined || bare.sent.sending?.ending !== null) {
    bare = { ctx, sent: send(ctx, way), way, uses: 0 };
    (bare.sent.wire as Marked)[origin] = bare;
    // A port goes over once.
    if (bare.sent.sending instanceof SlotSending) bares.set(ctx, bare);
  }
  bare.uses++;
  return bare.sent;
}

/** A context of a call that is known, so that its end gives back what was taken for it. */
export interface OfCall extends Sent {
  readonly ctx: Context;
}

/**
 * Takes over for one call what the handler has just sent for it; undefined for what is not from it.
 *
 * @param isMortal whether the call may be ended while its context is not: one that never ends needs a place for that, too
 */
export function adopt(wire: object, isMortal: boolean): OfCall | undefined {
  const bare = (wire as Marked)[origin];
  if (bare === undefined) return undefined;
  const { ctx, way, sent } = bare;
  if (sent.wire.type === "root" && isMortal)
    return ofCall(ctx, sendBelow(new Node(ctx, null, null), ctx, way));
  bare.uses--;
  if (bare.uses > 0) return ofCall(ctx, send(ctx, way));
  bares.delete(ctx);
  return ofCall(ctx, sent);
}

function ofCall(ctx: Context, sent: Sent): OfCall {
  if (sent.sending instanceof SlotSending) sent.sending.isBare = false;
  return { ctx, ...sent };
}
