/** The two ways in which what is on the other side of an endpoint is heard, for each kind of endpoint: it speaks, or it is gone. */

import { invalidArg, reasonOf } from "../context/invalid.js";
import { refuseDetached } from "../workers/transfer.js";
import { CallError } from "./errors.js";

/** A message, as comlink wants it. */
export interface Incoming {
  readonly data: unknown;
}

export interface Connection {
  /** @throws DOMException DataCloneError, and what getters throw */
  post(message: unknown, transfers: readonly object[] | undefined): void;
  /**
   * Once. `onGone` is called once, when the other side is known to be gone: never after `unlisten`.
   *
   * @param isCaller whether errors of the other side are of interest: who is called lets them go where they go
   */
  listen(onMessage: (event: Incoming) => void, onGone: (why: CallError) => void, isCaller: boolean): void;
  unlisten(): void;
  /** Others may speak through it as well: a Worker. */
  readonly isShared: boolean;
  /** Of a port, which is of no use to anybody once its other end is: closes it. Of anything else: nothing, it is somebody else's. */
  close(): void;
  /** Of a port in Node: whether it keeps the process alive. Of anything else: nothing. */
  hold(isHeld: boolean): void;
}

/** What comlink calls an endpoint, and Node's own Worker, which is none. */
export type AnyEndpoint = EndpointLike | NodeWorker;

/** A Worker or MessagePort of a browser, a MessagePort of Node, what `windowEndpoint` returns, or anything like them. */
export interface EndpointLike {
  // `never`: comlink's own, and the platforms', each have their types for these.
  postMessage(message: never, transfer?: never): void;
  addEventListener(type: never, listener: never, options?: never): void;
  removeEventListener(type: never, listener: never, options?: never): void;
  start?(): void;
}

/** Node's Worker. */
export interface NodeWorker {
  readonly threadId: number;
  postMessage(message: unknown, transfer?: readonly never[]): void;
  on(event: string, listener: (...args: never[]) => void): unknown;
  off(event: string, listener: (...args: never[]) => void): unknown;
  terminate(): unknown;
}

/** The same, as it is called from here. */
interface Endpoint {
  postMessage(message: unknown, transfer?: readonly object[]): void;
  addEventListener(type: string, listener: (event: never) => void): void;
  removeEventListener(type: string, listener: (event: never) => void): void;
  start?(): void;
  close?(): void;
  hasRef?(): boolean;
  ref?(): void;
  unref?(): void;
}

/** @throws TypeError ERR_INVALID_ARG, naming `where` */
export function connect(where: string, endpoint: unknown): Connection {
  const has = (...names: readonly string[]): boolean =>
    names.every((name) => typeof (endpoint as Record<string, unknown>)[name] === "function");
  if ((typeof endpoint === "object" || typeof endpoint === "function") && endpoint !== null) {
    if (has("postMessage", "addEventListener", "removeEventListener"))
      return new EndpointConnection(endpoint as Endpoint);
    if (has("postMessage", "on", "off", "terminate")) return new WorkerConnection(endpoint as NodeWorker);
  }
  throw invalidArg(where, "a Worker, a MessagePort or another endpoint of comlink's", endpoint);
}

class WorkerConnection implements Connection {
  readonly isShared = true;
  readonly #worker: NodeWorker;
  #error: unknown;
  #onMessage: ((data: unknown) => void) | undefined;
  #onExit: ((code: number) => void) | undefined;

  constructor(worker: NodeWorker) {
    this.#worker = worker;
  }

  post(message: unknown, transfers: readonly object[] | undefined): void {
    refuseDetached(transfers);
    this.#worker.postMessage(message, transfers as readonly never[]);
  }

  readonly #onError = (error: unknown): void => {
    this.#error = error;
  };

  listen(onMessage: (event: Incoming) => void, onGone: (why: CallError) => void, isCaller: boolean): void {
    this.#onMessage = (data) => {
      onMessage({ data });
    };
    this.#onExit = (code) => {
      this.unlisten();
      const cause = this.#error ?? new Error(`the thread exited with code ${String(code)}`);
      onGone(
        new CallError("ERR_WORKER_CRASHED", `the thread on the other side died: ${reasonOf(cause)}`, {
          cause,
        }),
      );
    };
    this.#worker.on("message", this.#onMessage);
    if (isCaller) this.#worker.on("error", this.#onError);
    this.#worker.on("exit", this.#onExit);
    // It has exited before.
    if (this.#worker.threadId === -1) queueMicrotask(() => this.#onExit?.(0));
  }

  unlisten(): void {
    if (this.#onMessage !== undefined) this.#worker.off("message", this.#onMessage);
    if (this.#onExit !== undefined) this.#worker.off("exit", this.#onExit);
    this.#onMessage = undefined;
    this.#onExit = undefined;
    this.#worker.off("error", this.#onError);
  }

  close(): void {
    // Whoever has made it ends it.
  }

  hold(): void {
    // The same.
  }
}

class EndpointConnection implements Connection {
  readonly #endpoint: Endpoint;
  #off: (() => void) | undefined;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  post(message: unknown, transfers: readonly object[] | undefined): void {
    refuseDetached(transfers);
    this.#endpoint.postMessage(message, transfers);
  }

  listen(onMessage: (event: Incoming) => void, onGone: (why: CallError) => void, isCaller: boolean): void {
    const endpoint = this.#endpoint;
    let hasSpoken = false;
    const message = (event: Incoming): void => {
      hasSpoken = true;
      onMessage(event);
    };
    const close = (event: unknown): void => {
      if (isMessage(event)) return;
      this.unlisten();
      onGone(new CallError("ERR_PEER_CLOSED", "the other side has gone: its port is closed"));
    };
    // A browser's worker goes on after an error. Only one that has not got to its first answer may have failed to load.
    const error = (event: { readonly error?: unknown; readonly message?: string }): void => {
      if (hasSpoken || isMessage(event)) return;
      this.unlisten();
      const cause = event.error ?? new Error(event.message ?? "its script could not be loaded");
      onGone(
        new CallError("ERR_WORKER_CRASHED", `the worker failed before its first answer: ${reasonOf(cause)}`, {
          cause,
        }),
      );
    };
    endpoint.addEventListener("message", message);
    endpoint.addEventListener("close", close);
    if (isCaller) endpoint.addEventListener("error", error);
    this.#off = () => {
      endpoint.removeEventListener("message", message);
      endpoint.removeEventListener("close", close);
      endpoint.removeEventListener("error", error);
    };
    endpoint.start?.();
    // It was closed before, and has said so to nobody.
    if (this.#isClosed)
      queueMicrotask(() => {
        if (this.#off !== undefined) close({});
      });
  }

  /** Of a port in Node: whether it has been closed for so long that no event will tell. */
  get #isClosed(): boolean {
    const endpoint = this.#endpoint;
    if (endpoint.hasRef === undefined || endpoint.hasRef()) return false;
    // With a listener a port holds the process, unless somebody wanted otherwise. A closed one never does.
    endpoint.ref?.();
    const isClosed = !endpoint.hasRef();
    if (!isClosed) endpoint.unref?.();
    return isClosed;
  }

  unlisten(): void {
    this.#off?.();
    this.#off = undefined;
  }

  close(): void {
    if (this.#isPort) this.#endpoint.close?.();
  }

  hold(isHeld: boolean): void {
    if (!this.#isPort) return;
    if (isHeld) this.#endpoint.ref?.();
    else this.#endpoint.unref?.();
  }

  get isShared(): boolean {
    return this.#kind === "Worker";
  }

  /** As comlink tells them. */
  get #isPort(): boolean {
    return this.#kind === "MessagePort";
  }

  get #kind(): unknown {
    return (this.#endpoint as { constructor?: { name?: unknown } }).constructor?.name;
  }
}

/** Comlink's `nodeEndpoint` takes every listener for one of messages, whatever it is to listen to. */
function isMessage(event: unknown): boolean {
  return typeof event === "object" && event !== null && "data" in event;
}

/** A connection of which somebody else says when the other side is gone: a thread's exit tells more than its closed ports. */
export interface ToldConnection extends Connection {
  /** A message that has come, and that no event has brought yet. */
  deliver(data: unknown): void;
}

export function untilTold(connection: Connection): ToldConnection {
  let listener: ((event: Incoming) => void) | undefined;
  return {
    ...handedOn(connection),
    listen(onMessage, _onGone, isCaller) {
      listener = onMessage;
      connection.listen(onMessage, () => {}, isCaller);
    },
    deliver: (data) => listener?.({ data }),
  };
}

/** The same connection, which nobody here closes: it is somebody else's. */
export function kept(connection: Connection): Connection {
  return { ...handedOn(connection), close() {} };
}

/** All that it does, to be spread. */
function handedOn(connection: Connection): Connection {
  return {
    isShared: connection.isShared,
    post: (message, transfers) => connection.post(message, transfers),
    listen: (onMessage, onGone, isCaller) => connection.listen(onMessage, onGone, isCaller),
    unlisten: () => connection.unlisten(),
    close: () => connection.close(),
    hold: (isHeld) => connection.hold(isHeld),
  };
}
