/** What the compiler says of requests as contexts. Checked by `npm run typecheck`; never runs. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import {
  createServer as createHttp2Server,
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { Socket } from "node:net";
import { background, type Context, Pool, type PoolEstimate } from "lifeguard";
import {
  admit,
  type ErrorResponse,
  errorResponse,
  fetch,
  outgoingHeaders,
  requestContext,
  respond,
  type ShutdownFunc,
  serverContext,
  traceId,
  traceparent,
} from "lifeguard/http";

interface Tasks {
  render: (ctx: Context, width: number) => string;
}

declare const req: IncomingMessage;
declare const res: ServerResponse;
declare const request: Http2ServerRequest;
declare const response: Http2ServerResponse;
declare const stream: ServerHttp2Stream;
declare const socket: Socket;

const pool = new Pool<Tasks>("/tasks.mjs");
const [base, shutdown]: [Context, ShutdownFunc] = serverContext(background, createServer(), {
  pools: [pool],
  grace: 100,
});
serverContext(background, createHttpsServer());
serverContext(background, createHttp2Server());
serverContext(background, createSecureServer());

const ctx: Context = requestContext(base, req, res, { timeout: 1000 });
requestContext(base, request, response);
requestContext(base, { headers: {} }, stream);
requestContext(base, req, socket);

admit(ctx, pool, "render");
admit(ctx, pool, "render", { priority: 1 });
const estimate: PoolEstimate = pool.estimate(ctx, "render");
const isAnswered: boolean = respond(res, new Error("a bug"));
respond(response, null);
const answer: ErrorResponse | undefined = errorResponse(0);
const fetched: Response = await fetch(ctx, "http://localhost", { method: "POST" });
const headers: Record<string, string> = outgoingHeaders(ctx);
const id: string | undefined = traceId(ctx);
const parent: string | undefined = ctx.value(traceparent);
await shutdown();
await shutdown(ctx);

// @ts-expect-error the context comes first
requestContext(req, res);
// @ts-expect-error ms, as a number
requestContext(base, req, res, { timeout: "1s" });
// @ts-expect-error there is no such task
admit(ctx, pool, "paint");
// @ts-expect-error there is no such task
pool.estimate(ctx, "paint");
// @ts-expect-error a socket is no response
respond(socket, new Error("a bug"));
// @ts-expect-error that is no server
serverContext(background, pool);

export { answer, estimate, fetched, headers, id, isAnswered, parent };
