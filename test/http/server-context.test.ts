/** The base context of a server, and its end. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import {
  connect as connectHttp2,
  createServer as createHttp2Server,
  type ServerHttp2Stream,
} from "node:http2";
import { type AddressInfo, Socket } from "node:net";
import { background, cause, sleep, withCancel } from "lifeguard";
import { requestContext, respond, serverContext } from "lifeguard/http";
import { describe, expect, test } from "vitest";
import { heapUsed } from "../support/memory.js";
import { pooled, rejection, threadGate } from "../support/pool.js";
import { arrivals, client, endOf, get, sent, serving } from "../support/server.js";
import { settles, turn } from "../support/turn.js";

const closing = { code: "ABORT_ERR", cause: "ERR_SERVER_CLOSING", message: "server closing" };

/** A server with a base context, and how many connections it has. With endless grace, unless said otherwise: it hides nothing. */
async function based(options: Parameters<typeof serverContext>[2] = {}) {
  const server = createServer();
  const [base, shutdown] = serverContext(background, server, { grace: Number.POSITIVE_INFINITY, ...options });
  const { port, arrival } = await serving(server);
  const connections = () =>
    new Promise<number>((resolve, reject) => {
      server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
    });
  return { server, base, shutdown, port, arrival, connections };
}

async function isRefused(port: number): Promise<boolean> {
  try {
    (await client(port)).socket.destroy();
    return false;
  } catch (error) {
    return (error as { code?: string }).code === "ECONNREFUSED";
  }
}

describe("shutting down", () => {
  test("takes no more connections, lets requests finish, then ends the base", async () => {
    const { server, base, shutdown, port, arrival, connections } = await based();
    const { received, closed } = await client(port, get("/"));
    const { req, res } = await arrival();
    const ctx = requestContext(base, req, res);
    const down = shutdown();
    expect(await settles(down)).toBe(false);
    expect(await isRefused(port)).toBe(true);
    expect(ctx.err()).toBeUndefined();
    expect(base.err()).toBeUndefined();
    res.end("the answer");
    expect(await received(/the answer/)).toMatch(/^Connection: close\r$/m);
    expect(await endOf(ctx)).toEqual(sent);
    await down;
    await closed;
    expect(await endOf(base)).toEqual(closing);
    expect(server.listening).toBe(false);
    expect(await connections()).toBe(0);
  });

  test("ends at once what is idle: kept alive, and not used yet", async () => {
    const { server, shutdown, port, arrival } = await based();
    const accepted = once(server, "connection");
    const fresh = await client(port);
    await accepted;
    const { received, closed } = await client(port, get("/"));
    const { res } = await arrival();
    res.end("the answer");
    await received(/the answer/);
    await shutdown();
    await Promise.all([closed, fresh.closed]);
  });

  test("a response whose headers were sent before keeps its connection for as long as it takes, and no longer", async () => {
    const { shutdown, port, arrival } = await based();
    const { received, closed } = await client(port, get("/"));
    const { res } = await arrival();
    res.write("the beginning");
    await received(/the beginning/);
    const down = shutdown();
    expect(await settles(down)).toBe(false);
    res.end("the end");
    await received(/the end/);
    await Promise.all([down, closed]);
  });

  test("an answer that is on its way arrives, however slowly the client reads, and whatever else is answered", async () => {
    const { base, shutdown, port, arrival } = await based();
    const slow = await client(port, get("/slow"));
    slow.socket.pause();
    const first = await arrival();
    const ctx = requestContext(base, first.req, first.res);
    const length = 20_000_000;
    first.res.end(Buffer.alloc(length, "x"));
    const { received } = await client(port, get("/quick"));
    const second = await arrival();
    const down = shutdown();
    second.res.end("the answer");
    await received(/the answer/);
    for (let i = 0; i < 10; i++) await turn();
    let count = 0;
    slow.socket.on("data", (text: string) => {
      count += text.length;
    });
    slow.socket.resume();
    await Promise.all([down, slow.closed]);
    expect(count).toBeGreaterThan(length);
    expect(await endOf(ctx)).toEqual(sent);
  });

  test.each([
    ["neither of which is begun", false],
    ["the first of which is begun", true],
  ])("answers what a client has pipelined: two requests, %s", async (_which, isBegun) => {
    const { shutdown, port, arrival } = await based();
    const { received, closed } = await client(port, get("/1") + get("/2"));
    const [first, second] = [await arrival(), await arrival()];
    if (isBegun) first.res.write("the first ");
    const down = shutdown();
    first.res.end("answer");
    second.res.end("the second");
    expect(await received(/the second/)).toMatch(/answer.*Connection: close.*the second/s);
    await Promise.all([down, closed]);
  });

  test.each([
    ["upgrade", get("/", "Connection: Upgrade", "Upgrade: echo")],
    ["connect", "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n"],
  ])(
    "what is kept alive while others are busy ends at once; what was taken over by %s does not",
    async (event, request) => {
      const { server, shutdown, port, arrival } = await based();
      const upgrades = arrivals(server, event);
      const kept = await client(port, get("/1"));
      (await arrival()).res.end("the answer");
      await kept.received(/the answer/);
      const upgraded = await client(port, get("/2"));
      (await arrival()).res.end("the answer");
      await upgraded.received(/the answer/);
      upgraded.send(request);
      const [, socket] = (await upgrades()) as [IncomingMessage, IncomingMessage["socket"]];
      const busy = await client(port, get("/3"));
      const { res } = await arrival();
      const down = shutdown();
      await kept.closed;
      socket.end("goodbye");
      await upgraded.received(/goodbye/);
      expect(await settles(down)).toBe(false);
      res.end("the answer");
      await busy.received(/the answer/);
      await down;
    },
  );

  test("called when an answer has just been sent, it does not take that for lost", async () => {
    let down: Promise<void> | undefined;
    // Its listener comes before those of the context, and after Node's, which takes the socket away.
    const server = createServer((_req, res) => {
      res.on("finish", () => {
        down = shutdown();
      });
      res.end("the answer");
    });
    const [, shutdown] = serverContext(background, server, { grace: Number.POSITIVE_INFINITY });
    const { port } = await serving(server);
    const { received, closed } = await client(port, get("/"));
    await received(/the answer/);
    await Promise.all([down, closed]);
  });

  test("two of one server do not get in each other's way", async () => {
    const server = createServer();
    const [, one] = serverContext(background, server);
    const [, two] = serverContext(background, server);
    const theirs = () => {};
    server.on("upgrade", theirs);
    expect(server.listenerCount("upgrade")).toBe(3);
    server.off("upgrade", theirs);
    expect(server.listenerCount("upgrade")).toBe(0);
    server.once("upgrade", theirs);
    expect(server.listenerCount("upgrade")).toBe(3);
    server.emit("upgrade", undefined, new Socket());
    expect(server.listenerCount("upgrade")).toBe(0);
    await Promise.all([one(), two()]);
  });

  test("connections that were taken over before it end with their grace, as far as it is concerned", async () => {
    const { server, port } = await serving();
    const upgrades = arrivals(server, "upgrade");
    await client(port, get("/", "Connection: Upgrade", "Upgrade: echo"));
    await upgrades();
    const [, shutdown] = serverContext(background, server, { grace: 1 });
    await shutdown();
    expect(server.listening).toBe(false);
  });

  test("connections that have closed are not kept, whatever of theirs is answered later", async () => {
    const { base, shutdown, port, arrival } = await based();
    const refs: WeakRef<object>[] = [];
    for (let i = 0; i < 20; i++) {
      const { socket } = await client(port, get("/1") + get("/2"));
      const [first, second] = [await arrival(), await arrival()];
      requestContext(base, first.req, first.res);
      refs.push(new WeakRef(first.req.socket));
      const closed = new Promise((resolve) => first.req.socket.on("close", resolve));
      socket.destroy();
      await closed;
      requestContext(base, second.req, second.res); // late
    }
    for (let round = 0; round < 5; round++) {
      await turn();
      heapUsed();
    }
    // The last one or two may still be on a stack, or in a register.
    expect(refs.filter((ref) => ref.deref() !== undefined).length).toBeLessThan(5);
    await shutdown();
  });

  test("requests that were there before it are waited for, once they have a context", async () => {
    const { server, port, arrival } = await serving();
    const { received } = await client(port, get("/"));
    const { req, res } = await arrival();
    const [base, shutdown] = serverContext(background, server);
    requestContext(base, req, res);
    const down = shutdown();
    await turn();
    expect(base.err()).toBeUndefined();
    res.end("the answer");
    await received(/the answer/);
    await down;
  });

  test.each(["checkContinue", "checkExpectation"])(
    "requests that come with %j are waited for",
    async (event) => {
      const { server, base, shutdown, port } = await based();
      const next = arrivals(server, event);
      const expectation = event === "checkContinue" ? "100-continue" : "200-ok";
      const { received } = await client(port, get("/", `Expect: ${expectation}`));
      const [, res] = (await next()) as [IncomingMessage, ServerResponse];
      const down = shutdown();
      await turn();
      expect(base.err()).toBeUndefined();

      res.end("the answer");
      await received(/the answer/);
      await down;
    },
  );

  test("what a server does by itself, it still does: it listens only where somebody else listens", async () => {
    const { server, port, arrival } = await based();
    const { received } = await client(port, get("/", "Connection: Upgrade", "Upgrade: echo"));
    (await arrival()).res.end("not upgraded");
    await received(/not upgraded/);
    const ours = (event: string) => server.listenerCount(event);
    expect(ours("upgrade")).toBe(0);
    const theirs = () => {};
    server.on("upgrade", theirs);
    expect(ours("upgrade")).toBe(2);
    const alsoTheirs = () => {};
    server.on("upgrade", alsoTheirs);
    expect(ours("upgrade")).toBe(3);
    server.off("upgrade", theirs);
    expect(ours("upgrade")).toBe(2);
    server.off("upgrade", alsoTheirs);
    expect(ours("upgrade")).toBe(0);
    expect(ours("checkContinue")).toBe(0);
  });

  test("its connection ends then, though others are busy", async () => {
    const { shutdown, port, arrival } = await based();
    const { received, closed } = await client(port, get("/"));
    const first = await arrival();
    first.res.write("the beginning");
    await received(/the beginning/);
    const busy = await client(port, get("/"));
    const second = await arrival();
    const down = shutdown();
    first.res.end();
    await closed;
    second.res.end("the answer");
    await busy.received(/the answer/);
    await down;
  });

  test.each([
    ["is begun", true],
    ["is not begun", false],
  ])(
    "a request that comes while the answer before it %s is answered, and told to come back elsewhere",
    async (_which, isBegun) => {
      const { shutdown, port, arrival, base } = await based();
      const { received, send } = await client(port, get("/1"));
      const first = await arrival();
      if (isBegun) first.res.write("the ");
      const down = shutdown();
      send(get("/2"));
      const second = await arrival();
      const ctx = requestContext(base, second.req, second.res);
      first.res.end("first");
      second.res.end("second");
      expect(await received(/second/)).toMatch(/first.*Connection: close.*second/s);
      expect(await endOf(ctx)).toEqual(sent);
      await down;
    },
  );

  test("when its context ends, what is left is cancelled, and may still say so", async () => {
    const { base, shutdown, port, arrival } = await based();
    const { received } = await client(port, get("/"));
    const { req, res } = await arrival();
    const ctx = requestContext(base, req, res);
    const [patience, cancel] = withCancel(background);
    const down = shutdown(patience);
    const why = new Error("no more time");
    cancel(why);
    expect(await endOf(ctx)).toEqual(closing);
    expect((cause(ctx) as Error).cause).toBe(why);
    expect(respond(res, ctx.err())).toBe(true);
    const answer = await received(/closing/);
    expect(answer).toMatch(/^HTTP\/1.1 503 /);
    expect(answer).toMatch(/^Retry-After: 1\r$/m);
    expect(answer).toMatch(/^Connection: close\r$/m);
    await down;
  });

  test("what does not go then is cut off after its grace", async () => {
    const { base, shutdown, port, arrival } = await based({ grace: 1 });
    const { closed } = await client(port, get("/"));
    const { req, res } = await arrival();
    requestContext(base, req, res); // and never answers
    const [over, cancel] = withCancel(background);
    cancel();
    await shutdown(over);
    await closed;
    expect(res.destroyed).toBe(true);
  });

  test("an upgraded connection is not waited for: it ends with the base, or is cut off", async () => {
    const { server, base, shutdown, port } = await based({ grace: 1 });
    const upgrades = arrivals(server, "upgrade");
    const { closed } = await client(port, get("/", "Connection: Upgrade", "Upgrade: echo"));
    const [req, socket] = (await upgrades()) as [IncomingMessage, IncomingMessage["socket"]];
    const ctx = requestContext(base, req, socket);
    await shutdown();
    await closed;
    expect(await endOf(ctx)).toEqual(closing);
  });

  test("nor is one whose response has lost its socket; it may say goodbye", async () => {
    const { base, shutdown, port, arrival } = await based();
    const { received, closed } = await client(port, get("/"));
    const { req, res } = await arrival();
    const ctx = requestContext(base, req, res);
    const { socket } = req;
    res.detachSocket(socket);
    socket.on("end", () => socket.end()).resume();
    const down = shutdown();
    await ctx.done();
    expect(await endOf(ctx)).toEqual(closing);
    expect(await settles(down)).toBe(false);
    socket.end("goodbye");
    await received(/goodbye/);
    await Promise.all([down, closed]);
  });

  test("one that says goodbye in its grace is not cut off", async () => {
    const { server, base, shutdown, port } = await based();
    const upgrades = arrivals(server, "upgrade");
    const { received } = await client(port, get("/", "Connection: Upgrade", "Upgrade: echo"));
    const [req, socket] = (await upgrades()) as [IncomingMessage, IncomingMessage["socket"]];
    const ctx = requestContext(base, req, socket);
    const down = shutdown();
    await ctx.done();
    expect(await settles(down)).toBe(false);
    socket.end("goodbye");
    await received(/goodbye/);
    await down;
  });

  test("closes the pools when the requests are over, after what they still have to do", async () => {
    const pool = pooled({ threads: 1 });
    const { base, shutdown, port, arrival } = await based({ pools: [pool] });
    await client(port, get("/"));
    const { req, res } = await arrival();
    const ctx = requestContext(base, req, res);
    const gate = threadGate();
    const answer = pool.run(ctx, "hold", gate.view, "the answer");
    await gate.entered();
    const last = pool.run(background, "add", 1, 2);
    const down = shutdown();
    gate.open();
    res.end(await answer);
    expect(await last).toBe(3);
    await down;
    expect(await rejection(pool.run(background, "add", 1, 2))).toMatchObject({ code: "ERR_POOL_CLOSED" });
    expect(pool.stats()).toMatchObject({ threads: 0, queued: 0, running: 0, stuck: 0 });
  });

  test("its context counts for the pools, too, after the last answer", async () => {
    const pool = pooled({ threads: 1 });
    const { shutdown } = await based({ pools: [pool] });
    const gate = threadGate();
    const task = pool.submit(background, "pollThen", [gate.view, "throw err"]);
    await gate.entered();
    const [patience, cancel] = withCancel(background);
    const down = shutdown(patience);
    expect(await settles(down)).toBe(false);
    cancel();
    await rejection(task.result);
    await down;
    expect(task.outcome).toBe("stopped");
  });

  test("repeated calls wait for the same, and the context of each counts", async () => {
    const { base, shutdown, port, arrival } = await based();
    await client(port, get("/"));
    const { req, res } = await arrival();
    const ctx = requestContext(base, req, res);
    const [patience, cancel] = withCancel(background);
    const all = [shutdown(), shutdown(patience), shutdown()];
    cancel();
    await ctx.done();
    respond(res, ctx.err());
    await Promise.all(all);
    await shutdown();
  });

  test("of a server that does not listen there is nothing to wait for", async () => {
    const server = createServer();
    const [base, shutdown] = serverContext(background, server);
    await shutdown();
    expect(await endOf(base)).toEqual(closing);
  });

  test("of one that was closed before, the connections that are left are waited for", async () => {
    const { server, base, shutdown, port, arrival } = await based();
    const { received } = await client(port, get("/"));
    const { req, res } = await arrival();
    const ctx = requestContext(base, req, res);
    server.close();
    const down = shutdown();
    expect(await settles(down)).toBe(false);
    res.end("the answer");
    await received(/the answer/);
    expect(await endOf(ctx)).toEqual(sent);
    await down;
  });

  test("a pool that fails to close keeps nothing else from its end, and is what the call rejects with", async () => {
    const pool = pooled({ threads: 1 });
    const why = new Error("will not close");
    const throws = {
      close: () => {
        throw why;
      },
    };
    const { server, shutdown } = await based({ pools: [throws, pool] });
    expect(await rejection(shutdown())).toBe(why);
    expect(server.listening).toBe(false);
    expect(pool.stats().threads).toBe(0);
    expect(server.listenerCount("request")).toBe(1); // the test's
    expect(await rejection(shutdown())).toBe(why);
  });

  test("leaves no listener on the server", async () => {
    const server: Server = createServer();
    const before = server.eventNames().map((name) => [name, server.listenerCount(name)]);
    const [, shutdown] = serverContext(background, server);
    await shutdown();
    await turn();
    expect(server.eventNames().map((name) => [name, server.listenerCount(name)])).toEqual(before);
    expect(Object.hasOwn(server, "closeIdleConnections")).toBe(false);
  });

  test("leaves what somebody has put in place of a method of the server as it was", async () => {
    const server: Server = createServer();
    server.closeIdleConnections = () => {};
    const before = Object.getOwnPropertyDescriptor(server, "closeIdleConnections");
    const [, shutdown] = serverContext(background, server);
    await shutdown();
    expect(Object.getOwnPropertyDescriptor(server, "closeIdleConnections")).toEqual(before);
  });

  test("requests of handlers that know nothing of contexts are waited for as well", async () => {
    const { base, shutdown, port, arrival } = await based();
    const { received } = await client(port, get("/"));
    const { res } = await arrival();
    const down = shutdown();
    await turn();
    expect(base.err()).toBeUndefined();

    res.end("the answer");
    await received(/the answer/);
    await down;
  });
});

describe("shutting an HTTP/2 server down", () => {
  test("ends a session at once that asks for nothing", async () => {
    const server = createHttp2Server();
    const [, shutdown] = serverContext(background, server, { grace: Number.POSITIVE_INFINITY });
    const began = arrivals(server, "session");
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const connected = once(session, "remoteSettings");
    await Promise.all([began(), connected]);
    const closed = new Promise((resolve) => session.on("close", resolve));
    await shutdown();
    await closed;
  });

  test("streams that are open finish; what comes then is refused", async () => {
    const server = createHttp2Server();
    const [base, shutdown] = serverContext(background, server);
    const next = arrivals(server, "request");
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const stream = session.request({ ":path": "/" });
    let body = "";
    stream.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    const [req, res] = (await next()) as [IncomingMessage, ServerResponse];
    const ctx = requestContext(base, req, res);
    const down = shutdown();
    expect(await settles(down)).toBe(false);
    expect(ctx.err()).toBeUndefined();
    const [ended, closed] = [once(stream, "end"), once(session, "close")];
    res.end("the answer");
    await Promise.all([ended, closed, down]);
    expect(body).toBe("the answer");
    expect(await endOf(ctx)).toEqual(sent);
    expect(await endOf(base)).toEqual(closing);
  });

  test("an upload that goes on after its answer is not waited for; streams are, whose handlers know nothing of contexts", async () => {
    const server = createHttp2Server();
    const [base, shutdown] = serverContext(background, server, { grace: 1 });
    const next = arrivals(server, "stream");
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    session.on("error", () => {});
    const upload = session.request({ ":path": "/", ":method": "POST" });
    upload.on("error", () => {});
    upload.resume().write("the beginning");
    const [stream] = (await next()) as [ServerHttp2Stream];
    const down = shutdown();
    await turn();
    expect(base.err()).toBeUndefined();

    stream.respond({ ":status": 413 });
    stream.end("too much");
    await down;
    expect(server.listenerCount("stream") + server.listenerCount("session")).toBe(1); // the test's
  });

  test("a stream that never ends is cancelled, and cut off after its grace", async () => {
    const server = createHttp2Server();
    const [base, shutdown] = serverContext(background, server, { grace: 1 });
    const next = arrivals(server, "request");
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    session.on("error", () => {});
    session.request({ ":path": "/" }).on("error", () => {});
    const [req, res] = (await next()) as [IncomingMessage, ServerResponse];
    const ctx = requestContext(base, req, res);
    const closed = new Promise((resolve) => session.on("close", resolve));
    const [over, cancel] = withCancel(background);
    cancel();
    await shutdown(over);
    await closed;
    expect(await endOf(ctx)).toEqual(closing);
  });
});

describe("the base context", () => {
  test("is a child of its parent, whose end ends the requests and leaves the server be", async () => {
    const [parent, cancel] = withCancel(background);
    const server = createServer();
    const [base, shutdown] = serverContext(parent, server);
    const { port, arrival } = await serving(server);
    await client(port, get("/"));
    const { req, res } = await arrival();
    const ctx = requestContext(base, req, res);
    cancel("enough");
    expect(cause(ctx)).toBe("enough");
    expect(server.listening).toBe(true);
    respond(res, ctx.err());
    await shutdown();
    expect(cause(base)).toBe("enough");
  });

  test("outlives its requests", async () => {
    const { base, port, arrival, shutdown } = await based();
    const { socket } = await client(port, get("/"));
    const { req, res } = await arrival();
    const ctx = requestContext(base, req, res);
    socket.destroy();
    await ctx.done();
    expect(base.err()).toBeUndefined();
    await rejection(sleep(ctx, 1000));
    await shutdown();
  });
});
