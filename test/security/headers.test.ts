/** What a client can do with the headers of its request, and what it is told when that comes to nothing. */

import { type IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { background, cause, PoolError, remaining, withCancel, withValue } from "lifeguard";
import {
  errorResponse,
  outgoingHeaders,
  requestContext,
  traceId,
  traceparent,
  tracestate,
} from "lifeguard/http";
import { expect, test } from "vitest";

const timeout = 1000;
const contextOf = (headers: Record<string, unknown>, options: { timeout?: number } = { timeout }) => {
  const req = new IncomingMessage(new Socket());
  return requestContext(
    background,
    { headers: headers as IncomingHttpHeaders },
    new ServerResponse(req),
    options,
  );
};
const id = "0af7651916cd43dd8448eb211c80319c";
const parent = `00-${id}-b7ad6b7169203331-01`;

test.each([
  "1001",
  "999999999999999999999",
  "9".repeat(1_000_000),
  "1e309",
  "1e3",
  "-1",
  "-0",
  "+5",
  "0x10",
  "NaN",
  "Infinity",
  "",
  " ",
  "5 ",
  " 5",
  "5\n",
  "5, 6",
  "5.5",
  "５",
  "٥",
  "1_000",
  "null",
  ["5"],
  5,
  null,
  { valueOf: () => 5 },
])("a deadline cannot be made later than the server's, or anything but a time, by header %#", (given) => {
  const ctx = contextOf({ "x-request-timeout-ms": given });
  const left = remaining(ctx);
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThanOrEqual(timeout);
  const free = contextOf({ "x-request-timeout-ms": given }, {});
  expect(Number.isNaN(remaining(free))).toBe(false);
});

test("a time of 0 cannot do more than end the request at once", () => {
  const ctx = contextOf({ "x-request-timeout-ms": "0" });
  expect(ctx.err()?.code).toBe("ERR_DEADLINE_EXCEEDED");
  expect(cause(ctx)).toMatchObject({ code: "ERR_REQUEST_TIMEOUT" });
});

test("headers of a megabyte cannot hold up the server, nor be kept", () => {
  const long = 1_000_000;
  for (const header of [
    "0".repeat(long),
    " ".repeat(long),
    `${parent}-${"-".repeat(long)}`,
    `cc${parent.slice(2)}-${"a-".repeat(long / 2)}`,
    "00-".repeat(long / 3),
    ",".repeat(long),
    "a=".repeat(long / 2),
    `${"a".repeat(long)}=b`,
    "a=1,".repeat(long / 4),
    `a=${" ".repeat(long)}`,
  ]) {
    const ctx = contextOf({ traceparent: header, tracestate: header, "x-request-timeout-ms": header });
    expect(ctx.value(traceparent)).toHaveLength(55);
    expect(ctx.value(tracestate)).toBeUndefined();
    const state = contextOf({ traceparent: parent, tracestate: header }).value(tracestate) ?? "";
    expect(state.length).toBeLessThanOrEqual(512);
  }
});

test("headers that go out cannot be split by what came in, or by what stands in the context", () => {
  for (const evil of [
    `${parent}\r\nx-evil: 1`,
    `${parent}\nx: 1`,
    `\r\n${parent}\r\n`,
    `${parent}\u0000`,
    `${parent}\u2028x`,
  ]) {
    const came = outgoingHeaders(contextOf({ traceparent: evil, tracestate: `a=1\r\nx-evil: 1` }));
    const stood = outgoingHeaders(
      withValue(withValue(background, traceparent, evil), tracestate, "a=1\r\nx: 1"),
    );
    for (const headers of [came, stood])
      for (const [name, value] of Object.entries(headers)) {
        expect(["traceparent", "tracestate", "x-request-timeout-ms"]).toContain(name);
        expect(value).toMatch(/^[\x20-\x7e]*$/);
      }
  }
});

test("a request cannot set the trace of another one", () => {
  const one = contextOf({ traceparent: parent });
  const two = contextOf({});
  const three = contextOf({ traceparent: `${parent}, ${parent}` });
  expect(traceId(one)).toBe(id);
  expect(new Set([one, two, three].map(traceId)).size).toBe(3);
});

test("what a client is told cannot hold stacks, causes, paths or markup", () => {
  const said = "<script>/srv/secret/tasks.mjs</script>";
  const [ctx, cancel] = withCancel(background);
  cancel(new Error(said));
  const codes = ["ERR_QUEUE_FULL", "ERR_POOL_CLOSED"] as const;
  const errors = [ctx.err(), ...codes.map((code) => new PoolError(code, said, { cause: new Error(said) }))];
  for (const error of errors) {
    const response = errorResponse(error);
    expect(response?.status).toBe(503);
    expect(response?.headers["Content-Type"]).toBe("text/plain; charset=utf-8");
    expect(JSON.stringify(response)).not.toMatch(/script|secret|tasks\.mjs|at /);
  }
  for (const error of [new Error(said), new PoolError("ERR_WORKER_CRASHED", said), said, null])
    expect(errorResponse(error)).toBeUndefined();
});

test("an error's Retry-After cannot be anything but a number", () => {
  for (const retryAfter of ["1\r\nx-evil: 1", -1, Number.NaN, 1e300, {}]) {
    const error = Object.assign(new Error("x"), { name: "RequestError", code: "ERR_OVERLOADED", retryAfter });
    expect(errorResponse(error)?.headers["Retry-After"]).toBe("1");
  }
});
