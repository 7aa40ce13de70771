/** The called side of an endpoint: knows the contexts of each call under way, and ends them with it, or when the caller is gone. */
import { Ending } from "../context/ending.js";
import { reasonOf } from "../context/invalid.js";
import { isGivingUp } from "../workers/giving-up.js";
import { closeProxies, returned } from "./by-reference.js";
import type { Connection, Incoming } from "./connection.js";
import { CallError } from "./errors.js";
import { type Received, receive } from "./received.js";
import { serializeThrown, thrownBehind } from "./throwing.js";
import { CONTEXT, type ContextWire, PROXY, THROW, type ThrownWire, type WireValue } from "./wire.js";

interface Request {
  readonly id?: string;
  readonly type?: string;
  readonly path?: readonly string[];
  readonly argumentList?: WireValue[];
}

interface Answer {
  readonly id?: string;
  readonly name?: string;
  value?: unknown;
}

/** One that is under way. */
interface Call {
  readonly type: string | undefined;
  readonly path: readonly string[] | undefined;
  readonly contexts: readonly Received[];
}

type Listener = (event: Incoming) => void;

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** The endpoint that comlink gets. */
export class Service {
  readonly #connection: Connection;
  /** What is exposed. */
  readonly #value: unknown;
  readonly #allowedOrigins: readonly (string | RegExp)[];
  readonly #calls = new Map<string, Call>();
  /** Of objects that it has returned by reference. */
  readonly #children = new Set<Service>();
  #listener: Listener | undefined;
  #onIdle: (() => void) | undefined;

  constructor(connection: Connection, value: unknown, allowedOrigins: readonly (string | RegExp)[] = ["*"]) {
    this.#connection = connection;
    this.#value = value;
    this.#allowedOrigins = allowedOrigins;
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
      false,
    );
  }

  /** The caller has released the proxy. */
  removeEventListener(): void {
    this.close(new CallError("ERR_PROXY_RELEASED", "the proxy was released"));
  }

  postMessage(answer: Answer, transfers: readonly object[]): void {
    const call = answer.id === undefined ? undefined : this.#calls.get(answer.id);
    if (call !== undefined && answer.name === THROW)
      answer.value = this.#explain(call, answer.value as ThrownWire);
    if (answer.name === PROXY) this.#addChild(returned.get(answer.value as object));
    try {
      this.#connection.post(answer, transfers);
    } catch (error) {
      this.#postInstead(uncloneable(answer, error));
    } finally {
      this.#finish(answer.id);
    }
  }

  #postInstead(answer: object): void {
    try {
      this.#connection.post(answer, undefined);
    } catch {
      // It was not the answer: nothing can be posted any more, and nobody is waiting.
    }
  }

  // ---- what else there is to be done with it

  /** A message that has come, by an event or otherwise. */
  deliver(event: Incoming): void {
    const request = event.data as Request | null | undefined;
    const isAllowed = this.#allows((event as { readonly origin?: string }).origin);
    // Comlink says what it says of an origin that is not allowed.
    if (
      isAllowed &&
      typeof request?.id === "string" &&
      request.type !== undefined &&
      this.#isRefused(request)
    )
      return;
    this.#listener?.(event);
  }

  #allows(origin: string | undefined): boolean {
    return this.#allowedOrigins.some(
      (each) =>
        each === "*" ||
        each === origin ||
        (each instanceof RegExp && origin !== undefined && each.test(origin)),
    );
  }

  /** Takes no more calls; the contexts of those under way end with `why`. */
  close(why: CallError): void {
    this.#connection.unlisten();
    this.#gone(why);
    this.#connection.close();
  }

  /** Resolves when no call is under way, to what it has returned by reference neither. */
  async idle(): Promise<void> {
    for (let busy = this.#busy(); busy !== undefined; busy = this.#busy()) {
      const { promise, resolve } = deferred();
      busy.#onIdle = resolve;
      await promise;
    }
  }

  #busy(): Service | undefined {
    if (this.#calls.size > 0) return this;
    for (const child of this.#children) {
      const busy = child.#busy();
      if (busy !== undefined) return busy;
    }
    return undefined;
  }

  #addChild(child: Service | undefined): void {
    if (child === undefined) return;
    this.#children.add(child);
    child.#onGone = () => this.#children.delete(child);
  }

  #onGone: (() => void) | undefined;

  /** The contexts of all calls under way end. */
  #stop(ending: Ending): void {
    for (const { contexts } of [...this.#calls.values()]) for (const each of contexts) each.finish(ending);
  }

  /** Takes the contexts out of the message. A call whose context has ended on the way is not made: it would be for nobody. */
  #isRefused(request: Request): boolean {
    const contexts: Received[] = [];
    for (const arg of argumentsOf(request)) {
      if (arg.type !== "HANDLER" || arg.name !== CONTEXT) continue;
      const received = receive(arg.value as ContextWire);
      contexts.push(received);
      arg.value = received;
    }
    if (!isCall(request)) return false;
    const { type, path } = request;
    this.#calls.set(request.id as string, { type, path, contexts });
    const over = contexts.find((each) => each.poll() !== null);
    if (over === undefined) return false;
    closeProxies(argumentsOf(request));
    const value = serializeThrown(over.poll()?.error());
    this.postMessage({ id: request.id as string, type: "HANDLER", name: THROW, value } as Answer, []);
    return true;
  }

  #finish(id: string | undefined): void {
    const call = id === undefined ? undefined : this.#calls.get(id);
    if (call === undefined) return;
    this.#calls.delete(id as string);
    for (const each of call.contexts) each.finish();
    if (this.#calls.size === 0) this.#onIdle?.();
  }

  /** What was thrown, with what is known here about why. */
  #explain({ type, path = [], contexts }: Call, wire: ThrownWire): ThrownWire {
    const thrown = thrownBehind(wire);
    if (thrown === undefined) return wire;
    // The caller has the very error.
    if (contexts.some((each) => each.poll() !== null && isGivingUp(each.ctx, thrown.error)))
      wire.gaveUp = true;
    const isCalled = type === "APPLY" || type === "CONSTRUCT";
    if (isCalled && thrown.error instanceof TypeError && !isMethod(this.#value, path))
      return serializeThrown(unknownMethod(this.#value, path, thrown.error));
    return wire;
  }

  #gone(why: CallError): void {
    this.#stop(new Ending(false, why));
    this.#calls.clear();
    this.#onIdle?.();
    this.#onGone?.();
  }
}

/** What there is to be read of them, whatever has come. */
function argumentsOf({ argumentList }: Request): readonly WireValue[] {
  const isList = Array.isArray(argumentList);
  return isList ? argumentList.filter((arg: unknown) => typeof arg === "object" && arg !== null) : [];
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

/** Whether there is something to call at the end of the path. Comlink's own error for it speaks of its insides. */
function isMethod(value: unknown, path: readonly string[]): boolean {
  try {
    return typeof path.reduce(memberOf, value) === "function";
  } catch {
    return false;
  }
}

function memberOf(value: unknown, name: string): unknown {
  return (value as Record<string, unknown>)[name];
}

function unknownMethod(value: unknown, path: readonly string[], cause: unknown): CallError {
  const names = methodsOf(value)
    .map((each) => JSON.stringify(each))
    .join(", ");
  return new CallError(
    "ERR_UNKNOWN_METHOD",
    `what is exposed has no method ${JSON.stringify(path.join("."))}; it has ${names === "" ? "none" : names}`,
    { cause },
  );
}

/** The names of its methods, its own and inherited ones, for a message. */
function methodsOf(value: unknown): string[] {
  const names = new Set<string>();
  for (
    let at: unknown = value;
    ((typeof at === "object" && at !== null) || typeof at === "function") &&
    at !== Object.prototype &&
    at !== Function.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    for (const [name, { value: held }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
      if (typeof held === "function" && name !== "constructor") names.add(name);
  }
  return [...names];
}

function uncloneable({ id }: Answer, error: unknown): object {
  const why = new CallError(
    "ERR_NOT_CLONEABLE",
    `the result cannot be cloned to the caller's thread: ${reasonOf(error)}`,
    { cause: error },
  );
  return { id, type: "HANDLER", name: THROW, value: serializeThrown(why) };
}
