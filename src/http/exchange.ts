/** When a request and its response are over, and how: what the different kinds of them have to say about it. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse, Http2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { listen } from "./listening.js";

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
const allOf =
  (...stops: readonly Stop[]): Stop =>
  () => {
    for (const stop of stops) stop();
  };

/** Calls `tell`, once, when the exchange is over: within the call, if it is already. */
export function watchExchange(req: RequestLike, res: ResponseLike, tell: Tell): Stop {
  const behind = behindOf(res);
  if ("rstCode" in behind) return watchStream(behind as Http2Stream, tell);
  return "writeHead" in behind ? watchResponse(req, behind, tell) : watchConnection(behind, tell);
}

/** What is watched: of an HTTP/2 response the stream that it lies over. */
export function behindOf(res: ResponseLike): ServerResponse | Duplex {
  const { stream } = res as Partial<Http2ServerResponse>;
  return typeof stream?.rstCode === "number" ? stream : (res as ServerResponse | Duplex);
}

/** Whether it is a connection that was taken over: neither a response nor a stream. */
export function isConnection(res: ServerResponse | Duplex): boolean {
  return !("writeHead" in res) && !("rstCode" in res);
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
  const socket = socketOf(req);
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
  const stop = allOf(
    listen(res, "finish", onFinish),
    listen(res, "close", onClose),
    socket === undefined ? nothing : listen(socket, "close", onClose),
  );
  return stop;
}

/**
 * Of HTTP/2. The stream's own "finish" counts, not the one of the response over it, which Node emits however it has ended. A response
 * without a body, as to HEAD, has none. And of a stream that the client has reset with NO_ERROR, Node before 26 says nothing but
 * the "end" of its body: whoever does not read that learns it when the session closes.
 */
function watchStream(stream: Http2Stream, tell: Tell): Stop {
  const reason = (): Over => reasonFor(stream.writableFinished && !stream.aborted && stream.rstCode === 0);
  if (stream.writableFinished || stream.closed || stream.destroyed) {
    tell(reason());
    return nothing;
  }
  let isOver = false;
  const onOver = (): void => {
    if (isOver) return;
    stop();
    tell(reason());
  };
  const onEnd = (): void => {
    // Of one that goes well "finish" may be on its way.
    if (stream.closed) setImmediate(onOver);
  };
  const stop = allOf(
    () => {
      isOver = true;
    },
    listen(stream, "finish", onOver),
    listen(stream, "end", onEnd),
    listen(stream, "close", onOver),
    stream.session === undefined ? nothing : listen(stream.session, "close", onOver),
  );
  return stop;
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
  if (socket.closed || socket.destroyed) {
    tell(reasonFor(socket.writableFinished));
    return nothing;
  }
  const stop = allOf(listen(socket, "end", onEnd), listen(socket, "close", onClose));
  return stop;
}

/** The connection. Of the stand-ins for requests that are used in tests some have none, or nothing that could close. */
export function socketOf(req: RequestLike): Duplex | undefined {
  const { socket } = req as { socket?: Duplex | null };
  return typeof socket?.on === "function" && typeof socket.off === "function" ? socket : undefined;
}
