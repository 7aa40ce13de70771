/** When a request and its response are over, and how: what the different kinds of them have to say about it. */
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

type Over = "ERR_CLIENT_DISCONNECTED" | "ERR_RESPONSE_SENT";

/** Stops watching. Repeated calls do nothing. */
type Stop = () => void;
type Tell = (how: Over) => void;

const nothing = (): void => {};

/** Calls `tell`, once, when the exchange is over: within the call, if it is already. */
export function watchExchange(req: RequestLike, res: ResponseLike, tell: Tell): Stop {
  if ("stream" in res) return watchStream(res.stream, tell);
  if ("rstCode" in res) return watchStream(res as Http2Stream, tell);
  return "writeHead" in res ? watchResponse(req, res, tell) : watchConnection(res, tell);
}

const reasonFor = (isSent: boolean): Over => (isSent ? "ERR_RESPONSE_SENT" : "ERR_CLIENT_DISCONNECTED");

/**
 * Of HTTP/1. "finish" counts, which comes when its last byte has been handed to the system: on a connection that is kept alive
 * nothing else would come. But it comes, and `writableFinished` is true, also of one that was cut off when the client
 * reset the connection; that shows in the connection only.
 *
 * Those that a client has pipelined have no connection of their own until their turn comes, and before Node 24 they are told
 * nothing when it closes: it is watched, too.
 */
function watchResponse(req: RequestLike, res: ServerResponse, tell: Tell): Stop {
  // Of frameworks' stand-ins for requests some have none.
  const socket = (req as { socket?: Duplex | null }).socket ?? undefined;
  if (res.writableFinished || res.closed || socket?.destroyed === true) {
    tell(reasonFor(res.writableFinished && (socket?.errored ?? null) === null));
    return nothing;
  }
  const onFinish = (): void => {
    stop();
    tell(reasonFor(socket?.destroyed !== true));
  };
  const onClose = (): void => {
    stop();
    tell("ERR_CLIENT_DISCONNECTED");
  };
  res.on("finish", onFinish);
  res.on("close", onClose);
  const unwatch = socket === undefined ? nothing : whenClosed(socket, onClose);
  const stop = (): void => {
    res.off("finish", onFinish);
    res.off("close", onClose);
    unwatch();
  };
  return stop;
}

/** Of HTTP/2, where "finish" says nothing: Node emits it also when the client has reset the stream. */
function watchStream(stream: Http2Stream, tell: Tell): Stop {
  const onClose = (): void => {
    tell(reasonFor(stream.writableEnded && !stream.aborted && stream.rstCode === 0));
  };
  if (stream.closed || stream.destroyed) {
    onClose();
    return nothing;
  }
  stream.once("close", onClose);
  return () => {
    stream.off("close", onClose);
  };
}

/** One that was upgraded. Both sides hang up in the end: who does so first? */
function watchConnection(socket: Duplex, tell: Tell): Stop {
  let isLeft = false;
  const onEnd = (): void => {
    isLeft = !socket.writableEnded;
  };
  const onClose = (): void => {
    stop();
    tell(reasonFor(socket.writableFinished && !isLeft));
  };
  const stop = (): void => {
    socket.off("end", onEnd);
    socket.off("close", onClose);
  };
  if (socket.closed || socket.destroyed) {
    onClose();
    return nothing;
  }
  socket.on("end", onEnd);
  socket.on("close", onClose);
  return stop;
}
