/** When the context of a request ends, over HTTP/1, and why. */
import { EventEmitter, once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { background, cause, contextKey, remaining, withCancel, withTimeout, withValue } from "lifeguard";
import { type RequestError, requestContext } from "lifeguard/http";
import { describe, expect, test } from "vitest";
import { arrivals, client, disconnected, endOf, get, sent, serving } from "../support/server.js";
import { turn } from "../support/turn.js";

describe("the context of a request", () => {
  test("is live until the client has gone: then it ends, and says so", async () => {
    const { port, arrival } = await serving();
    const { socket } = await client(port, get("/"));
    const { req, res } = await arrival();
    const ctx = requestContext(background, req, res);
    expect(ctx.err()).toBeUndefined();
    socket.destroy();
    expect(await endOf(ctx)).toEqual(disconnected);
    expect(cause(ctx)).toMatchObject({ name: "RequestError" });
    expect((cause(ctx) as RequestError).stack).toBe("RequestError: client disconnected");
  });

  test("ends when the response has been sent, while the connection lives on for the next request", async () => {
    const { port, arrival } = await serving();
    const { send, received } = await client(port, get("/first"));
    const first = await arrival();
    const ctx = requestContext(background, first.req, first.res);
    first.res.end("first answer");
    expect(await endOf(ctx)).toEqual(sent);
    await received(/first answer/);
    send(get("/second"));
    const second = await arrival();
    const next = requestContext(background, second.req, second.res);
    expect(second.req.socket).toBe(first.req.socket);
    expect(next.err()).toBeUndefined();
    second.res.end();
    expect(await endOf(next)).toEqual(sent);
  });

  test("is live while the response is being sent: its end counts, not its beginning", async () => {
    const { port, arrival } = await serving();
    const { received, socket } = await client(port, get("/"));
    const { req, res } = await arrival();
    const ctx = requestContext(background, req, res);
    res.write("the beginning");
    await received(/the beginning/);
    expect(ctx.err()).toBeUndefined();
    socket.destroy();
    expect(await endOf(ctx)).toEqual(disconnected);
  });

  test("a response that the client does not wait for to the end counts as its leaving", async () => {
    const { port, arrival } = await serving();
    const { socket } = await client(port, get("/"));
    socket.pause();
    const { req, res } = await arrival();
    const ctx = requestContext(background, req, res);
    res.end(Buffer.alloc(50_000_000));
    await turn();
    expect(ctx.err()).toBeUndefined();
    socket.destroy();
    expect(await endOf(ctx)).toEqual(disconnected);
  });

  test.each(["HEAD / HTTP/1.1", "DELETE / HTTP/1.1"])(
    "%s: the response without a body counts",
    async (line) => {
      const { port, arrival } = await serving();
      await client(port, `${line}\r\nHost: localhost\r\n\r\n`);
      const { req, res } = await arrival();
      const ctx = requestContext(background, req, res);
      res.writeHead(204).end();
      expect(await endOf(ctx)).toEqual(sent);
    },
  );

  test("HTTP/1.0, and Connection: close, end with the response too", async () => {
    const { port, arrival } = await serving();
    await client(port, "GET / HTTP/1.0\r\n\r\n");
    const { req, res } = await arrival();
    const ctx = requestContext(background, req, res);
    res.end("x");
    expect(await endOf(ctx)).toEqual(sent);
  });

  test("a client that closes its half after the request is taken for gone, as by Node and by Go", async () => {
    const { port, arrival } = await serving();
    const { socket } = await client(port, get("/"));
    const { req, res } = await arrival();
    const ctx = requestContext(background, req, res);
    socket.end();
    expect(await endOf(ctx)).toEqual(disconnected);
  });

  test("what is over before it is asked for is born ended", async () => {
    const { port, arrival } = await serving();
    const gone = await client(port, get("/"));
    const first = await arrival();
    const closed = once(first.res, "close");
    gone.socket.destroy();
    await closed;
    expect(await endOf(requestContext(background, first.req, first.res))).toEqual(disconnected);

    const cut = await client(port, get("/"));
    cut.socket.pause();
    const second = await arrival();
    second.res.end(Buffer.alloc(50_000_000));
    cut.socket.destroy();
    await new Promise((resolve) => second.req.socket.on("close", resolve));
    expect(await endOf(requestContext(background, second.req, second.res))).toEqual(disconnected);

    for (const connection of ["keep-alive", "close"]) {
      await client(port, get("/", `Connection: ${connection}`));
      const { req, res } = await arrival();
      res.end();
      await once(connection === "close" ? req.socket : res, "close");
      const late = requestContext(background, req, res);
      expect(late.err()?.code).toBe("ABORT_ERR");
      expect(await endOf(late)).toEqual(sent);
    }
  });

  test("is a child of its parent: ends with it, with its cause, and has its values", async () => {
    const key = contextKey<string>("user");
    const { port, arrival } = await serving();
    await client(port, get("/"));
    const { req, res } = await arrival();
    const listeners = () => res.listenerCount("finish") + res.listenerCount("close");
    const before = listeners();
    const [parent, cancel] = withCancel(background);
    const ctx = requestContext(withValue(parent, key, "ada"), req, res);
    expect(ctx.value(key)).toBe("ada");
    expect(String(ctx)).toContain("requestContext");
    const why = new Error("enough");
    cancel(why);
    expect(ctx.err()).toBe(parent.err());
    expect(cause(ctx)).toBe(why);
    // Nothing is left on the response or the connection that would end it a second time.
    expect(listeners()).toBe(before);
  });

  test("below a parent with a deadline it has that, and a poll sees it pass", async () => {
    const { port, arrival } = await serving();
    await client(port, get("/"));
    const { req, res } = await arrival();
    const [parent, cancel] = withTimeout(background, 5);
    const ctx = requestContext(parent, req, res);
    expect(ctx.deadline()).toBe(parent.deadline());
    while (ctx.err() === undefined); // No timer runs meanwhile.
    expect(ctx.err()?.code).toBe("ERR_DEADLINE_EXCEEDED");
    cancel();
  });

  test("asked for again, it is another one, with the same end; any number share the listeners", async () => {
    const { port, arrival } = await serving();
    const { socket } = await client(port, get("/"));
    const { req, res } = await arrival();
    const listeners = () => res.listenerCount("finish") + res.listenerCount("close");
    const first = requestContext(background, req, res);
    const before = listeners();
    const others = Array.from({ length: 20 }, () => requestContext(background, req, res));
    expect(listeners()).toBe(before);
    expect(others).not.toContain(first);
    socket.destroy();
    for (const ctx of [first, ...others]) expect(await endOf(ctx)).toEqual(disconnected);
  });

  test("a stand-in for a request, as tests of handlers have, needs no connection", async () => {
    for (const socket of [undefined, null, {}]) {
      const res = new EventEmitter();
      const ctx = requestContext(background, { headers: {}, socket } as never, res as never);
      expect(ctx.err()).toBeUndefined();
      res.emit("close");
      expect(await endOf(ctx)).toEqual(disconnected);
    }
  });
});

describe("pipelined requests", () => {
  test("all end when the client goes, those whose turn has not come included", async () => {
    const { port, arrival } = await serving();
    const { socket } = await client(port, get("/1") + get("/2") + get("/3"));
    const all = [await arrival(), await arrival(), await arrival()];
    const contexts = all.map(({ req, res }) => requestContext(background, req, res));
    socket.destroy();
    for (const ctx of contexts) expect(await endOf(ctx)).toEqual(disconnected);
  });

  test("end one after the other, as they are answered, whichever is ready first", async () => {
    const { port, arrival } = await serving();
    const { received } = await client(port, get("/1") + get("/2"));
    const [first, second] = [await arrival(), await arrival()];
    const one = requestContext(background, first.req, first.res);
    const two = requestContext(background, second.req, second.res);
    second.res.end("second");
    await turn();
    expect(two.err()).toBeUndefined();
    first.res.end("first");
    expect(await endOf(one)).toEqual(sent);
    expect(await endOf(two)).toEqual(sent);
    expect(await received(/second/)).toMatch(/first.*second/s);
  });

  test("any number of them hang on one listener of their connection, which goes with the last", async () => {
    const { port, arrival } = await serving();
    const warnings: string[] = [];
    const onWarning = (warning: Error) => warnings.push(warning.message);
    process.on("warning", onWarning);
    const { send } = await client(port, get("/"));
    const { req, res } = await arrival();
    res.end();
    await once(res, "close");
    const idle = req.socket.listenerCount("close");
    send(Array.from({ length: 30 }, (_, i) => get(`/${i}`)).join(""));
    const all = [];
    for (let i = 0; i < 30; i++) all.push(await arrival());
    const { socket } = all[0]!.req;
    const before = socket.listenerCount("close");
    const contexts = all.map(({ req, res }) => requestContext(background, req, res));
    expect(socket.listenerCount("close")).toBe(before + 1);
    for (const each of all) each.res.end();
    await Promise.all(contexts.map((ctx) => ctx.done()));
    await turn();
    expect(socket.listenerCount("close")).toBe(idle);
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });
});

describe("uploads", () => {
  const head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n";

  test("one that is aborted ends the context", async () => {
    const { port, arrival } = await serving();
    const { socket } = await client(port, `${head}\r\nthe beginning`);
    const { req, res } = await arrival();
    const ctx = requestContext(background, req, res);
    req.on("error", () => {}); // Node's: aborted
    socket.destroy();
    expect(await endOf(ctx)).toEqual(disconnected);
  });

  test("the end of the body is not the end of the request", async () => {
    const { port, arrival } = await serving();
    const { send } = await client(port, `${head}\r\n`);
    const { req, res } = await arrival();
    const ctx = requestContext(background, req, res);
    send("x".repeat(1000));
    for await (const _ of req); // reads it, and waits for its "close"
    await turn();
    expect(ctx.err()).toBeUndefined();
    res.end();
    expect(await endOf(ctx)).toEqual(sent);
  });

  test("Expect: 100-continue: the interim response does not count", async () => {
    const { port, arrival } = await serving();
    const { send, received } = await client(port, `${head}Expect: 100-continue\r\n\r\n`);
    const { req, res } = await arrival();
    const ctx = requestContext(background, req, res);
    await received(/100 Continue/);
    expect(ctx.err()).toBeUndefined();
    send("x".repeat(1000));
    req.resume();
    await once(req, "end");
    expect(ctx.err()).toBeUndefined();
    res.end();
    expect(await endOf(ctx)).toEqual(sent);
  });

  test("a client that leaves instead of sending the body it was told to go on with", async () => {
    const { server, port } = await serving();
    const expecting = arrivals(server, "checkContinue");
    const { socket } = await client(port, `${head}Expect: 100-continue\r\n\r\n`);
    const [req, res] = (await expecting()) as [IncomingMessage, ServerResponse];
    const ctx = requestContext(background, req, res);
    socket.destroy();
    expect(await endOf(ctx)).toEqual(disconnected);
  });
});

describe("connections that were taken over", () => {
  const upgrade = get("/", "Connection: Upgrade", "Upgrade: echo");

  async function upgraded(server: Server) {
    const come = arrivals(server, "upgrade");
    return async () => {
      const [req, socket] = await come();
      return { req, socket } as {
        req: Parameters<typeof requestContext>[1];
        socket: NonNullable<Client["socket"]>;
      };
    };
  }
  type Client = Awaited<ReturnType<typeof client>>;

  test("an upgraded one is live until the connection closes", async () => {
    const { server, port } = await serving();
    const next = await upgraded(server);
    const { socket: theirs, received } = await client(port, upgrade);
    const { req, socket } = await next();
    const ctx = requestContext(background, req, socket);
    socket.on("end", () => socket.end()).resume(); // As whoever takes over a connection has to.
    socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nhello");
    await received(/hello/);
    expect(ctx.err()).toBeUndefined();
    theirs.destroy();
    expect(await endOf(ctx)).toEqual(disconnected);
  });

  test("one that this side has ended has its response", async () => {
    const { server, port } = await serving();
    const next = await upgraded(server);
    const { received } = await client(port, upgrade);
    const { req, socket } = await next();
    const ctx = requestContext(background, req, socket);
    socket.end("goodbye");
    await received(/goodbye/);
    expect(await endOf(ctx)).toEqual(sent);
  });

  test("one that has gone is born ended", async () => {
    const { server, port } = await serving();
    const next = await upgraded(server);
    const { socket: theirs } = await client(port, upgrade);
    const { req, socket } = await next();
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.on("error", () => {}).resume();
    theirs.resetAndDestroy();
    await closed;
    expect(await endOf(requestContext(background, req, socket))).toEqual(disconnected);
  });

  test("a response whose socket was taken away ends with the connection", async () => {
    const { port, arrival } = await serving();
    const { socket, received } = await client(port, get("/"));
    const { req, res } = await arrival();
    const ctx = requestContext(background, req, res);
    res.detachSocket(req.socket);
    req.socket.resume();
    req.socket.write("not HTTP at all");
    await received(/not HTTP/);
    expect(ctx.err()).toBeUndefined();
    socket.destroy();
    expect(await endOf(ctx)).toEqual(disconnected);
  });
});

describe("its time", () => {
  async function arrived(...headers: string[]) {
    const { port, arrival } = await serving();
    await client(port, get("/", ...headers));
    const { req, res } = await arrival();
    return (timeout?: number) =>
      requestContext(background, req, res, timeout === undefined ? {} : { timeout });
  }

  test("when it is over the context ends with a deadline's error, and the cause says whose", async () => {
    const context = await arrived();
    expect(await endOf(context(1))).toEqual({
      code: "ERR_DEADLINE_EXCEEDED",
      cause: "ERR_REQUEST_TIMEOUT",
      message: "request timed out",
    });
    expect(context(0).err()?.code).toBe("ERR_DEADLINE_EXCEEDED");
  });

  test("without a timeout there is no deadline", async () => {
    const context = await arrived();
    expect(context().deadline()).toBeUndefined();
    expect(remaining(context(Number.POSITIVE_INFINITY))).toBe(Number.POSITIVE_INFINITY);
  });

  test("a caller may ask for less, not for more", async () => {
    const asksForLess = await arrived("x-request-timeout-ms: 5000");
    expect(remaining(asksForLess(60_000))).toBeLessThanOrEqual(5000);
    expect(remaining(asksForLess(60_000))).toBeGreaterThan(0);
    expect(remaining(asksForLess())).toBeLessThanOrEqual(5000);
    const asksForMore = await arrived("X-Request-Timeout-Ms: 3155760000000"); // a century
    expect(remaining(asksForMore(60_000))).toBeLessThanOrEqual(60_000);
    expect(remaining(asksForMore())).toBeGreaterThan(3_000_000_000_000);
    expect(asksForMore().err()).toBeUndefined();
  });

  test("a caller that has no time left gets none", async () => {
    const context = await arrived("x-request-timeout-ms: 0");
    expect(context(60_000).err()?.code).toBe("ERR_DEADLINE_EXCEEDED");
  });

  test.each(["-1", "NaN", "Infinity", "1e3", "12.5", "0x10", "soon", "", "5000, 1", `9${"9".repeat(400)}`])(
    "%j is no time: it is ignored",
    async (value) => {
      const context = await arrived(`x-request-timeout-ms: ${value}`);
      expect(context().deadline()).toBeUndefined();
      expect(remaining(context(60_000))).toBeGreaterThan(5000);
    },
  );
});
