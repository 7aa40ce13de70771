/** Servers under test, and clients that speak to them byte by byte, so that they can leave at any of them. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { type Context, cause } from "lifeguard";
import type { RequestError } from "lifeguard/http";
import { onTestFinished } from "vitest";

export interface Arrival {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** Starts `server` on a port that is free, and ends it with the test. */
export async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}

/** A server, and its requests in the order they come. */
export async function serving(server: Server = createServer()): Promise<{
  readonly server: Server;
  readonly port: number;
  arrival(): Promise<Arrival>;
}> {
  const arrived = arrivals(server, "request");
  return {
    server,
    port: await listening(server),
    arrival: async () => {
      const [req, res] = (await arrived()) as [IncomingMessage, ServerResponse];
      return { req, res };
    },
  };
}

/** What `event` comes with, one after the other, those included that come before they are asked for. */
export function arrivals(
  emitter: { on(event: string, listener: (...args: unknown[]) => void): unknown },
  event: string,
): () => Promise<unknown[]> {
  const come: unknown[][] = [];
  const waiting: ((args: unknown[]) => void)[] = [];
  emitter.on(event, (...args: unknown[]) => {
    const resolve = waiting.shift();
    if (resolve === undefined) come.push(args);
    else resolve(args);
  });
  return () => {
    const next = come.shift();
    return next === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(next);
  };
}

export interface Client {
  readonly socket: Socket;
  send(text: string): void;
  /** All that has been received, once that matches. */
  received(what: RegExp): Promise<string>;
  /** Resolves when the server has closed the connection. */
  readonly closed: Promise<unknown>;
}

export async function client(port: number, text = ""): Promise<Client> {
  const socket = connect(port, "127.0.0.1");
  let received = "";
  socket.setEncoding("latin1").on("data", (data: string) => {
    received += data;
  });
  socket.on("error", () => {
    // That the server has cut it off shows in "close".
  });
  const closed = new Promise((resolve) => socket.on("close", resolve));
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, "connect");
  if (text !== "") socket.write(text);
  return {
    socket,
    send: (more) => {
      socket.write(more);
    },
    received: async (what) => {
      while (!what.test(received))
        await Promise.race([once(socket, "data"), closed.then(() => failed(received))]);
      return received;
    },
    closed,
  };
}

function failed(received: string): never {
  throw new Error(`closed, after: ${JSON.stringify(received)}`);
}

/** A request as it goes over the wire. */
export function get(path: string, ...headers: readonly string[]): string {
  return [`GET ${path} HTTP/1.1`, "Host: localhost", ...headers, "", ""].join("\r\n");
}

/** How a request's context has ended, once it has. */
export async function endOf(
  ctx: Context,
): Promise<{ code: string | undefined; cause: string; message: string }> {
  await ctx.done();
  const { code, message } = cause(ctx) as RequestError;
  return { code: ctx.err()?.code, cause: code, message };
}

export const disconnected = {
  code: "ABORT_ERR",
  cause: "ERR_CLIENT_DISCONNECTED",
  message: "client disconnected",
};
export const sent = { code: "ABORT_ERR", cause: "ERR_RESPONSE_SENT", message: "response sent" };
