/** When a request and its response are over, and how: what the different kinds of them have to say about it. */
import type { EventEmitter } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse, Http2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { whenClosed } from "./closings.js";

/** What is looked at of a request: its headers, and the connection it came on. */
export type RequestLike =
  | IncomingMessage
  | Http2ServerRequest
  | { readonly headers: IncomingHttpHeaders; readonly socket?: Duplex };

/** A response; or the connection itself, of an upgraded or hijacked request, or an HTTP/2 stream. */
export type ResponseLike = ServerResponse | Http2ServerResponse | Duplex;

export type Over = "ERR_CLIENT_DISCONNECTED" | "ERR_RESPONSE_SENT";

/** What is watched of a response. Parts of it are there or not, depending on its kind. */
interface Watched extends EventEmitter {
  readonly writableEnded?: boolean;
  readonly writableFinished?: boolean;
  readonly closed?: boolean;
  readonly destroyed?: boolean;
  /** Node's HTTP/2 responses lie over a stream. */
  readonly stream?: Pick<Http2Stream, "aborted" | "rstCode" | "closed" | "destroyed">;
  /** An HTTP/2 stream's own. */
  readonly aborted?: boolean;
  readonly rstCode?: number;
}

/**
 * Calls `tell`, once, when the exchange is over: within the call, if it is already.
 *
 * - Of an HTTP/1 response "finish" counts, which comes when its last byte has been handed to the system: on a connection that
 *   is kept alive nothing else would come. Those that a client has pipelined have no connection of their own until their turn
 *   comes, and before Node 24 are told nothing when it closes: so the connection is watched, too.
 * - Of an HTTP/2 response "finish" says nothing: Node emits it also when the client has reset the stream.
 *
 * @returns stops watching, for one that is not told yet
 */
export function watchExchange(req: RequestLike, res: ResponseLike, tell: (how: Over) => void): () => void {
  const watched = res as Watched;
  const stream = watched.stream ?? watched;
  const isHttp2 = watched.stream !== undefined;
  const socket = isHttp2 ? undefined : ((req as { socket?: Duplex | null }).socket ?? undefined);

  const isSent = (): boolean => {
    const isComplete = isHttp2 ? watched.writableEnded : watched.writableFinished;
    return isComplete === true && stream.aborted !== true && (stream.rstCode ?? 0) === 0;
  };
  const isOver =
    (!isHttp2 && isSent()) ||
    watched.closed === true ||
    stream.destroyed === true ||
    stream.closed === true ||
    (socket !== undefined && socket !== (watched as unknown) && socket.destroyed);
  if (isOver) {
    tell(isSent() ? "ERR_RESPONSE_SENT" : "ERR_CLIENT_DISCONNECTED");
    return () => {};
  }

  const onOver = (): void => {
    off();
    tell(isSent() ? "ERR_RESPONSE_SENT" : "ERR_CLIENT_DISCONNECTED");
  };
  const isResponse = "writeHead" in watched;
  if (isResponse && !isHttp2) watched.on("finish", onOver);
  watched.on("close", onOver);
  const stop = socket === undefined ? undefined : whenClosed(socket, onOver);
  const off = (): void => {
    watched.off("finish", onOver);
    watched.off("close", onOver);
    stop?.();
  };
  return off;
}
