/** A server and what it still has to do: its connections, and the requests that wait for their answers. When it does what is server-context.ts's. */
import type { EventEmitter } from "node:events";
import type { Server as HttpServer, IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Http2SecureServer, Http2Server, Http2Stream, ServerHttp2Session } from "node:http2";
import type { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Context } from "../context/context.js";
import { contextKey } from "../context/keys.js";
import { Connections } from "./connections.js";
import { behindOf, isConnection, type RequestLike, type ResponseLike, watchExchange } from "./exchange.js";
import { Following } from "./following.js";

export type ServerLike = HttpServer | HttpsServer | Http2Server | Http2SecureServer;

/** What the kinds of servers have in common; the last two only those of HTTP/1. */
type AnyServer = EventEmitter & {
  close(callback: () => void): unknown;
  closeIdleConnections?(): void;
  closeAllConnections?(): void;
};

export class Service {
  readonly #server: AnyServer;
  readonly #connections = new Connections();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #unanswered = new Set<ServerResponse | Duplex>();
  readonly #following: Following;
  #isFinishing = false;
  #mayEndIdle = true;
  #isClosed = false;
  #whenAnswered: (() => void) | undefined;
  #whenGone: (() => void) | undefined;

  constructor(server: ServerLike) {
    this.#server = server;
    const entered = (req: IncomingMessage, res: ServerResponse): void => {
      this.entered(req, res);
    };
    const takenOver = (_req: unknown, socket: Duplex): void => {
      this.#connections.takenOver(socket);
    };
    const connection = (socket: Socket): void => {
      this.#connected(socket);
    };
    const session = (began: ServerHttp2Session): void => {
      this.#began(began);
    };
    const stream = (opened: Http2Stream, headers: IncomingHttpHeaders): void => {
      this.entered({ headers }, opened);
    };
    const along = {
      checkContinue: entered,
      checkExpectation: entered,
      upgrade: takenOver,
      connect: takenOver,
    };
    // On an HTTP/2 server a listener for "request" would switch on Node's compatible requests.
    this.#following =
      "updateSettings" in server
        ? new Following(this.#server, { connection, session, stream }, { ...along, request: entered })
        : new Following(this.#server, { connection, request: entered }, along);
  }

  #connected(socket: Socket): void {
    this.#connections.add(socket, () => {
      this.#look();
    });
  }

  #began(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    session.once("close", () => {
      this.#sessions.delete(session);
    });
    if (this.#isFinishing) session.close();
  }

  /** A request waits for its answer. Repeated calls for one change nothing; connections that were taken over are no requests. */
  entered(req: RequestLike, res: ResponseLike): void {
    const behind = behindOf(res);
    if (isConnection(behind) || this.#unanswered.has(behind)) return;
    this.#unanswered.add(behind);
    if ("writeHead" in behind) this.#connections.asked(req, behind, this.#isFinishing);
    watchExchange(req, behind, () => {
      this.#unanswered.delete(behind);
      if ("writeHead" in behind) this.#connections.answered(req, behind, this.#isFinishing);
      this.#look();
    });
  }

  /** Takes no more connections, and ends those that are left when their answers have been sent. */
  finish(): void {
    this.#isFinishing = true;
    this.#close(() => {
      // Also with an error, if the server does not listen: then there is nothing to wait for.
      this.#isClosed = true;
      this.#look();
    });
    for (const session of this.#sessions) session.close();
    const lost = this.#connections.finish();
    for (const res of lost) this.#unanswered.delete(res);
    // To Node they are idle connections.
    this.#mayEndIdle = lost.length === 0;
    this.#look();
  }

  /** Stops listening. An HTTP/1 server would take connections for idle, and destroy them, whose answers are still on their way. */
  #close(closed: () => void): void {
    const server = this.#server;
    const own = Object.getOwnPropertyDescriptor(server, "closeIdleConnections");
    Object.defineProperty(server, "closeIdleConnections", { value: () => {}, configurable: true });
    try {
      server.close(closed);
    } finally {
      delete server.closeIdleConnections;
      if (own !== undefined) Object.defineProperty(server, "closeIdleConnections", own);
    }
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
    this.#connections.cut();
    this.#server.closeAllConnections?.();
    // Of connections that were there before us we do not know, and Node waits for those that were upgraded.
    this.#isClosed = true;
    this.#look();
  }

  /** Listens no more. */
  off(): void {
    this.#following.stop();
  }

  #look(): void {
    if (!this.#isFinishing) return;
    if (this.#unanswered.size === 0) {
      this.#whenAnswered?.();
      // When all that has been answered has also been sent, Node knows best what is idle: of connections from before, too. But
      // others who are told of the same answer have a look at its connection.
      setImmediate(() => {
        if (this.#unanswered.size === 0 && this.#mayEndIdle) this.#server.closeIdleConnections?.();
      });
    }
    if (this.#isClosed && this.#connections.size === 0) this.#whenGone?.();
  }
}

/** Where a server context has its service. */
export const serviceKey = contextKey<Service>("lifeguard/http server");

/** The service that `ctx` belongs to, if it is below a `serverContext`. */
export function serviceOf(ctx: Context): Service | undefined {
  return ctx.value(serviceKey);
}
