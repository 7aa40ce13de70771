/** Who is let in: overload that stays polite. */
import { background, type Pool, type PoolEstimate, withCancel, withTimeout } from "lifeguard";
import { admit, RequestError, requestContext, respond } from "lifeguard/http";
import { describe, expect, test } from "vitest";
import { pooled, threadGate } from "../support/pool.js";
import { client, get, serving } from "../support/server.js";

const idle: PoolEstimate = { wait: 0, run: 0, room: Number.POSITIVE_INFINITY };
const expecting = (estimate: Partial<PoolEstimate>) =>
  ({ estimate: () => ({ ...idle, ...estimate }) }) as unknown as Pool;

/** What `admit` throws. */
function refusal(ctx: Parameters<typeof admit>[0], pool: Pool): RequestError {
  try {
    admit(ctx, pool, "add");
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
  throw new Error("admitted");
}

describe("admit", () => {
  test("lets in while a thread is free, whatever the task takes", () => {
    const [ctx, cancel] = withTimeout(background, 1000);
    expect(() => admit(ctx, expecting({ run: 10_000 }), "add")).not.toThrow();
    cancel();
  });

  test("lets in what has no deadline, however long the queue", () => {
    expect(() => admit(background, expecting({ wait: 1e6 }), "add")).not.toThrow();
  });

  test("lets in what can be done in time, and refuses what cannot", () => {
    const [ctx, cancel] = withTimeout(background, 10_000);
    expect(() => admit(ctx, expecting({ wait: 4000, run: 4000 }), "add")).not.toThrow();
    const error = refusal(ctx, expecting({ wait: 9000, run: 4000 }));
    expect(error).toMatchObject({ name: "RequestError", code: "ERR_OVERLOADED", retryAfter: 4 });
    expect(error.message).toMatch(
      /^overloaded: it would take some 13000 ms, and (10000|9\d{3}) ms are left$/,
    );
    cancel();
  });

  test("refuses when the queue is full, and says when there may be room: from a second to a minute", () => {
    const full = (wait: number) => refusal(background, expecting({ room: 0, wait })).retryAfter;
    expect(full(0)).toBe(1);
    expect(full(2001)).toBe(3);
    expect(full(1e9)).toBe(60);
    expect(refusal(background, expecting({ room: 0 })).message).toBe("overloaded: the queue is full");
  });

  test("throws the error of a context that has ended", () => {
    const [ctx, cancel] = withCancel(background);
    cancel();
    expect(() => admit(ctx, expecting({ room: 0 }), "add")).toThrow(ctx.err());
  });

  test("with a real pool: the queue is full, and 503 comes at once", async () => {
    await using pool = pooled({ threads: 1, maxQueue: 1 });
    const gate = threadGate();
    const running = pool.run(background, "hold", gate.view);
    await gate.entered();
    const waiting = pool.run(background, "add", 1, 2);
    const { port, arrival } = await serving();
    const { received } = await client(port, get("/"));
    const { req, res } = await arrival();
    const ctx = requestContext(background, req, res);
    expect(refusal(ctx, pool).code).toBe("ERR_OVERLOADED");
    expect(respond(res, refusal(ctx, pool))).toBe(true);
    expect(await received(/busy/)).toMatch(/^HTTP\/1.1 503 .*^Retry-After: 1\r$/ms);
    gate.open();
    await Promise.all([running, waiting]);
    expect(() => admit(background, pool, "add")).not.toThrow();
  });
});
