/** What arguments, results, errors and context values can do on the side they arrive at. */
import {
  background,
  contextKey,
  isContextError,
  type Pool,
  sharedKey,
  withCancel,
  withTimeout,
  withValue,
} from "lifeguard";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Carried, carry, unpack } from "../../src/workers/carry.js";
import { runScript } from "../support/child.js";
import { failure, pooled, rejection, settled } from "../support/pool.js";

let pool: Pool;
beforeAll(() => {
  pool = pooled({ threads: 1, spares: 0 }, "hostile.mjs");
});
afterAll(() => pool.destroy());

const unpolluted = () => {
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect(Object.getPrototypeOf(new Error("plain"))).toBe(Error.prototype);
};

describe("a result", () => {
  test("cannot change a prototype by a field of that name", async () => {
    const sent = JSON.parse(
      '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}',
    ) as object;
    const got = (await pool.run(background, "echo", sent)) as object;
    expect(Object.getPrototypeOf(got)).toBe(Object.prototype);
    expect(Object.hasOwn(got, "__proto__")).toBe(true);
    unpolluted();
  });

  test("cannot bring code along: getters have run on the other side, and what is named then is no promise", async () => {
    const { value } = (await pool.run(background, "getters")) as { value: object };
    expect(Object.getOwnPropertyDescriptor(value, "a")).toMatchObject({ value: 1 });
    const [ctx] = withCancel(background);
    // biome-ignore lint/suspicious/noThenProperty: this is what is tried.
    const then = { then: "text" };
    expect(await pool.run(ctx, "echo", then)).toEqual(then);
    expect(await pool.run(ctx, "thenable")).toMatchObject({ inner: { constructor: "text" } });
    for (const arg of [() => 1, { deep: { fn() {} } }])
      expect(await failure(pool.run(background, "echo", arg))).toMatchObject({ code: "ERR_NOT_CLONEABLE" });
  });

  test("that cannot be cloned cannot harm more than its task: proxies, and what is nested too deep", async () => {
    for (const task of [pool.submit(background, "proxied", []), pool.submit(background, "deep", [200_000])]) {
      expect(await settled(task)).toBe("failed");
      expect(await failure(task.result)).toMatchObject({ code: "ERR_NOT_CLONEABLE" });
    }
    expect(await pool.run(background, "number")).toBe(42);
  });
});

describe("an argument", () => {
  test("that is nested too deep, or detached, cannot harm more than its task", async () => {
    let deep: object = {};
    for (let i = 0; i < 200_000; i++) deep = { deep };
    const detached = new ArrayBuffer(8);
    structuredClone(detached, { transfer: [detached] });
    for (const arg of [deep, detached])
      expect(await failure(pool.run(background, "echo", arg))).toMatchObject({ code: "ERR_NOT_CLONEABLE" });
    expect(await pool.run(background, "number")).toBe(42);
  });

  test("cannot have code of its own run on the other side", async () => {
    let asked = 0;
    const arg = {
      get once() {
        asked++;
        return 1;
      },
    };
    expect(await pool.run(background, "echo", arg)).toEqual({ once: 1 });
    expect(asked).toBe(1);
  });
});

describe("an error", () => {
  test("cannot change a prototype by its fields", async () => {
    const fields = [
      ["__proto__", { polluted: 1 }],
      ["constructor", { polluted: 1 }],
      ["prototype", { polluted: 1 }],
      ["then", "text"],
    ];
    const error = await failure(pool.run(background, "throwsWith", fields));
    expect(Object.hasOwn(error, "__proto__")).toBe(false);
    expect(error).toBeInstanceOf(Error);
    expect((Object.assign({}, error) as unknown as Record<string, unknown>).polluted).toBeUndefined();
    unpolluted();
    // As a thread could forge it.
    const own = JSON.parse('{"__proto__": {"polluted": 1}, "kept": 1}') as Record<string, unknown>;
    const forged = unpack({ ...(carry(new Error("x")) as object), className: "__proto__", own } as Carried);
    expect(forged).toBeInstanceOf(Error);
    expect(forged).toMatchObject({ kept: 1 });
    expect(Object.hasOwn(forged as object, "__proto__")).toBe(false);
    unpolluted();
  });

  test("cannot pass for one of a context by its looks", async () => {
    const task = pool.submit(background, "impostor", []);
    const error = await failure(task.result);
    expect(error).toMatchObject({ name: "AbortError", code: "ABORT_ERR" });
    expect(isContextError(error)).toBe(false);
    expect(task.outcome).toBe("failed");
    const [ctx, cancel] = withCancel(background);
    cancel();
    expect(error).not.toBe(ctx.err());
  });

  test("cannot take for ever to cross, though it holds itself several times", async () => {
    const task = pool.submit(background, "manyErrors", []);
    expect(await failure(task.result)).toMatchObject({ name: "AggregateError", message: "many" });
    expect(task.outcome).toBe("failed");
  });

  test("that no thread of ours has made cannot throw, or take for ever, where it is read", () => {
    let bomb = carry(new Error("x")) as Carried & { type: "error" };
    for (let i = 0; i < 60; i++) bomb = { ...bomb, base: "AggregateError", errors: [bomb, bomb] };
    // No deeper than it may be.
    let wide = carry(new Error("x")) as Carried & { type: "error" };
    for (let i = 0; i < 15; i++) wide = { ...wide, base: "AggregateError", errors: [wide, wide, wide, wide] };
    let chain = carry(new Error("x")) as Carried & { type: "error" };
    for (let i = 0; i < 100_000; i++) chain = { ...chain, cause: chain };
    for (const junk of [
      null,
      undefined,
      5,
      {},
      { type: "error" },
      { type: "error", own: null },
      bomb,
      wide,
      chain,
    ]) {
      const got = unpack(junk as unknown as Carried);
      expect(got).toBeInstanceOf(TypeError);
      expect((got as Error).message).toBe("what came from another thread cannot be read");
    }
  });
});

describe("a context value", () => {
  const secret = sharedKey<string>("tenant.secret");
  const names = ["tenant.secret", "tenant.other", "__proto__", "constructor", "toString"];

  test("cannot be seen by the next task of its thread, nor by one beside it", async () => {
    const [a] = withTimeout(withValue(background, secret, "of A"), 60_000);
    await pool.run(a, "leaves", "text");
    const found = await pool.run(withCancel(background)[0], "finds", names);
    expect(found).toEqual({
      own: names.map(() => undefined),
      strayIsOver: true,
      strayDeadline: expect.any(Number) as number,
    });
    // Together, so that they share an envelope where that is done.
    const each = Array.from({ length: 50 }, (_, i) => withValue(background, secret, `of ${i}`));
    const all = (await Promise.all(each.map((ctx) => pool.run(ctx, "finds", names)))) as { own: unknown[] }[];
    expect(all.map(({ own }) => own[0])).toEqual(each.map((_, i) => `of ${i}`));
  });

  test("cannot leave its thread under a private key", async () => {
    const ctx = withValue(background, contextKey("tenant.secret"), "private");
    expect(await pool.run(ctx, "finds", names)).toMatchObject({ own: names.map(() => undefined) });
  });

  test("cannot change anything by the name of its key", async () => {
    let ctx = background;
    for (const name of ["__proto__", "constructor", "toString"])
      ctx = withValue(ctx, sharedKey<unknown>(name), { polluted: name });
    const { own } = (await pool.run(ctx, "finds", names)) as { own: unknown[] };
    expect(own.slice(2)).toEqual(names.slice(2).map((polluted) => ({ polluted })));
    unpolluted();
  });

  test("cannot get at, or stand for, what the library keeps in contexts for itself", async () => {
    let ctx = background;
    for (const name of ["place", "lifeguard.node"]) ctx = withValue(ctx, contextKey<unknown>(name), "mine");
    expect(await pool.run(ctx, "reaches")).toEqual(Array.from({ length: 6 }, () => true));
  });

  test("that cannot be cloned cannot harm more than its task, and is named", async () => {
    const ctx = withValue(background, sharedKey<unknown>("tenant.fn"), () => 1);
    const error = await failure(pool.run(ctx, "number"));
    expect(error).toMatchObject({ code: "ERR_NOT_CLONEABLE" });
    expect(error.message).toContain('"tenant.fn"');
    expect(await pool.run(background, "number")).toBe(42);
  });

  test("cannot be reached by a cause, a result or an error of another task", async () => {
    const [ctx, cancel] = withCancel(withValue(background, secret, "of A"));
    cancel(new Error("the cause of A"));
    await rejection(pool.run(ctx, "number"));
    const error = await failure(pool.run(background, "fails"));
    expect(JSON.stringify([error.message, (error.cause as Error).message])).not.toContain("of A");
    expect(error.stack).not.toContain("of A");
  });
});

test("a cause cannot keep main busy for ever, though it holds itself several times", async () => {
  const { stdout, code } = await runScript(`
    import { background, Pool, withCancel } from "lifeguard";
    const pool = new Pool(new URL("test/fixtures/hostile.mjs", "file://" + process.cwd() + "/"), { threads: 1, spares: 0, grace: 0 });
    await pool.ready();
    const gate = new Int32Array(new SharedArrayBuffer(64));
    const [ctx, cancel] = withCancel(background);
    const task = pool.submit(ctx, "stubborn", [gate]);
    while (Atomics.load(gate, 0) === 0) await new Promise(setImmediate);
    const cause = new AggregateError([], "many");
    cause.errors = [cause, cause, cause, cause];
    cancel(cause);
    await task.result.catch(() => {});
    console.log(task.outcome);
    await pool.destroy();
  `);
  expect(stdout).toBe("terminated\n");
  expect(code).toBe(0);
});
