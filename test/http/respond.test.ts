/** What a client is told when its request comes to nothing. */
import { once } from "node:events";
import {
  connect,
  constants,
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import { background, PoolError, withCancel, withTimeout } from "lifeguard";
import { errorResponse, RequestError, requestContext, respond } from "lifeguard/http";
import { describe, expect, onTestFinished, test } from "vitest";
import { client, get, serving } from "../support/server.js";
import { uncaughtDuring } from "../support/uncaught.js";

function cancelled(cause?: unknown): unknown {
  const [ctx, cancel] = withCancel(background);
  cancel(cause);
  return ctx.err();
}

function expired(): unknown {
  const [ctx, cancel] = withTimeout(
    background,
    0,
    new RequestError("ERR_REQUEST_TIMEOUT", "request timed out"),
  );
  cancel();
  return ctx.err();
}

const overloaded = new RequestError("ERR_OVERLOADED", "overloaded", { retryAfter: 7 });

describe("errorResponse", () => {
  const text = "text/plain; charset=utf-8";
  test.each<[string, unknown, number, Record<string, string>]>([
    ["overloaded", overloaded, 503, { "Retry-After": "7" }],
    ["the queue is full", new PoolError("ERR_QUEUE_FULL", "full"), 503, { "Retry-After": "1" }],
    ["the deadline has passed", expired(), 503, { "Retry-After": "1" }],
    [
      "the server is closing",
      cancelled(new RequestError("ERR_SERVER_CLOSING", "server closing")),
      503,
      { "Retry-After": "1" },
    ],
    ["the pool is closed", new PoolError("ERR_POOL_CLOSED", "closed"), 503, { "Retry-After": "1" }],
    [
      "the pool was destroyed under it",
      cancelled(new PoolError("ERR_POOL_CLOSED", "closed")),
      503,
      { "Retry-After": "1" },
    ],
    ["cancelled for some reason", cancelled("enough"), 503, {}],
    ["cancelled for none", cancelled(), 503, {}],
    [
      "the client has gone",
      cancelled(new RequestError("ERR_CLIENT_DISCONNECTED", "client disconnected")),
      499,
      {},
    ],
    [
      "an abort error that the client's leaving has caused",
      new Error("aborted", {
        cause: cancelled(new RequestError("ERR_CLIENT_DISCONNECTED", "client disconnected")),
      }),
      499,
      {},
    ],
    ["it has its response", cancelled(new RequestError("ERR_RESPONSE_SENT", "response sent")), 499, {}],
  ])("%s", (_what, error, status, headers) => {
    const response = errorResponse(error);
    expect(response).toMatchObject({ status, headers: { "Content-Type": text, ...headers } });
    expect(Object.keys(response?.headers ?? {})).toHaveLength(1 + Object.keys(headers).length);
    expect(response?.body).toMatch(status === 499 ? /^$/ : /^[A-Z].*\.\n$/);
  });

  test.each([
    [new Error("of the task's own")],
    [Object.assign(new Error("no such file"), { code: "ENOENT" })],
    [new PoolError("ERR_WORKER_CRASHED", "out of memory")],
    [new DOMException("somebody else's", "AbortError")],
    [Object.assign(new Error("a user's own queue"), { code: "ERR_QUEUE_FULL" })],
    [Object.assign(new Error("aborted"), { code: "ABORT_ERR" })],
    [undefined],
    [null],
    ["a string"],
    [404],
  ])("%s is none of ours", (error) => {
    expect(errorResponse(error)).toBeUndefined();
  });
});

test("an error that cannot be looked at is none of ours; a time to retry that is none is not handed on", () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  expect(errorResponse(proxy)).toBeUndefined();
  // That it was cancelled is known all the same, whatever for.
  expect(errorResponse(cancelled(proxy))?.status).toBe(503);
  const hostile = Object.assign(new RequestError("ERR_OVERLOADED", "x"), { retryAfter: "1\r\nX: y" });
  expect(errorResponse(hostile)?.headers["Retry-After"]).toBe("1");
});

test("each response is its own: what is added to one is in no other", () => {
  const first = errorResponse(cancelled());
  (first as { headers: Record<string, string> }).headers["Set-Cookie"] = "a=1";
  expect(errorResponse(cancelled())?.headers).not.toHaveProperty("Set-Cookie");
});

describe("respond", () => {
  test("answers, without what was said of a body that does not come", async () => {
    const { port, arrival } = await serving();
    const { received } = await client(port, get("/"));
    const { res } = await arrival();
    res.setHeader("Content-Length", "1000");
    res.setHeader("Content-Encoding", "gzip");
    res.setHeader("Cache-Control", "max-age=3600");
    res.setHeader("ETag", '"1"');
    res.statusMessage = "All good";
    res.setHeader("Access-Control-Allow-Origin", "*");
    expect(respond(res, overloaded)).toBe(true);
    const answer = await received(/busy/);
    expect(answer).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\n/);
    expect(answer).toMatch(/^Retry-After: 7\r$/m);
    expect(answer).toMatch(/^Access-Control-Allow-Origin: \*\r$/m);
    expect(answer).not.toMatch(/gzip|max-age|ETag|1000/);
  });

  test("leaves other errors alone", async () => {
    const { port, arrival } = await serving();
    const { received } = await client(port, get("/"));
    const { res } = await arrival();
    expect(respond(res, new Error("a bug"))).toBe(false);
    expect(res.headersSent).toBe(false);
    res.writeHead(500).end("sorry");
    await received(/500 .*sorry/s);
  });

  test("a HEAD request gets no body", async () => {
    const { port, arrival } = await serving();
    const { received } = await client(
      port,
      "HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    );
    const { res } = await arrival();
    expect(respond(res, overloaded)).toBe(true);
    expect(await received(/\r\n\r\n/)).not.toContain("busy");
  });

  test("a response that was begun is cut off: nobody takes it for complete", async () => {
    const { port, arrival } = await serving();
    const { received, closed } = await client(port, get("/"));
    const { res } = await arrival();
    res.write("the beginning");
    await received(/the beginning/);
    expect(respond(res, expired())).toBe(true);
    await closed;
    expect(await received(/the beginning/)).not.toMatch(/\r\n0\r\n/);
  });

  test("one that somebody pipes into does not end the process when he goes on", async () => {
    const { port, arrival } = await serving();
    const { received } = await client(port, get("/"));
    const { res } = await arrival();
    const source = new PassThrough();
    source.pipe(res);
    expect(respond(res, overloaded)).toBe(true);
    const uncaught = await uncaughtDuring(async () => {
      source.write("more");
      await received(/busy/);
    });
    expect(uncaught).toEqual([]);
  });

  test("an abort error of the platform's is answered for when the client has gone, and only then", async () => {
    const aborted = new DOMException("This operation was aborted", "AbortError");
    const { port, arrival } = await serving();
    const { socket } = await client(port, get("/"));
    const { req, res } = await arrival();
    expect(respond(res, aborted)).toBe(false);
    const ctx = requestContext(background, req, res);
    socket.destroy();
    await ctx.done();
    expect(respond(res, aborted)).toBe(true);
    expect(respond(res, new Error("a bug"))).toBe(false);
  });

  test("one that has ended, or whose client has gone, is left as it is", async () => {
    const { port, arrival } = await serving();
    const { received } = await client(port, get("/"));
    const ended = await arrival();
    ended.res.end("the answer");
    expect(respond(ended.res, overloaded)).toBe(true);
    expect(await received(/the answer/)).not.toContain("busy");

    const { socket } = await client(port, get("/"));
    const { req, res } = await arrival();
    const ctx = requestContext(background, req, res);
    socket.destroy();
    await ctx.done();
    expect(respond(res, ctx.err())).toBe(true);
    expect(res.headersSent).toBe(false);
  });

  test("over HTTP/2 too", async () => {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    onTestFinished(async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      session.destroy();
      await closed;
    });
    const request = session.request({ ":path": "/" });
    const [, res] = (await once(server, "request")) as [Http2ServerRequest, Http2ServerResponse];
    expect(respond(res, new PoolError("ERR_POOL_CLOSED", "closed"))).toBe(true);
    const [headers] = (await once(request, "response")) as [Record<string, unknown>];
    expect(headers).toMatchObject({ ":status": 503, "retry-after": "1" });

    const second = session.request({ ":path": "/" });
    const failed = new Promise<Error>((resolve) => second.on("error", resolve));
    const [, begun] = (await once(server, "request")) as [Http2ServerRequest, Http2ServerResponse];
    begun.write("the beginning");
    expect(respond(begun, expired())).toBe(true);
    await failed;
    expect(second.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
    expect(respond(begun, expired())).toBe(true);
  });
});
