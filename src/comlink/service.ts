/** The called side of an endpoint: knows the contexts of each call under way, and ends them with it, or when the caller is gone. */
import { Ending } from "../context/ending.js";
import { reasonOf } from "../context/invalid.js";
import { isGivingUp } from "../workers/giving-up.js";
import { closeProxies, returned } from "./by-reference.js";
import type { Connection, Incoming } from "./connection.js";
import { CallError } from "./errors.js";
import { type Received, receive } from "./received.js";
import { argumentsOf, isRequest, objectionTo, type Request } from "./request.js";
import { serializeThrown, thrownBehind } from "./throwing.js";
import { CONTEXT, type ContextWire, PROXY, THROW, type ThrownWire } from "./wire.js";

interface Answer {
  readonly id?: string;
  readonly name?: string;
  value?: unknown;
}

/** One that is under way. */
interface Call {
  readonly type: Request["type"];
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
  /** Exposes the same once more, over a port of its own, and returns the other end of that. */
  readonly #openAnother: () => object;
  readonly #calls = new Map<string, Call>();
  /** Of objects that it has returned by reference. */
  readonly #children = new Set<Service>();
  #listener: Listener | undefined;
  #onIdle: (() => void) | undefined;

  constructor(
    connection: Connection,
    value: unknown,
    openAnother: () => object,
    allowedOrigins: readonly (string | RegExp)[] = ["*"],
  ) {
    this.#connection = connection;
    this.#value = value;
    this.#openAnother = openAnother;
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

  /** A message that has come, by an event or otherwise. Whatever it is, it neither throws nor reaches what is not exposed. */
  deliver(event: Incoming): void {
    const { data, origin } = event as Incoming & { readonly origin?: string };
    // Another call of the same name is under way: nobody could tell the answers apart.
    if (!isRequest(data) || this.#calls.has(data.id)) return;
    if (!this.#allows(origin)) {
      console.warn(`lifeguard: a call from the origin ${JSON.stringify(origin)} is not answered`);
      return;
    }
    const objection = objectionTo(data);
    if (objection !== undefined) this.#refuse(data, objection);
    else if (!this.#isRefused(data)) this.#make(data, event);
  }

  #make(request: Request, event: Incoming): void {
    if (request.type === "ENDPOINT") {
      // Comlink would expose it in its own way, and look at nothing.
      const value = this.#openAnother();
      this.postMessage({ id: request.id, type: "RAW", value } as Answer, [value]);
      return;
    }
    try {
      this.#listener?.(event);
    } catch (error) {
      // Something among the arguments cannot be read: comlink reads them before it looks at anything else.
      this.#refuse(request, error);
    }
  }

  /** Answers a call that is not made. */
  #refuse(request: Request, error: unknown): void {
    closeProxies(argumentsOf(request));
    const value = serializeThrown(error);
    this.postMessage({ id: request.id, type: "HANDLER", name: THROW, value } as Answer, []);
  }

  #allows(origin: string | undefined): boolean {
    return this.#allowedOrigins.some((each) => {
      if (!(each instanceof RegExp)) return each === "*" || each === origin;
      // Not `test`: with the flag `g` it would go on where it stopped the last time.
      return typeof origin === "string" && origin.search(each) >= 0;
    });
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
    const { id, type, path } = request;
    this.#calls.set(id, { type, path, contexts });
    const over = contexts.find((each) => each.poll() !== null);
    if (over === undefined) return false;
    this.#refuse(request, over.poll()?.error());
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
