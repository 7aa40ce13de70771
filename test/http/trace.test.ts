/** The trace of a request: which header is taken for one, where it goes, what is handed on. */
import { createServer } from "node:http";
import { background, sharedKey, withCancel, withSignal, withTimeout, withValue } from "lifeguard";
import { fetch, outgoingHeaders, requestContext, traceId, traceparent, tracestate } from "lifeguard/http";
import { describe, expect, test } from "vitest";
import { pooled, rejection } from "../support/pool.js";
import { client, get, listening, serving } from "../support/server.js";

const id = "0af7651916cd43dd8448eb211c80319c";
const parent = `00-${id}-b7ad6b7169203331-01`;
const fresh = /^00-[\da-f]{32}-[\da-f]{16}-00$/;

async function contextOf(...headers: string[]) {
  const { port, arrival } = await serving();
  const { socket } = await client(port, get("/", ...headers));
  const { req, res } = await arrival();
  return { ctx: requestContext(background, req, res), leave: () => socket.destroy() };
}

describe("the trace of a request", () => {
  test("is the one its headers name, under keys that are shared by name", async () => {
    const { ctx } = await contextOf(`traceparent: ${parent}`, "tracestate: congo=t61rcWkgMzE");
    expect(ctx.value(traceparent)).toBe(parent);
    expect(ctx.value(sharedKey("traceparent"))).toBe(parent);
    expect(ctx.value(tracestate)).toBe("congo=t61rcWkgMzE");
    expect(ctx.value(sharedKey("tracestate"))).toBe("congo=t61rcWkgMzE");
    expect(traceId(ctx)).toBe(id);
  });

  test("is known to its tasks, on their threads", async () => {
    await using pool = pooled({ threads: 1 }, "traced.mjs");
    const { ctx } = await contextOf(`traceparent: ${parent}`, "tracestate: a=1");
    expect(await pool.run(ctx, "trace")).toEqual({ id, traceparent: parent, tracestate: "a=1" });
  });

  test("is a new one each time where there is none", async () => {
    const [one, two] = [await contextOf(), await contextOf()];
    expect(one.ctx.value(traceparent)).toMatch(fresh);
    expect(traceId(one.ctx)).not.toBe(traceId(two.ctx));
    expect(one.ctx.value(tracestate)).toBeUndefined();
  });

  test.each([
    ["the version that is none", `ff-${id}-b7ad6b7169203331-01`],
    ["a trace id of zeros", `00-${"0".repeat(32)}-b7ad6b7169203331-01`],
    ["a parent id of zeros", `00-${id}-${"0".repeat(16)}-01`],
    ["capitals", parent.toUpperCase()],
    ["too short", parent.slice(0, -1)],
    ["more than version 00 has", `${parent}-more`],
    ["more, without a dash", `cc${parent.slice(2)}more`],
    ["no hexadecimal digits", parent.replace("a", "g")],
    ["two of them", `${parent}, ${parent}`],
    ["nothing", ""],
    ["markup", "<script>alert(1)</script>"],
    ["a kilobyte", "0".repeat(1024)],
  ])("garbage is no trace: %s", async (_what, garbage) => {
    const { ctx } = await contextOf(`traceparent: ${garbage}`, "tracestate: a=1");
    expect(ctx.value(traceparent)).toMatch(fresh);
    expect(traceId(ctx)).not.toBe(id);
    expect(ctx.value(tracestate)).toBeUndefined(); // It would be another trace's.
  });

  test("of a later version what is understood is taken, and handed on as version 00", async () => {
    const { ctx } = await contextOf(`traceparent: cc${parent.slice(2)}-what-will-be`);
    expect(ctx.value(traceparent)).toBe(parent);
  });

  test.each([
    ["one list in two headers", ["tracestate: a=1", "tracestate: b=2"], "a=1,b=2"],
    ["spaces and empty members", ["tracestate: a=1 , ,  b=2,"], "a=1,b=2"],
    ["the keys of tenants", ["tracestate: fw529a3039@dt=FfAAAAIAAAAA"], "fw529a3039@dt=FfAAAAIAAAAA"],
    ["garbage", ["tracestate: no member"], undefined],
    ["a value with =", ["tracestate: a=b=c"], undefined],
    ["capitals in a key", ["tracestate: A=1"], undefined],
    ["33 members", [`tracestate: ${Array.from({ length: 33 }, (_, i) => `k${i}=1`).join(",")}`], undefined],
    ["more than 512 characters", [`tracestate: a=${"x".repeat(250)},b=${"x".repeat(256)},c=1`], undefined],
  ])("its state: %s", async (_what, headers, expected) => {
    const { ctx } = await contextOf(`traceparent: ${parent}`, ...headers);
    expect(ctx.value(tracestate)).toBe(expected);
  });

  test("outside of a request there is none", () => {
    expect(traceId(background)).toBeUndefined();
    expect(outgoingHeaders(background)).toEqual({});
  });
});

describe("what is handed on", () => {
  /** Answers with the headers it was sent. */
  async function mirror() {
    const server = createServer((req, res) => res.end(JSON.stringify(req.headers)));
    return `http://127.0.0.1:${await listening(server)}/`;
  }

  test("the trace, and the time that is left", async () => {
    const { ctx } = await contextOf(`traceparent: ${parent}`, "tracestate: a=1");
    expect(outgoingHeaders(ctx)).toEqual({ traceparent: parent, tracestate: "a=1" });
    const [limited, cancel] = withTimeout(ctx, 5000);
    const headers = outgoingHeaders(limited);
    expect(headers).toMatchObject({ traceparent: parent });
    expect(headers["x-request-timeout-ms"]).toMatch(/^\d+$/);
    expect(Number(headers["x-request-timeout-ms"])).toBeLessThanOrEqual(5000);
    cancel();
  });

  test("fetch sends them along, and reads what comes back", async () => {
    const { ctx } = await contextOf(`traceparent: ${parent}`, "x-request-timeout-ms: 60000");
    const response = await fetch(ctx, await mirror(), { headers: { "X-Own": "1" } });
    const got = (await response.json()) as Record<string, string>;
    expect(got).toMatchObject({ traceparent: parent, "x-own": "1" });
    expect(Number(got["x-request-timeout-ms"])).toBeLessThanOrEqual(60_000);
    expect(Number(got["x-request-timeout-ms"])).toBeGreaterThan(0);
  });

  test("headers of the caller's own stay: in init, and in a Request", async () => {
    const { ctx } = await contextOf(`traceparent: ${parent}`);
    const own = `00-${"1".repeat(32)}-${"2".repeat(16)}-01`;
    const url = await mirror();
    const got = async (response: Response) => (await response.json()) as Record<string, string>;
    expect(await got(await fetch(ctx, url, { headers: [["Traceparent", own]] }))).toMatchObject({
      traceparent: own,
    });
    const request = new Request(url, { headers: { "X-Own": "1", traceparent: own } });
    expect(await got(await fetch(ctx, request))).toMatchObject({ traceparent: own, "x-own": "1" });
  });

  test("fetch is given up when the context ends: before, on the way, and while the body comes", async () => {
    const server = createServer((req, res) => {
      if (req.url === "/body") res.write("the beginning");
    });
    const url = `http://127.0.0.1:${await listening(server)}`;
    const [before, cancelBefore] = withCancel(background);
    cancelBefore("before");
    expect(await rejection(fetch(before, url))).toBe(before.err());

    const [on, cancelOn] = withCancel(background);
    server.once("request", () => cancelOn("on the way"));
    expect(await rejection(fetch(on, `${url}/`))).toBe(on.err());

    const [reading, cancelReading] = withCancel(background);
    const response = await fetch(reading, `${url}/body`);
    const body = response.text();
    cancelReading("while it comes");
    expect(await rejection(body)).toBe(reading.err());
  });

  test("a client that leaves gives up what the server has asked others for", async () => {
    const { port, arrival } = await serving();
    const upstream = createServer();
    const url = `http://127.0.0.1:${await listening(upstream)}`;
    const { socket } = await client(port, get("/"));
    const { req, res } = await arrival();
    const ctx = requestContext(background, req, res);
    upstream.once("request", () => socket.destroy());
    expect(await rejection(fetch(ctx, url))).toBe(ctx.err());
  });

  test("of what is under the keys only what is a trace goes out; of the time, whole milliseconds that there are", () => {
    const lines = withValue(background, traceparent, `${parent}\r\nX-Evil: 1`);
    expect(outgoingHeaders(lines)).toEqual({});
    expect(outgoingHeaders(withValue(background, traceparent, 42 as never))).toEqual({});
    const state = withValue(withValue(background, traceparent, parent), tracestate, "garbage");
    expect(outgoingHeaders(state)).toEqual({ traceparent: parent });
    const [ages, cancel] = withTimeout(background, 1e30);
    expect(outgoingHeaders(ages)).toEqual({});
    cancel();
    const left = (ms: number) => {
      const ctx = {
        deadline: () => Date.now() + ms,
        done: () => new Promise(() => {}),
        err: () => undefined,
      };
      return outgoingHeaders({ ...ctx, value: () => undefined } as never)["x-request-timeout-ms"];
    };
    expect(left(0.9)).toBe("0");
    expect(Number(left(1500.9))).toBeLessThanOrEqual(1500);
  });

  test("a Request's own signal counts, too", async () => {
    const server = createServer(() => {});
    const url = `http://127.0.0.1:${await listening(server)}/`;
    const why = new Error("enough");
    const gone = AbortSignal.abort(why);
    expect(await rejection(fetch(background, new Request(url, { signal: gone })))).toBe(why);
    const [ctx, cancel] = withCancel(background);
    server.once("request", () => cancel());
    expect(await rejection(fetch(ctx, new Request(url)))).toBe(ctx.err());
  });

  test("with a signal of its own there is withSignal", async () => {
    const controller = new AbortController();
    await expect(fetch(background, "http://localhost", { signal: controller.signal })).rejects.toMatchObject({
      code: "ERR_INVALID_ARG",
      message: expect.stringMatching(/^fetch: init\.signal: expected none/) as string,
    });
    const [ctx, cancel] = withSignal(background, controller.signal);
    controller.abort("enough");
    expect(await rejection(fetch(ctx, "http://localhost"))).toBe(ctx.err());
    cancel();
  });
});
