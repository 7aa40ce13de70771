/** The context of a request: everything that works for it ends with it. */
import type { Context } from "../context/context.js";
import { ownerOf } from "../context/derive.js";
import { Ending } from "../context/ending.js";
import { invalidArg } from "../context/invalid.js";
import { Node } from "../context/node.js";
import { withTimeout } from "../context/with-deadline.js";
import { causeFor } from "./errors.js";
import { type RequestLike, type ResponseLike, watchExchange } from "./exchange.js";
import { serviceOf } from "./service.js";
import { timeoutOf } from "./timeout-header.js";
import { withTrace } from "./trace.js";

export interface RequestOptions {
  /** What the server allows for the request, ms. A caller may ask for less, not for more. 0 or more. @default Infinity */
  timeout?: number;
}

class RequestNode extends Node {
  #stop: (() => void) | undefined;

  constructor(parent: Context, owner: Node | null, req: RequestLike, res: ResponseLike) {
    super(parent, null, Node.watchBelow(parent, owner, owner === null ? null : owner.watch));
    if (owner !== null) this.linkTo(owner);
    if (this.ending !== null) return;
    this.#stop = watchExchange(req, res, (how) => {
      this.end(new Ending(false, causeFor(how)));
    });
  }

  override get listens(): boolean {
    return true;
  }

  protected override ended(): void {
    this.#stop?.();
    super.ended();
  }

  override get label(): string {
    return "requestContext";
  }
}

/**
 * The context of one request: everything that works for it, on this thread or another, ends with it. Go's `Request.Context`.
 * It ends by itself, with a RequestError as its cause, and needs no `cancel`:
 *
 * | when | `err()` | code of the cause |
 * |---|---|---|
 * | the client has gone, or reset the HTTP/2 stream | CanceledError | `ERR_CLIENT_DISCONNECTED` |
 * | the response has been sent | CanceledError | `ERR_RESPONSE_SENT` |
 * | `parent` is a `serverContext`, and the server shuts down | CanceledError | `ERR_SERVER_CLOSING` |
 * | its time is over | DeadlineExceededError | `ERR_REQUEST_TIMEOUT` |
 * | another end of `parent` | the parent's | the parent's |
 *
 * Its time is the shorter of `timeout` and what the caller grants in `x-request-timeout-ms`, a whole number of milliseconds;
 * anything else there is ignored. The request's trace (`traceparent`, `tracestate`), or a new one where there is none or
 * garbage, is among its values, also in tasks: see `traceId`.
 *
 * While the body of a request is not read, Node stops reading from the connection, and nobody learns that the client has gone:
 * read it, or call `req.resume()`. Repeated calls for one request return contexts of their own.
 *
 * @param req a request of Node's `http`, `https` or `http2`, or of what stands on them; for what comes with "upgrade", "connect"
 * or "stream", anything with its headers: `{ headers }`
 * @param res its response; or the socket or stream itself, where there is none
 * @throws TypeError ERR_INVALID_ARG
 */
export function requestContext(
  parent: Context,
  req: RequestLike,
  res: ResponseLike,
  options: RequestOptions = {},
): Context {
  const owner = ownerOf("requestContext: parent", parent);
  if (!isObject(req) || !isObject(req.headers)) {
    throw invalidArg("requestContext: req", "a request with `headers`, such as an http.IncomingMessage", req);
  }
  if (!isObject(res) || typeof res.on !== "function" || typeof res.off !== "function") {
    throw invalidArg("requestContext: res", "a response or a socket, such as an http.ServerResponse", res);
  }
  const timeout = timeoutFrom(options);
  const ctx = withTrace(new RequestNode(parent, owner, req, res), req.headers);
  serviceOf(parent)?.entered(req, res);
  const ms = Math.min(timeout, timeoutOf(req.headers));
  return ms === Number.POSITIVE_INFINITY ? ctx : withTimeout(ctx, ms, causeFor("ERR_REQUEST_TIMEOUT"))[0];
}

function timeoutFrom(options: RequestOptions): number {
  if (!isObject(options)) throw invalidArg("requestContext: options", "an object", options);
  const { timeout = Number.POSITIVE_INFINITY } = options;
  if (typeof timeout !== "number" || !(timeout >= 0))
    throw invalidArg("requestContext: options.timeout", "0 or more milliseconds, or Infinity", timeout);
  return timeout;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
