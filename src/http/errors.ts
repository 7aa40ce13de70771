/** Why the context of a request has ended, and why a request is turned away. */
import { withoutFrames } from "../context/ending.js";

/**
 * - `ERR_CLIENT_DISCONNECTED`: the client has gone, or has reset the stream, before the response was sent.
 * - `ERR_RESPONSE_SENT`: the response has been sent: whatever still works for it works for nobody.
 * - `ERR_SERVER_CLOSING`: the server shuts down, and has waited long enough.
 * - `ERR_REQUEST_TIMEOUT`: the time for the request is over, the server's or the caller's.
 * - `ERR_OVERLOADED`: there is no room in the queue, or the answer would come too late.
 */
export type RequestErrorCode =
  | "ERR_CLIENT_DISCONNECTED"
  | "ERR_RESPONSE_SENT"
  | "ERR_SERVER_CLOSING"
  | "ERR_REQUEST_TIMEOUT"
  | "ERR_OVERLOADED";

/** The cause of a request's context, and what `admit` throws; `code` says which. */
export class RequestError extends Error {
  readonly code: RequestErrorCode;
  /** With ERR_OVERLOADED: when to try again, whole seconds from now, 1 or more. */
  readonly retryAfter?: number;

  constructor(code: RequestErrorCode, message: string, options?: ErrorOptions & { retryAfter?: number }) {
    super(message, options);
    this.code = code;
    if (options?.retryAfter !== undefined) this.retryAfter = options.retryAfter;
  }
}

Object.defineProperty(RequestError.prototype, "name", {
  value: "RequestError",
  writable: true,
  configurable: true,
});

const messages = {
  ERR_CLIENT_DISCONNECTED: "client disconnected",
  ERR_RESPONSE_SENT: "response sent",
  ERR_SERVER_CLOSING: "server closing",
  ERR_REQUEST_TIMEOUT: "request timed out",
} as const;

/** A cause. Without stack frames, which would point into Node's event loop. */
export function causeFor(code: keyof typeof messages, options?: ErrorOptions): RequestError {
  return withoutFrames(() => new RequestError(code, messages[code], options));
}
