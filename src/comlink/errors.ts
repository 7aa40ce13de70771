/** What goes wrong with a call rather than in what is called. */

/**
 * - `ERR_PEER_CLOSED`: the other side has gone: its port is closed, or the actor has ended.
 * - `ERR_WORKER_CRASHED`: the thread on the other side has died; `cause` says of what.
 * - `ERR_PROXY_RELEASED`: the proxy was released while the call was under way.
 * - `ERR_NOT_CLONEABLE`: an argument, a shared value or a result cannot be cloned to the other thread; `cause` is the reason.
 * - `ERR_UNKNOWN_METHOD`: what is exposed has no such method; the message lists those it has.
 * - `ERR_ACTOR_MODULE`: the actor's module could not be loaded, or what it exports could not be made; `cause` says why.
 */
export type CallErrorCode =
  | "ERR_PEER_CLOSED"
  | "ERR_WORKER_CRASHED"
  | "ERR_PROXY_RELEASED"
  | "ERR_NOT_CLONEABLE"
  | "ERR_UNKNOWN_METHOD"
  | "ERR_ACTOR_MODULE";

/** A call to another thread could not be made or answered; `code` says which. */
export class CallError extends Error {
  declare readonly code: CallErrorCode;

  constructor(code: CallErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    Object.defineProperty(this, "code", { value: code, enumerable: true, configurable: true });
  }
}

Object.defineProperty(CallError.prototype, "name", {
  value: "CallError",
  writable: true,
  configurable: true,
});
