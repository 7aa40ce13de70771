/** The same over HTTP/2, with Node's compatible requests and with bare streams. */
import { once } from "node:events";
import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { background, remaining, withCancel } from "lifeguard";
import { requestContext, traceId } from "lifeguard/http";
import { describe, expect, onTestFinished, test } from "vitest";
import { arrivals, disconnected, endOf, sent } from "../support/server.js";
import { turn } from "../support/turn.js";

async function session(event: "request" | "stream"): Promise<{
  readonly client: ClientHttp2Session;
  readonly next: () => Promise<unknown[]>;
}> {
  const server = createServer();
  const next = arrivals(server, event);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  client.on("error", () => {});
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    client.destroy();
    await closed;
  });
  return { client, next };
}

async function requests() {
  const { client, next } = await session("request");
  return {
    client,
    arrival: async () => {
      const [req, res] = (await next()) as [Http2ServerRequest, Http2ServerResponse];
      return { req, res };
    },
  };
}

describe("an HTTP/2 request", () => {
  test("ends when its response has been sent", async () => {
    const { client, arrival } = await requests();
    client.request({ ":path": "/" }).resume();
    const { req, res } = await arrival();
    const ctx = requestContext(background, req, res);
    res.write("half of it");
    await turn();
    expect(ctx.err()).toBeUndefined();
    res.end("the other");
    expect(await endOf(ctx)).toEqual(sent);
  });

  test("ends when the client resets its stream, and the others of the connection go on", async () => {
    const { client, arrival } = await requests();
    const stream = client.request({ ":path": "/" });
    const first = await arrival();
    client.request({ ":path": "/" }).resume();
    const second = await arrival();
    const ctx = requestContext(background, first.req, first.res);
    const other = requestContext(background, second.req, second.res);
    stream.close(constants.NGHTTP2_CANCEL);
    expect(await endOf(ctx)).toEqual(disconnected);
    expect(other.err()).toBeUndefined();
    second.res.end();
    expect(await endOf(other)).toEqual(sent);
  });

  test("ends when the connection goes", async () => {
    const { client, arrival } = await requests();
    client.request({ ":path": "/" }).on("error", () => {});
    const { req, res } = await arrival();
    const ctx = requestContext(background, req, res);
    client.destroy();
    expect(await endOf(ctx)).toEqual(disconnected);
  });

  test.each(["reset", "connection"])("a response that is cut off by a %s is not sent", async (how) => {
    const { client, arrival } = await requests();
    const stream = client.request({ ":path": "/" });
    stream.on("error", () => {});
    const { req, res } = await arrival();
    const ctx = requestContext(background, req, res);
    res.end(Buffer.alloc(10_000_000)); // more than the client, which does not read, has granted
    await once(stream, "response");
    if (how === "reset") stream.close(constants.NGHTTP2_CANCEL);
    else client.destroy();
    expect(await endOf(ctx)).toEqual(disconnected);
  });

  test("a reset that claims that nothing is wrong counts, too, and for nothing sent", async () => {
    const { client, arrival } = await requests();
    const stream = client.request({ ":path": "/" });
    const { req, res } = await arrival();
    const ctx = requestContext(background, req, res);
    res.end(Buffer.alloc(10_000_000));
    await once(stream, "response");
    stream.close(constants.NGHTTP2_NO_ERROR);
    req.resume();
    expect(await endOf(ctx)).toEqual(disconnected);

    const unread = client.request({ ":path": "/", ":method": "POST" });
    unread.on("error", () => {});
    const second = await arrival();
    const other = requestContext(background, second.req, second.res);
    unread.write("what nobody reads");
    unread.close(constants.NGHTTP2_NO_ERROR);
    client.destroy();
    expect(await endOf(other)).toEqual(disconnected);
  });

  test("an answer before the end of the upload is the end of the request", async () => {
    const { client, arrival } = await requests();
    const upload = client.request({ ":path": "/", ":method": "POST" });
    upload.resume().write("the beginning");
    const { req, res } = await arrival();
    const ctx = requestContext(background, req, res);
    res.writeHead(413).end("too much");
    expect(await endOf(ctx)).toEqual(sent);
    expect(upload.closed).toBe(false);
  });

  test.each([
    ["HEAD", 200],
    ["GET", 204],
    ["GET", 304],
  ])("a response without a body is sent: %s, %i", async (method, status) => {
    const { client, arrival } = await requests();
    client.request({ ":path": "/", ":method": method }).resume();
    const { req, res } = await arrival();
    const ctx = requestContext(background, req, res);
    res.writeHead(status).end();
    expect(await endOf(ctx)).toEqual(sent);
  });

  test("what is over before it is asked for is born ended", async () => {
    const { client, arrival } = await requests();
    client.request({ ":path": "/" }).resume();
    const first = await arrival();
    first.res.end();
    await once(first.res, "close");
    expect(await endOf(requestContext(background, first.req, first.res))).toEqual(sent);

    const stream = client.request({ ":path": "/" });
    const second = await arrival();
    stream.close(constants.NGHTTP2_CANCEL);
    await once(second.res, "close");
    expect(await endOf(requestContext(background, second.req, second.res))).toEqual(disconnected);
  });

  test("an aborted upload ends it; the end of the upload does not", async () => {
    const { client, arrival } = await requests();
    const upload = client.request({ ":path": "/", ":method": "POST" });
    upload.on("error", () => {});
    const first = await arrival();
    const ctx = requestContext(background, first.req, first.res);
    upload.write("the beginning");
    upload.close(constants.NGHTTP2_CANCEL);
    expect(await endOf(ctx)).toEqual(disconnected);

    client.request({ ":path": "/", ":method": "POST" }).resume().end("all of it");
    const second = await arrival();
    const other = requestContext(background, second.req, second.res);
    second.req.resume();
    await once(second.req, "end");
    await turn();
    expect(other.err()).toBeUndefined();
    second.res.end();
    expect(await endOf(other)).toEqual(sent);
  });

  test("brings its trace and its time along", async () => {
    const { client, arrival } = await requests();
    const id = "0af7651916cd43dd8448eb211c80319c";
    client
      .request({ ":path": "/", traceparent: `00-${id}-b7ad6b7169203331-01`, "x-request-timeout-ms": "5000" })
      .resume();
    const { req, res } = await arrival();
    const ctx = requestContext(background, req, res);
    expect(traceId(ctx)).toBe(id);
    expect(remaining(ctx)).toBeLessThanOrEqual(5000);
  });

  test("leaves nothing on the stream when its parent ends first", async () => {
    const { client, arrival } = await requests();
    client.request({ ":path": "/" }).resume();
    const { req, res } = await arrival();
    const listeners = () =>
      ["finish", "end", "close"].map((event) => res.stream.listenerCount(event)).join() +
      String(res.stream.session?.listenerCount("close"));
    const before = listeners();
    const [parent, cancel] = withCancel(background);
    requestContext(parent, req, res);
    expect(listeners()).not.toBe(before);
    cancel();
    expect(listeners()).toBe(before);
  });
});

describe("a bare HTTP/2 stream", () => {
  test("is its own response", async () => {
    const { client, next } = await session("stream");
    client.request({ ":path": "/" }).resume();
    const [stream, headers] = (await next()) as [ServerHttp2Stream, IncomingHttpHeaders];
    const ctx = requestContext(background, { headers }, stream);
    stream.respond({ ":status": 200 });
    stream.end("x");
    expect(await endOf(ctx)).toEqual(sent);

    const request = client.request({ ":path": "/" });
    const [second] = (await next()) as [ServerHttp2Stream];
    const other = requestContext(background, { headers }, second);
    request.close(constants.NGHTTP2_CANCEL);
    expect(await endOf(other)).toEqual(disconnected);
  });
});
