/** What a client is told when its request comes to nothing, by the error that came of it. */
import type { ServerResponse } from "node:http";
import type { Http2ServerResponse, Http2Stream } from "node:http2";
import { isContextError } from "../context/errors.js";
import { invalidArg } from "../context/invalid.js";
import { behindOf } from "./exchange.js";

/** For frameworks with responses of their own. */
export interface ErrorResponse {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const answer = (status: number, body: string, headers?: Record<string, string>): ErrorResponse => ({
  status,
  headers: { "Content-Type": "text/plain; charset=utf-8", ...headers },
  body,
});

/** For "try again", where nothing says when: s. */
const SOON = 1;

const busy = (retryAfter: number, body: string): ErrorResponse =>
  answer(503, body, { "Retry-After": String(retryAfter) });

/**
 * What answers a request that failed with `error`; undefined when that is none of this library's, and your own business.
 *
 * | error | response |
 * |---|---|
 * | `ERR_OVERLOADED`, of `admit`; `ERR_QUEUE_FULL`, of a pool | 503, `Retry-After` |
 * | the deadline has passed | 503, `Retry-After`, as Go's `TimeoutHandler` |
 * | the server is closing, or its pool is closed | 503, `Retry-After` |
 * | cancelled for another reason | 503 |
 * | the client has gone, or has its response already | 499, nginx's code for it: seen only by who shares the work of another's request |
 */
export function errorResponse(error: unknown): ErrorResponse | undefined {
  const told = tellingOf(error);
  switch (told?.code) {
    case undefined:
      return undefined;
    case "ERR_OVERLOADED":
    case "ERR_QUEUE_FULL":
      return busy(retryAfterOf(told), "The server is busy: try again later.\n");
    case "ERR_DEADLINE_EXCEEDED":
    case "ERR_REQUEST_TIMEOUT":
      return busy(SOON, "There was no answer in time: try again later.\n");
    case "ERR_SERVER_CLOSING":
    case "ERR_POOL_CLOSED":
      return busy(SOON, "The server is closing: try again.\n");
    case "ERR_CLIENT_DISCONNECTED":
    case "ERR_RESPONSE_SENT":
      return answer(499, "");
    case "ABORT_ERR":
      return answer(503, "The request was cancelled.\n");
    default:
      return undefined;
  }
}

type Telling = Error & { readonly code?: unknown; readonly retryAfter?: unknown };

/** The error that says what has happened: the one given, or of a context that was cancelled why. Undefined if it is none of ours. */
function tellingOf(error: unknown): Telling | undefined {
  try {
    // `fetch` and Node's own functions throw errors of theirs, caused by the context's.
    const context = [error, (error as Partial<Error> | null | undefined)?.cause].find(isContextError);
    if (context === undefined) return isOurs(error) ? error : undefined;
    return context.code === "ABORT_ERR" && isOurs(context.cause) ? context.cause : context;
  } catch {
    return undefined; // One that does not want to be looked at.
  }
}

/** By name, as those of another copy of the library are ours, too. */
function isOurs(error: unknown): error is Telling {
  try {
    return error instanceof Error && (error.name === "RequestError" || error.name === "PoolError");
  } catch {
    return false; // A cause may be anything, and not want to be looked at: what it is the cause of counts all the same.
  }
}

function retryAfterOf({ retryAfter }: Telling): number {
  return Number.isSafeInteger(retryAfter) && Number(retryAfter) > 0 ? Number(retryAfter) : SOON;
}

/** Of a response that was being put together, these would be lies; Go's `http.Error` takes such headers off, too. */
const ABOUT_THE_BODY =
  /^(?:content-(?:length|encoding|range|disposition|language|location|md5)|digest|etag|last-modified|age|cache-control|expires|location|trailer|transfer-encoding)$/i;

/** INTERNAL_ERROR of HTTP/2: for a response that was cut off. */
const INTERNAL_ERROR = 2;

/**
 * Answers a request that failed with `error` as `errorResponse` says. When the client has gone, or the response has been
 * sent, there is nothing to do; when it has been begun, it is cut off, so that the client does not take it for complete.
 *
 * @returns false, and does nothing, for an error that is none of this library's, nor caused by one of a context: it wants a 500, and
 * somebody to look at it. An abort error of the platform's counts as one when the client has gone, which is what it came of
 * @throws TypeError ERR_INVALID_ARG
 */
export function respond(res: ServerResponse | Http2ServerResponse, error: unknown): boolean {
  if (typeof res !== "object" || typeof (res as Partial<ServerResponse> | null)?.writeHead !== "function")
    throw invalidArg("respond: res", "a response, such as an http.ServerResponse", res);
  const behind = behindOf(res);
  const stream = "rstCode" in behind ? (behind as Http2Stream) : undefined;
  const isOver = behind.destroyed || stream?.closed === true;
  const response = errorResponse(error);
  if (response === undefined) return isOver && error instanceof DOMException && error.name === "AbortError";
  if (isOver || res.writableEnded) return true;
  // Somebody may be piping into it, and go on with that.
  res.on("error", ignore);
  const { status, body, headers } = response;
  if (res.headersSent) {
    if (stream === undefined) behind.destroy();
    else stream.close(INTERNAL_ERROR);
    return true;
  }
  for (const name of res.getHeaderNames()) if (ABOUT_THE_BODY.test(name)) res.removeHeader(name);
  res.statusCode = status;
  // HTTP/2 has none.
  if (stream === undefined) res.statusMessage = "";
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  res.end(body);
  return true;
}

function ignore(): void {
  // What is written after the end.
}
