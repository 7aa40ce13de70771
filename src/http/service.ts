/** A server and what it still has to do: its connections, and the requests that wait for their answers. Decides nothing. */
import type { Server as HttpServer, IncomingHttpHeaders, ServerResponse } from "node:http";
import type { Http2SecureServer, Http2Server, Http2Stream, ServerHttp2Session } from "node:http2";
import type { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Context } from "../context/context.js";
import { contextKey } from "../context/keys.js";
import { behindOf, isConnection, type RequestLike, type ResponseLike, watchExchange } from "./exchange.js";

export type ServerLike = HttpServer | HttpsServer | Http2Server | Http2SecureServer;

/** What the kinds of servers have in common; the last two only those of HTTP/1. */
interface AnyServer {
  on(event: string, listener: (...args: never[]) => void): unknown;
  off(event: string, listener: (...args: never[]) => void): unknown;
  close(callback: () => void): unknown;
  closeIdleConnections?(): void;
  closeAllConnections?(): void;
}

export class Service {
  readonly #server: AnyServer;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #unanswered = new Set<ServerResponse | Duplex>();
  #isFinishing = false;
  #isClosed = false;
  #whenAnswered: (() => void) | undefined;
  #whenGone: (() => void) | undefined;

  constructor(server: ServerLike) {
    this.#server = server as unknown as AnyServer;
    this.#server.on("connection", this.#onConnection);
    if ("updateSettings" in server) {
      this.#server.on("session", this.#onSession);
      // Not "request": a listener for that would switch on Node's compatible requests.
      this.#server.on("stream", this.#onStream);
    } else {
      this.#server.on("request", this.entered);
    }
  }

  readonly #onConnection = (socket: Socket): void => {
    this.#sockets.add(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#look();
    });
  };

  readonly #onSession = (session: ServerHttp2Session): void => {
    this.#sessions.add(session);
    session.once("close", () => {
      this.#sessions.delete(session);
      this.#look();
    });
    if (this.#isFinishing) session.close();
  };

  readonly #onStream = (stream: Http2Stream, headers: IncomingHttpHeaders): void => {
    this.entered({ headers }, stream);
  };

  /** A request waits for its answer. Repeated calls for one change nothing; connections that were taken over count as connections only. */
  readonly entered = (req: RequestLike, res: ResponseLike): void => {
    const behind = behindOf(res);
    if (isConnection(behind) || this.#unanswered.has(behind)) return;
    this.#unanswered.add(behind);
    if (this.#isFinishing) askToClose(behind);
    watchExchange(req, behind, () => {
      this.#unanswered.delete(behind);
      this.#look();
    });
  };

  /** Takes no more connections, and ends those that are left when their answers have been sent. */
  finish(): void {
    this.#isFinishing = true;
    for (const each of this.#unanswered) askToClose(each);
    // Also with an error, if the server does not listen: then there is nothing to wait for.
    this.#server.close(() => {
      this.#isClosed = true;
      this.#look();
    });
    for (const session of this.#sessions) session.close();
    this.#server.closeIdleConnections?.();
  }

  /** Resolves when every request that has come has its answer. */
  answered(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenAnswered = resolve;
      this.#look();
    });
  }

  /** Resolves when the last connection has gone. */
  gone(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenGone = resolve;
      this.#look();
    });
  }

  /** Ends every connection there is, whatever it is in the middle of. */
  cut(): void {
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#sockets) socket.destroy();
    this.#server.closeAllConnections?.();
  }

  /** Listens no more. */
  off(): void {
    this.#server.off("connection", this.#onConnection);
    this.#server.off("session", this.#onSession);
    this.#server.off("stream", this.#onStream);
    this.#server.off("request", this.entered);
  }

  #look(): void {
    if (!this.#isFinishing) return;
    // Its answer has been sent, but Node does not take a connection for idle before the turn is over.
    if (this.#server.closeIdleConnections !== undefined)
      setImmediate(() => this.#server.closeIdleConnections?.());
    if (this.#unanswered.size === 0) this.#whenAnswered?.();
    if (this.#isClosed && this.#sockets.size === 0) this.#whenGone?.();
  }
}

/** Tells an HTTP/1 client to come back on another connection. Too late once the headers have been sent: that one is closed as idle. */
function askToClose(res: ServerResponse | Duplex): void {
  if ("writeHead" in res && !res.headersSent) res.setHeader("Connection", "close");
}

/** Where a server context has its service. */
export const serviceKey = contextKey<Service>("lifeguard/http server");

/** The service that `ctx` belongs to, if it is below a `serverContext`. */
export function serviceOf(ctx: Context): Service | undefined {
  return ctx.value(serviceKey);
}
