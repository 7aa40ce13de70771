/** What a client is told when its request comes to nothing, by the error that came of it. */
import type { ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import { isContextError } from "../context/errors.js";
import { invalidArg } from "../context/invalid.js";
import type { RequestError } from "./errors.js";

/** For frameworks with responses of their own. */
export interface ErrorResponse {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const text = { "Content-Type": "text/plain; charset=utf-8" };

/** For "try again", where nothing says when: s. */
const SOON = 1;

const busy = (retryAfter: number, body: string, headers?: Record<string, string>): ErrorResponse => ({
  status: 503,
  headers: { ...text, "Retry-After": String(retryAfter), ...headers },
  body,
});
const closing = (): ErrorResponse =>
  busy(SOON, "The server is closing: try again.\n", { Connection: "close" });

/**
 * What answers a request that failed with `error`; undefined when that is none of this library's, and your own business.
 *
 * | error | response |
 * |---|---|
 * | `ERR_OVERLOADED`, of `admit`; `ERR_QUEUE_FULL`, of a pool | 503, `Retry-After` |
 * | the deadline has passed | 503, `Retry-After`, as Go's `TimeoutHandler` |
 * | the server is closing, or its pool is closed | 503, `Retry-After`, `Connection: close` |
 * | cancelled for another reason | 503 |
 * | the client has gone, or has its response already | 499, which nobody gets to see: nginx's code for it |
 */
export function errorResponse(error: unknown): ErrorResponse | undefined {
  switch (codeOf(error)) {
    case "ERR_OVERLOADED":
    case "ERR_QUEUE_FULL": {
      const { retryAfter = SOON } = error as Partial<RequestError>;
      return busy(retryAfter, "The server is busy: try again later.\n");
    }
    case "ERR_DEADLINE_EXCEEDED":
    case "ERR_REQUEST_TIMEOUT":
      return busy(SOON, "The server is busy: there was no answer in time.\n");
    case "ERR_SERVER_CLOSING":
    case "ERR_POOL_CLOSED":
      return closing();
    case "ERR_CLIENT_DISCONNECTED":
    case "ERR_RESPONSE_SENT":
      return { status: 499, headers: text, body: "" };
    case "ABORT_ERR":
      return { status: 503, headers: text, body: "The request was cancelled.\n" };
    default:
      return undefined;
  }
}

function codeOf(error: unknown): unknown {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { code?: unknown } | null };
  if (!isContextError(error)) return code;
  // Why a context was cancelled says more than that it was.
  return code === "ABORT_ERR" && isOurs(cause?.code) ? cause?.code : code;
}

function isOurs(code: unknown): boolean {
  return (
    code === "ERR_CLIENT_DISCONNECTED" ||
    code === "ERR_RESPONSE_SENT" ||
    code === "ERR_SERVER_CLOSING" ||
    code === "ERR_POOL_CLOSED"
  );
}

/** Of a response that was being put together, these would be lies; Go's `http.Error` takes the same ones off. */
const ABOUT_THE_BODY =
  /^(?:content-(?:length|encoding|range|disposition)|etag|last-modified|cache-control|expires|transfer-encoding)$/i;

/** INTERNAL_ERROR of HTTP/2: for a response that was cut off. */
const INTERNAL_ERROR = 2;

/**
 * Answers a request that failed with `error` as `errorResponse` says. When the client has gone, or the response has been
 * sent, there is nothing to do; when it has been begun, it is cut off, so that the client does not take it for complete.
 *
 * @returns false, and does nothing, for an error that is none of this library's: it wants a 500, and somebody to look at it
 * @throws TypeError ERR_INVALID_ARG
 */
export function respond(res: ServerResponse | Http2ServerResponse, error: unknown): boolean {
  if (typeof res !== "object" || typeof (res as Partial<ServerResponse> | null)?.writeHead !== "function")
    throw invalidArg("respond: res", "a response, such as an http.ServerResponse", res);
  const response = errorResponse(error);
  if (response === undefined) return false;
  const stream = "stream" in res ? res.stream : undefined;
  const isOver = stream === undefined ? (res as ServerResponse).destroyed : stream.destroyed || stream.closed;
  if (isOver || res.writableEnded) return true;
  const { status, body, headers } = response;
  if (res.headersSent) {
    if (stream === undefined) (res as ServerResponse).destroy();
    else stream.close(INTERNAL_ERROR);
    return true;
  }
  for (const name of res.getHeaderNames()) if (ABOUT_THE_BODY.test(name)) res.removeHeader(name);
  res.statusCode = status;
  for (const [name, value] of Object.entries(headers)) {
    // HTTP/2 has no such header.
    if (stream === undefined || name !== "Connection") res.setHeader(name, value);
  }
  res.end(body);
  return true;
}
