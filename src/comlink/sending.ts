/** Contexts on their way to another thread: each is a node below the one that was sent, which tells the other side of its end. */
import type { Context } from "../context/context.js";
import { ownerOf } from "../context/derive.js";
import { type Ending, over } from "../context/ending.js";
import { Node } from "../context/node.js";
import { sharedValuesOf } from "../context/with-value.js";
import { carry } from "../workers/carry.js";
import { CANCELED, EXPIRED } from "../workers/lane.js";
import { deadlineOf, noticeOf } from "../workers/terms.js";
import { canShareMemory } from "./platform.js";
import { slotsBehind } from "./received.js";
import { Slot } from "./slots.js";
import {
  type ContextWire,
  type DeadlineWire,
  ENDED,
  PORT,
  type PortLike,
  type PortNotice,
  ROOT,
  SHARED,
  type ValuesWire,
} from "./wire.js";

/** How contexts go over: by shared memory where there is any, unless the user has said otherwise. */
export interface Way {
  readonly sharedMemory: boolean;
}

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
    // Whoever has received it is no more.
    port.addEventListener?.("close", () => {
      this.leave();
    });
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

  protected override leaveWay(): void {
    this.#port.close();
  }
}

/** A context that has been sent. */
export class Sent {
  readonly ctx: Context;
  readonly way: Way;
  readonly wire: ContextWire;
  readonly transfers: readonly object[];
  /** Undefined where nothing will ever have to be told. */
  readonly sending: Sending | undefined;
  /** In how many calls that nobody knows of. */
  uses = 0;

  constructor(
    ctx: Context,
    way: Way,
    wire: ContextWire,
    sending: Sending | undefined,
    transfers: readonly object[] = nothing,
  ) {
    this.ctx = ctx;
    this.way = way;
    this.wire = wire;
    this.sending = sending;
    this.transfers = transfers;
  }

  /** It belongs to one call from now on, whose end gives back what was taken for it. */
  ofCall(): this {
    if (this.sending instanceof SlotSending) this.sending.isBare = false;
    return this;
  }
}

const nothing: readonly object[] = [];

/** Makes ready to be sent what `ctx` is. Throws for what is no context. */
function send(ctx: Context, way: Way): Sent {
  const owner = ownerOf("lifeguard/comlink: ctx", ctx);
  return owner === null
    ? new Sent(ctx, way, [ROOT, sharedValuesOf(ctx)], undefined)
    : sendBelow(owner, ctx, way);
}

/** @param owner what ends it */
function sendBelow(owner: Node, ctx: Context, way: Way): Sent {
  const values = sharedValuesOf(ctx);
  if (owner.poll() !== null) return ended(owner, ctx, way, values);
  const deadline = deadlineWire(owner);
  if (way.sharedMemory && canShareMemory) {
    const sending = new SlotSending(ctx, owner);
    // Its deadline has passed since.
    if (sending.ending !== null) {
      sending.finish(true);
      return ended(owner, ctx, way, values);
    }
    const { page, at: slot, epoch } = sending.slot;
    const under = slotsBehind(owner);
    const wire: ContextWire =
      deadline === undefined && values === undefined && under === undefined
        ? [SHARED, page.buffer, page.id, slot, epoch]
        : [SHARED, page.buffer, page.id, slot, epoch, deadline, values, under];
    return new Sent(ctx, way, wire, sending);
  }
  const { port1, port2 } = new MessageChannel();
  const sending = new PortSending(ctx, owner, port1 as unknown as PortLike);
  if (sending.ending !== null) {
    sending.finish(true);
    return ended(owner, ctx, way, values);
  }
  const port = port2 as unknown as PortLike;
  return new Sent(ctx, way, [PORT, port, deadline, values], sending, [port]);
}

function deadlineWire(node: Node): DeadlineWire {
  const deadline = deadlineOf(node.watch);
  return deadline && [deadline.when, deadline.wall, deadline.cause];
}

function ended(node: Node, ctx: Context, way: Way, values: ValuesWire): Sent {
  const ending = node.ending as Ending;
  const given = ending.given();
  const cause = given === undefined ? undefined : carry(given);
  return new Sent(ctx, way, [ENDED, ending.expired, cause, deadlineWire(node), values], undefined);
}

/** One for each context that lives and has gone along without a call that is known, in however many calls. */
const bares = new WeakMap<Context, Sent>();

/** What was sent last: most are adopted at once, and have no need to be looked up. */
let last: Sent | undefined;

/** What comlink's handler sends for `ctx`, without knowing for which call. */
export function serializeContext(ctx: Context, way: Way): Sent {
  if (last !== undefined) remember();
  const known = bares.get(ctx);
  const sent = known?.sending?.ending === null ? known : send(ctx, way);
  sent.uses++;
  last = sent;
  queueMicrotask(remember);
  return sent;
}

/** From the wire back to what it is of, beside it: structured clone does not look at symbols. */
const origin = Symbol("lifeguard.sent");

type Marked = ContextWire & { [origin]?: Sent };

/** It has not been adopted at once: it may be later, or go along again. */
function remember(): void {
  if (last === undefined) return;
  (last.wire as Marked)[origin] = last;
  // A port goes over once.
  if (last.sending instanceof SlotSending) bares.set(last.ctx, last);
  last = undefined;
}

/**
 * Takes over for one call what the handler has just sent for it; undefined for what is not from it.
 *
 * @param isMortal whether the call may be ended while its context is not: one that never ends needs a place for that, too
 */
export function adopt(wire: unknown, isMortal: boolean): Sent | undefined {
  const sent = last?.wire === wire ? last : (wire as Marked)[origin];
  if (sent === undefined) return undefined;
  const { ctx, way } = sent;
  sent.uses--;
  if (wire === last?.wire) last = undefined;
  if (sent.sending === undefined && isMortal && (wire as ContextWire)[0] === ROOT)
    return sendBelow(new Node(ctx, null, null), ctx, way).ofCall();
  if (sent.uses > 0) return send(ctx, way).ofCall();
  bares.delete(ctx);
  return sent.ofCall();
}
