/** The called side of an endpoint: knows the contexts of each call under way, and ends them with it, or when the caller is gone. */
import { Ending } from "../context/ending.js";
import { reasonOf } from "../context/invalid.js";
import { isGivingUp } from "../workers/giving-up.js";
import type { WireValue } from "./calls.js";
import type { Connection, Incoming } from "./connection.js";
import { CallError } from "./errors.js";
import { type Received, receive } from "./received.js";
import { serializeThrown, thrownBehind } from "./throwing.js";
import { CONTEXT, type ContextWire, THROW, type ThrownWire } from "./wire.js";

interface Request {
  readonly id?: string;
  readonly type?: string;
  readonly argumentList?: WireValue[];
}

interface Answer {
  readonly id?: string;
  readonly name?: string;
  readonly value?: unknown;
}

type Listener = (event: Incoming) => void;

/** The endpoint that comlink gets. */
export class Service {
  readonly #connection: Connection;
  /** The contexts of the calls under way that have any. */
  readonly #calls = new Map<string, readonly Received[]>();
  /** Of all calls under way, with contexts or without. */
  #underWay = 0;
  #listener: Listener | undefined;
  #onIdle: (() => void) | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  // ---- what comlink asks of an endpoint

  addEventListener(_type: string, listener: Listener): void {
    this.#listener = listener;
    this.#connection.listen(
      (event) => {
        this.deliver(event);
      },
      (why) => {
        this.#gone(why);
      },
    );
  }

  /** The caller has released the proxy. */
  removeEventListener(): void {
    this.#connection.unlisten();
    this.#gone(new CallError("ERR_PROXY_RELEASED", "the proxy was released"));
    this.#connection.close();
  }

  postMessage(answer: Answer, transfers: readonly object[]): void {
    const contexts = answer.id === undefined ? undefined : this.#calls.get(answer.id);
    if (contexts !== undefined && answer.name === THROW) markEnd(contexts, answer.value as ThrownWire);
    try {
      this.#connection.post(answer, transfers);
    } catch (error) {
      this.#connection.post(uncloneable(answer, error), undefined);
    } finally {
      this.#finish(answer.id);
    }
  }

  // ---- what else there is to be done with it

  /** A message that has come, by an event or otherwise. */
  deliver(event: Incoming): void {
    const request = event.data as Request | null | undefined;
    if (typeof request?.id === "string" && request.type !== undefined && this.#isRefused(request)) return;
    this.#listener?.(event);
  }

  /** Resolves when no call is under way. */
  idle(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** The contexts of all calls under way end. */
  stop(ending: Ending): void {
    for (const contexts of [...this.#calls.values()]) for (const each of contexts) each.finish(ending);
  }

  /** Takes the contexts out of the message. A call whose context has ended on the way is not made: it would be for nobody. */
  #isRefused(request: Request): boolean {
    const contexts: Received[] = [];
    for (const arg of request.argumentList ?? []) {
      if (arg.type !== "HANDLER" || arg.name !== CONTEXT) continue;
      const received = receive(arg.value as ContextWire);
      contexts.push(received);
      arg.value = received;
    }
    if (!isCall(request)) return false;
    this.#underWay++;
    if (contexts.length === 0) return false;
    this.#calls.set(request.id as string, contexts);
    const over = contexts.find((each) => each.poll() !== null);
    if (over === undefined) return false;
    const value = serializeThrown(over.poll()?.error());
    this.postMessage({ id: request.id as string, type: "HANDLER", name: THROW, value } as Answer, []);
    return true;
  }

  #finish(id: string | undefined): void {
    if (id === undefined) return;
    this.#underWay--;
    if (this.#underWay === 0) this.#onIdle?.();
    const contexts = this.#calls.get(id);
    if (contexts === undefined) return;
    this.#calls.delete(id);
    for (const each of contexts) each.finish();
  }

  #gone(why: CallError): void {
    this.stop(new Ending(false, why));
    this.#calls.clear();
  }
}

/** Something that is answered once; an answer to a call in the other direction, over the same endpoint, is none. */
function isCall({ type }: Request): boolean {
  switch (type) {
    case "GET":
    case "SET":
    case "APPLY":
    case "CONSTRUCT":
    case "ENDPOINT":
    case "RELEASE":
      return true;
    default:
      return false;
  }
}

/** Says so if what was thrown is the end of a context of the call: the caller has the very error. */
function markEnd(contexts: readonly Received[], wire: ThrownWire): void {
  const thrown = thrownBehind(wire);
  if (thrown === undefined) return;
  const hasGivenUp = contexts.some((each) => each.poll() !== null && isGivingUp(each.ctx, thrown.error));
  if (hasGivenUp) wire.gaveUp = true;
}

function uncloneable({ id }: Answer, error: unknown): object {
  const why = new CallError(
    "ERR_NOT_CLONEABLE",
    `the result cannot be cloned to the caller's thread: ${reasonOf(error)}`,
    { cause: error },
  );
  return { id, type: "HANDLER", name: THROW, value: serializeThrown(why) };
}
