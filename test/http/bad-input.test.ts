/** Wrong arguments: a TypeError at once, which names the function, what it expected and what it got. */
import { EventEmitter } from "node:events";
import { createServer, IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { background, type Context } from "lifeguard";
import {
  admit,
  fetch,
  outgoingHeaders,
  requestContext,
  respond,
  serverContext,
  traceId,
} from "lifeguard/http";
import { afterAll, describe, expect, test } from "vitest";
import { pooled, rejection } from "../support/pool.js";

const req = new IncomingMessage(new Socket());
const res = new ServerResponse(req);
const server = createServer();
const pool = pooled({ threads: 1 });
afterAll(() => pool.destroy());
const none = undefined as unknown as never;

const calls: [string, string, () => unknown][] = [
  ["requestContext", "parent", () => requestContext(none, req, res)],
  ["requestContext", "parent", () => requestContext({} as Context, req, res)],
  ["requestContext", "req", () => requestContext(background, none, res)],
  ["requestContext", "req", () => requestContext(background, {} as never, res)],
  ["requestContext", "req", () => requestContext(background, { headers: null } as never, res)],
  ["requestContext", "res", () => requestContext(background, req, none)],
  ["requestContext", "res", () => requestContext(background, req, {} as never)],
  ["requestContext", "options", () => requestContext(background, req, res, null as never)],
  ["requestContext", "options", () => requestContext(background, req, res, 1000 as never)],
  ...[Number.NaN, -1, "1000", null].map((timeout): [string, string, () => unknown] => [
    "requestContext",
    "options.timeout",
    () => requestContext(background, req, res, { timeout: timeout as number }),
  ]),
  ["serverContext", "parent", () => serverContext(none, server)],
  ["serverContext", "server", () => serverContext(background, none)],
  ["serverContext", "server", () => serverContext(background, {} as never)],
  ["serverContext", "server", () => serverContext(background, new EventEmitter() as never)],
  ["serverContext", "options", () => serverContext(background, server, null as never)],
  ["serverContext", "options.pools", () => serverContext(background, server, { pools: {} as never })],
  ["serverContext", "options.pools", () => serverContext(background, server, { pools: [none] })],
  ["serverContext", "options.grace", () => serverContext(background, server, { grace: Number.NaN })],
  ["serverContext", "options.grace", () => serverContext(background, server, { grace: -1 })],
  ["admit", "pool", () => admit(background, none, none)],
  ["admit", "pool", () => admit(background, {} as never, none)],
  ["Pool.estimate", "ctx", () => admit(none, pool, "add")],
  ["respond", "res", () => respond(none, new Error("a bug"))],
  ["respond", "res", () => respond({} as never, new Error("a bug"))],
  ["outgoingHeaders", "ctx", () => outgoingHeaders(none)],
  ["traceId", "ctx", () => traceId(none)],
];

describe("a wrong argument throws TypeError ERR_INVALID_ARG", () => {
  test.each(calls)("%s: %s (%#)", (name, argument, call) => {
    const listeners = server.listenerCount("request") + server.listenerCount("connection");
    expect(call).toThrow(TypeError);
    expect(call).toThrow(
      expect.objectContaining({
        code: "ERR_INVALID_ARG",
        message: expect.stringMatching(
          new RegExp(`^${name.replace(".", "\\.")}: ${argument.replace(".", "\\.")}: expected .*, got .*$`),
        ) as string,
      }),
    );
    expect(server.listenerCount("request") + server.listenerCount("connection")).toBe(listeners);
    expect(res.listenerCount("close") + res.listenerCount("finish")).toBe(0);
  });
});

describe("and rejects, where a promise is returned", () => {
  test.each<[string, () => Promise<unknown>]>([
    ["fetch: ctx", () => fetch(none, "http://localhost")],
    ["fetch: init", () => fetch(background, "http://localhost", null as never)],
    ["fetch: init.signal", () => fetch(background, "http://localhost", { signal: AbortSignal.abort() })],
    ["shutdown: ctx", () => serverContext(background, createServer())[1]({} as Context)],
  ])("%s", async (where, call) => {
    const error = await rejection(call());
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({
      code: "ERR_INVALID_ARG",
      message: expect.stringContaining(`${where}: expected `) as string,
    });
  });
});
