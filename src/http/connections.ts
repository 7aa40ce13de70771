/** The connections of a server: which there are, what they are waiting for, and when they may go. */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type RequestLike, socketOf } from "./exchange.js";

/** Those of HTTP/1 that have been asked for something. Over TLS they lie over the sockets that the server has accepted. */
interface Asked {
  /** Not answered yet, in the order they came: a client may pipeline them. */
  readonly unanswered: Set<ServerResponse>;
  /** It speaks something else by now. */
  isTakenOver: boolean;
}

export class Connections {
  /** As accepted. */
  readonly #sockets = new Set<Socket>();
  readonly #asked = new Map<Duplex, Asked>();

  get size(): number {
    return this.#sockets.size;
  }

  /** @param gone is told when it has */
  add(socket: Socket, gone: () => void): void {
    this.#sockets.add(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      gone();
    });
  }

  /** @param isLast whether the server finishes, and so does the connection when it has no more to answer */
  asked(req: RequestLike, res: ServerResponse, isLast: boolean): void {
    const socket = socketOf(req);
    if (socket === undefined || socket.destroyed) return;
    const asked = this.#of(socket);
    const before = last(asked.unanswered);
    asked.unanswered.add(res);
    if (!isLast) return;
    // Node closes the connection after the answer that says so, whatever comes behind it.
    if (before !== undefined) dontAskToClose(before);
    askToClose(res);
  }

  answered(req: RequestLike, res: ServerResponse, isLast: boolean): void {
    const socket = socketOf(req);
    const asked = socket === undefined ? undefined : this.#asked.get(socket);
    if (socket === undefined || asked === undefined) return;
    asked.unanswered.delete(res);
    // Others who are told of the same have a look at the connection, too.
    if (isLast) setImmediate(() => endIfIdle(socket, asked));
  }

  takenOver(socket: Duplex): void {
    if (!socket.destroyed) this.#of(socket).isTakenOver = true;
  }

  /**
   * Ends those that are idle or were never used, and has the others end after their last answer.
   *
   * @returns the responses whose socket was taken away: Node gives the first of a connection its socket, so one without has lost it
   */
  finish(): ServerResponse[] {
    // Browsers keep some in reserve, and Node does not take them for idle.
    for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy();
    const lost: ServerResponse[] = [];
    for (const [socket, asked] of this.#asked) {
      const [first] = asked.unanswered;
      if (first?.socket === null && !first.writableEnded) {
        asked.isTakenOver = true;
        lost.push(first);
        continue;
      }
      const res = last(asked.unanswered);
      if (res === undefined) endIfIdle(socket, asked);
      else askToClose(res);
    }
    return lost;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** @param socket one that has not been closed: or it would be kept for ever */
  #of(socket: Duplex): Asked {
    let asked = this.#asked.get(socket);
    if (asked === undefined) {
      asked = { unanswered: new Set(), isTakenOver: false };
      this.#asked.set(socket, asked);
      socket.once("close", () => this.#asked.delete(socket));
    }
    return asked;
  }
}

function last<T>(of: ReadonlySet<T>): T | undefined {
  let last: T | undefined;
  for (const each of of) last = each;
  return last;
}

/** When all that was given to it has been sent. */
function endIfIdle(socket: Duplex & Partial<Pick<Socket, "destroySoon">>, asked: Asked): void {
  if (asked.unanswered.size === 0 && !asked.isTakenOver) socket.destroySoon?.();
}

/** The responses that say so by us, and not by their handlers. */
const asking = new WeakSet<ServerResponse>();

/** Tells a client to come back on another connection. Too late once the headers have been sent: that one is ended when it is idle. */
function askToClose(res: ServerResponse): void {
  if (res.headersSent || typeof res.setHeader !== "function") return;
  res.setHeader("Connection", "close");
  asking.add(res);
}

function dontAskToClose(res: ServerResponse): void {
  if (!res.headersSent && asking.delete(res)) res.removeHeader("Connection");
}
