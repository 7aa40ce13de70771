/**
 * The calling side of an endpoint: knows each call under way, and the contexts that went along. Every call settles: with its
 * answer, when its context ends, when the other side is gone.
 */
import { type Alarm, dropAlarm, setAlarm } from "../context/alarms.js";
import { now } from "../context/clock.js";
import type { Ending } from "../context/ending.js";
import { isContextError } from "../context/errors.js";
import { closeProxies, ReturnedProxy } from "./by-reference.js";
import { isCloneError, kindOf, notCloneable, type Titled, titleOf } from "./call-errors.js";
import type { Connection, Incoming } from "./connection.js";
import { CallError } from "./errors.js";
import { adopt, type Sent } from "./sending.js";
import { LocalThrow } from "./throwing.js";
import { CONTEXT, PROXY, THROW, type ThrownWire, type WireValue } from "./wire.js";

/** What comlink sends; an answer has `name` and `value` itself. */
interface Message {
  readonly id?: string;
  readonly type?: string;
  readonly path?: readonly string[];
  readonly argumentList?: WireValue[];
  readonly name?: string;
  value?: unknown;
}

/** Waits for the grace of a call to be over. */
class GraceAlarm implements Alarm {
  slot = -1;
  readonly when: number;
  readonly ring: () => void;

  constructor(when: number, ring: () => void) {
    this.when = when;
    this.ring = ring;
  }
}

interface Call {
  readonly id: string;
  /** For its title. */
  readonly type: string | undefined;
  readonly path: readonly string[] | undefined;
  readonly contexts: readonly Sent[];
  grace: GraceAlarm | undefined;
  /** It has been answered. If it is still here, from this side, since its context had ended: the other one is still at it. */
  isAbandoned: boolean;
  /** What its caller has, once he has it. */
  promise: Promise<unknown> | undefined;
}

export interface CallsOptions {
  /** ms that the other side has to answer after a context of the call has ended. */
  readonly grace: number;
  /** The port is of the library's own making, and keeps the process alive only while a call is under way. */
  readonly isOwned: boolean;
  /** `stop` will be called: then contexts end that never do by themselves, too. */
  readonly isMortal?: boolean;
  /** A proxy for this endpoint: held while a call is under way, since comlink drops the calls of one that is collected. */
  readonly anchor: () => object;
  /** Told when the first call comes under way, and when none is any more. */
  readonly busy?: (isBusy: boolean) => void;
  /** When the other side has gone, nobody is there any more who waits for the calls under way: they stay as they are. */
  readonly isForgotten?: boolean;
}

type Listener = (event: Incoming) => void;

/** The endpoint that comlink gets. */
export class Calls {
  readonly #connection: Connection;
  readonly #options: CallsOptions;
  readonly #calls = new Map<string, Call>();
  /** Of those, the ones that have not been answered. */
  #open = 0;
  /** The calls to objects that calls have returned by reference, where these end with it. */
  readonly #children = new Set<Calls>();
  #anchor: object | undefined;
  #listener: Listener | undefined;
  /** Why no call can be made any more. */
  #gone: unknown;
  /** What the other side was ended with, while it has its grace. */
  #stopping: (() => unknown) | undefined;

  constructor(connection: Connection, options: CallsOptions) {
    this.#connection = connection;
    this.#options = options;
    connection.listen(
      (event) => {
        this.#receive(event);
      },
      (why) => {
        // Whoever stops it says why it is gone.
        if (this.#stopping === undefined) this.fail(why);
      },
      true,
    );
    if (options.isOwned) connection.hold(false);
  }

  // ---- what comlink asks of an endpoint

  addEventListener(_type: string, listener: Listener): void {
    // Of a second proxy made as an anchor: it calls nothing.
    this.#listener ??= listener;
  }

  removeEventListener(_type: string, _listener: Listener): void {
    // Comlink takes none off on this side.
  }

  postMessage(message: Message, transfers: readonly object[]): void {
    const { id } = message;
    if (id === undefined) return;
    if (message.type === "RELEASE") {
      this.#release(message, transfers);
      return;
    }
    const { contexts, moved } = this.#adoptAll(message, transfers);
    try {
      this.#refuse(message, contexts);
      this.#connection.post(message, moved);
    } catch (error) {
      for (const { sending } of contexts) sending?.finish(true);
      closeProxies(message.argumentList);
      this.#isRefusedQuietly = this.#isQuiet(error);
      this.#answer(id, isCloneError(error) ? notCloneable(message, error) : error);
      return;
    }
    const { type, path } = message;
    this.#begin({ id, type, path, contexts, grace: undefined, isAbandoned: false, promise: undefined });
  }

  // ---- what else there is to be done with it

  /**
   * What comlink has returned for the call that was just made. By way of a cancellation nothing becomes an unhandled rejection, as
   * nothing does in a pool.
   */
  answered(promise: unknown): void {
    const call = this.#last;
    const isQuiet = this.#isRefusedQuietly;
    this.#last = undefined;
    this.#isRefusedQuietly = false;
    if (!(promise instanceof Promise)) return;
    if (isQuiet) promise.catch(() => {});
    else if (call !== undefined) call.promise = promise;
  }

  #last: Call | undefined;
  #isRefusedQuietly = false;

  #isQuiet(error: unknown): boolean {
    return isContextError(error) || (this.#options.isForgotten === true && this.#gone !== undefined);
  }

  /** No call can be made from now on, and those under way are over: with `why`, where they have no end of their own. */
  fail(why: unknown): void {
    if (this.#gone !== undefined) return;
    this.#gone = why;
    this.#onGone?.();
    this.#connection.unlisten();
    this.#connection.close();
    for (const child of [...this.#children]) child.fail(why);
    for (const call of [...this.#calls.values()]) {
      if (!call.isAbandoned && this.#options.isForgotten !== true)
        this.#reject(call, this.#errOf(call) ?? this.#explain(call, why));
      this.#finish(call, true);
    }
  }

  /** How calls are made to an object that a call has returned by reference. */
  childOptions(): Omit<CallsOptions, "anchor"> {
    const { grace, isMortal, busy } = this.#options;
    return { grace, isOwned: true, ...(isMortal === true && { isMortal, ...(busy && { busy }) }) };
  }

  /** They are made, and end with these, if these can be ended. */
  addChild(child: Calls): void {
    if (this.#options.isMortal !== true) return;
    this.#children.add(child);
    child.#onGone = () => this.#children.delete(child);
    if (this.#stopping !== undefined) child.#stopping = this.#stopping;
    if (this.#gone !== undefined) child.fail(this.#gone);
  }

  #onGone: (() => void) | undefined;

  /** The contexts of all calls under way end with `ending`, and no new call is made: it rejects with what `err` says. */
  stop(ending: Ending, err: () => unknown): void {
    this.#stopping = err;
    for (const child of this.#children) child.stop(ending, err);
    for (const { contexts } of this.#calls.values())
      for (const { sending } of contexts) {
        if (sending === undefined) continue;
        sending.onEnded = undefined;
        sending.end(ending);
      }
  }

  // ---- a call

  /** A context sent by the handler belongs to this call from now on. */
  #adoptAll(
    message: Message,
    transfers: readonly object[],
  ): { readonly contexts: readonly Sent[]; readonly moved: readonly object[] } {
    const contexts: Sent[] = [];
    let moved = transfers;
    for (const arg of message.argumentList ?? []) {
      if (arg.name !== CONTEXT || arg.type !== "HANDLER") continue;
      const ofCall = adopt(arg.value, this.#options.isMortal === true);
      if (ofCall === undefined) continue;
      contexts.push(ofCall);
      if (arg.value === ofCall.wire) continue;
      arg.value = ofCall.wire;
      moved = [...moved, ...ofCall.transfers];
    }
    return { contexts, moved };
  }

  /** Throws why this call is not even made. */
  #refuse(message: Message, contexts: readonly Sent[]): void {
    for (const { ctx } of contexts) {
      const error = ctx.err();
      if (error !== undefined) throw error;
    }
    if (this.#gone instanceof CallError) throw this.#explain(message, this.#gone);
    if (this.#stopping !== undefined)
      throw new CallError("ERR_PEER_CLOSED", `${titleOf(message)}: what it is called on has ended`, {
        cause: this.#stopping(),
      });
    if (this.#gone !== undefined) throw this.#gone as Error;
  }

  #begin(call: Call): void {
    this.#open++;
    if (this.#open === 1) {
      this.#anchor = this.#options.anchor();
      if (this.#options.isOwned) this.#connection.hold(true);
      this.#options.busy?.(true);
    }
    this.#calls.set(call.id, call);
    this.#last = call;
    for (const { sending } of call.contexts) {
      if (sending === undefined) continue;
      sending.onEnded = () => {
        this.#startGrace(call);
      };
      // Its deadline passed while it was posted.
      if (sending.poll() !== null) this.#startGrace(call);
    }
  }

  /** A context of the call has ended. Calls no code of the user's: what settles goes through promises. */
  #startGrace(call: Call): void {
    if (call.grace !== undefined || call.isAbandoned) return;
    const { grace } = this.#options;
    const at = now();
    call.grace = new GraceAlarm(at + grace, () => {
      this.#abandon(call);
    });
    if (grace === 0) this.#abandon(call);
    else if (grace !== Number.POSITIVE_INFINITY) setAlarm(call.grace, at);
  }

  #abandon(call: Call): void {
    this.#close(call);
    this.#reject(call, this.#errOf(call));
  }

  #receive(event: Incoming): void {
    const answer = event.data as Message | null | undefined;
    const call = typeof answer?.id === "string" ? this.#calls.get(answer.id) : undefined;
    if (call === undefined) return;
    const { isAbandoned } = call;
    const error = answer?.name === THROW ? this.#endBehind(call, answer.value ?? {}) : undefined;
    this.#finish(call, true);
    if (isAbandoned) {
      closeProxies([answer as WireValue]);
      return;
    }
    if (answer?.type === "HANDLER" && answer.name === PROXY)
      answer.value = new ReturnedProxy(answer.value, this);
    if (error === undefined) this.#listener?.(event);
    else this.#reject(call, error);
  }

  /** The end of a context of the call, if it is because of that that something was thrown. */
  #endBehind(call: Call, { lifeguard, gaveUp }: Partial<ThrownWire>): unknown {
    if (gaveUp === true) return this.#errOf(call) ?? this.#stopping?.();
    const kind = kindOf(lifeguard);
    if (kind === undefined) return undefined;
    for (const { ctx } of call.contexts) {
      const error = ctx.err();
      if (error !== undefined && (error.code === "ERR_DEADLINE_EXCEEDED") === (kind === "expired"))
        return error;
    }
    return kind === "canceled" ? this.#stopping?.() : undefined;
  }

  /** The error of the first of its contexts that has ended. */
  #errOf(call: Call): unknown {
    for (const { ctx } of call.contexts) {
      const error = ctx.err();
      if (error !== undefined) return error;
    }
    return undefined;
  }

  #finish(call: Call, isAnswered: boolean): void {
    this.#calls.delete(call.id);
    if (call.grace !== undefined) dropAlarm(call.grace);
    for (const { sending } of call.contexts) sending?.finish(isAnswered);
    this.#close(call);
  }

  /** It is answered, by whomever. */
  #close(call: Call): void {
    if (call.isAbandoned) return;
    call.isAbandoned = true;
    this.#open--;
    if (this.#open > 0) return;
    this.#anchor = undefined;
    if (this.#options.isOwned) this.#connection.hold(false);
    this.#options.busy?.(false);
  }

  #reject({ id, promise }: Call, error: unknown): void {
    if (this.#isQuiet(error)) promise?.catch(() => {});
    this.#answer(id, error);
  }

  /** As if the other side had thrown it. */
  #answer(id: string, error: unknown): void {
    this.#listener?.({ data: { id, type: "HANDLER", name: THROW, value: new LocalThrow(error) } });
  }

  /** Comlink's proxies of one endpoint are released together; it has forgotten the calls under way by the time this returns. */
  #release(message: Message, transfers: readonly object[]): void {
    for (const call of [...this.#calls.values()]) {
      if (!call.isAbandoned)
        this.#answer(
          call.id,
          new CallError(
            "ERR_PROXY_RELEASED",
            `${titleOf(call)}: its proxy was released while it was under way`,
          ),
        );
      this.#finish(call, false);
    }
    // What can be stopped is somebody else's to end: it goes on.
    if (this.#gone !== undefined || this.#options.isMortal === true) return;
    // A Worker is its maker's to end, and may have other proxies.
    if (!this.#connection.isShared) this.#connection.post(message, transfers);
    this.fail(new CallError("ERR_PROXY_RELEASED", "the proxy has been released"));
  }

  #explain(call: Titled, why: unknown): unknown {
    if (!(why instanceof CallError)) return why;
    // What comlink stumbles over where there is no such handler.
    const isUnknown = why.cause instanceof Error && why.cause.message.includes("(reading 'deserialize')");
    const hint = isUnknown
      ? "; has the other side called `register()`, with the copy of comlink that it uses?"
      : "";
    return new CallError(why.code, `${titleOf(call)}: ${why.message}${hint}`, { cause: why.cause ?? why });
  }
}
