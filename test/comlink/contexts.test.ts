/** Contexts as arguments of comlink's calls: what the other side sees of them. */
import * as Comlink from "comlink";
import {
  background,
  type Context,
  cause,
  contextKey,
  sharedKey,
  withCancel,
  withDeadline,
  withoutCancel,
  withTimeout,
  withValue,
} from "lifeguard";
import { register } from "lifeguard/comlink";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Delegating } from "../support/contexts.js";
import { inTime } from "../support/in-time.js";
import { failure, rejection, threadGate } from "../support/pool.js";
import { type Api, bare, type Module, type RemoteWorker, wrapped } from "../support/remote.js";
import { settles } from "../support/turn.js";

interface Way {
  readonly name: string;
  readonly start: (module: Module) => RemoteWorker;
  readonly module: Module;
}

const ways: readonly Way[] = [
  { name: "comlink's wrap and expose, registered", start: bare, module: "registered" },
  { name: "comlink's wrap, our expose", start: bare, module: "exposed" },
  { name: "our wrap, comlink's expose", start: wrapped, module: "registered" },
  { name: "our wrap and expose", start: wrapped, module: "exposed" },
];

describe.each(ways)("$name", ({ start, module }) => {
  let started: RemoteWorker;
  let remote: Api;
  beforeAll(() => {
    started = start(module);
    ({ remote } = started);
  });
  afterAll(() => started[Symbol.asyncDispose]());

  test("a synchronous loop sees a cancellation, and its cause", async () => {
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const spun = remote.spin(ctx, gate.view);
    await gate.entered();
    cancel(Object.assign(new RangeError("the client has gone"), { code: "E_GONE" }));
    expect(await spun).toMatchObject({
      code: "ABORT_ERR",
      name: "CanceledError",
      isError: true,
      same: true,
      errCauseIsCause: true,
      causeName: "RangeError",
      causeCode: "E_GONE",
      causeMessage: "the client has gone",
    });
  });

  test("the loop sees it while the thread that cancelled is blocked", async () => {
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const spun = remote.spin(ctx, gate.view);
    await gate.entered();
    cancel("why");
    const done = remote.hold(background, gate.view); // next in its thread: comes to the gate when the loop has ended
    while (gate.read(0) < 2);
    gate.open();
    expect((await spun).cause).toBe("why");
    await done;
  });

  test("without a cause, the cause is the error itself", async () => {
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const spun = remote.spin(ctx, gate.view);
    await gate.entered();
    cancel();
    expect(await spun).toMatchObject({ code: "ABORT_ERR", causeIsErr: true });
  });

  test.each([null, 0, "", 7n, "text", new Map([[1, new Date(5)]]), { a: [1, { b: undefined }] }])(
    "%o is a cause, and arrives as it is",
    async (why) => {
      const [ctx, cancel] = withCancel(background);
      const gate = threadGate();
      const spun = remote.spin(ctx, gate.view);
      await gate.entered();
      cancel(why);
      expect((await spun).cause).toEqual(why);
    },
  );

  test("a cause that cannot be cloned has a stand-in that says so", async () => {
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const spun = remote.spin(ctx, gate.view);
    await gate.entered();
    cancel(() => {});
    expect(await spun).toMatchObject({
      causeName: "TypeError",
      causeMessage: expect.stringContaining("could not be cloned") as string,
    });
  });

  test.each(["spin", "wait"] as const)(
    "a deadline holds on the other side while this one is blocked: %s",
    async (method) => {
      const { started: seen, gate } = await inTime(
        (ctx, { view }) => remote[method](ctx, view).catch((error: unknown) => error),
        (answer) => answer,
        new Error("too slow"),
      );
      // It tells by the gate: nothing of this thread's, nor its event loop, has a part in it.
      gate.blockUntilWritten(3);
      expect(await seen).toMatchObject({ code: "ERR_DEADLINE_EXCEEDED" });
    },
  );

  test("the same context may go twice in one call, and in calls of both kinds at once", async () => {
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const both = remote.both(ctx, ctx, gate.view);
    await gate.entered();
    cancel("why");
    expect(await both).toMatchObject([{ cause: "why" }, { cause: "why" }]);
    await using other = start === wrapped ? bare() : wrapped();
    const [shared, end] = withCancel(background);
    const gates = [threadGate(), threadGate()] as const;
    const first = remote.wait(shared, gates[0].view, "done");
    const second = other.remote.wait(shared, gates[1].view, "done");
    await Promise.all(gates.map((each) => each.entered()));
    // The end of a call of the one kind is not the end of the other's.
    expect(await remote.look(shared)).toMatchObject({ code: undefined });
    expect(await other.remote.look(shared)).toMatchObject({ code: undefined });
    expect(await settles(first)).toBe(false);
    expect(await settles(second)).toBe(false);
    end("both");
    expect(await first).toMatchObject({ cause: "both" });
    expect(await second).toMatchObject({ cause: "both" });
  });

  test("a context may be the result, too", async () => {
    const key = sharedKey<number>("test.given");
    const given = (await remote.give(withValue(background, key, 7))) as Context;
    expect(given.value(key)).toBe(7);
    expect(given.err()).toBe(undefined);
  });

  test("it tells its deadline, and what is left of it", async () => {
    const when = Date.now() + 60_000;
    const [ctx, cancel] = withDeadline(background, when);
    const seen = await remote.look(ctx);
    expect(seen.deadline).toBe(ctx.deadline());
    expect(seen.remaining).toBeGreaterThan(1000);
    expect(seen.remaining).toBeLessThanOrEqual(60_001);
    cancel();
    expect(await remote.look(background)).toMatchObject({ deadline: undefined, remaining: Infinity });
  });

  test.each(["done", "signal", "sleep", "race", "afterFunc", "below"])(
    "what waits for it by %s is woken by a cancellation",
    async (how) => {
      const [ctx, cancel] = withCancel(background);
      const gate = threadGate();
      const waited = remote.wait(ctx, gate.view, how);
      await gate.entered();
      cancel("why");
      expect(await waited).toMatchObject({ code: "ABORT_ERR", cause: "why" });
    },
  );

  test("a context derived there ends with it, in the middle of a loop", async () => {
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const spun = remote.spinBelow(ctx, gate.view);
    await gate.entered();
    cancel("why");
    expect(await spun).toMatchObject({ code: "ABORT_ERR", cause: "why" });
  });

  test("an ancestor's end is its end", async () => {
    const [parent, cancel] = withCancel(background);
    const [ctx] = withTimeout(withValue(parent, contextKey("private"), 1), 60_000);
    const gate = threadGate();
    const spun = remote.spin(ctx, gate.view);
    await gate.entered();
    cancel("above");
    expect(await spun).toMatchObject({ code: "ABORT_ERR", cause: "above" });
  });

  test("the end of a custom context crosses, too", async () => {
    const [inner, cancel] = withCancel(background);
    const gate = threadGate();
    const spun = remote.spin(new Delegating(inner), gate.view);
    await gate.entered();
    cancel("why");
    expect(await spun).toMatchObject({ code: "ABORT_ERR", cause: "why" });
  });

  test("values under shared keys come along, those under private ones do not", async () => {
    const shared = sharedKey<unknown>("test.shared");
    let ctx: Context = withValue(background, shared, { deep: [1] });
    expect(await remote.value(ctx, "test.shared")).toEqual({ deep: [1] });
    ctx = withValue(ctx, shared, "nearer");
    expect(await remote.value(ctx, "test.shared")).toBe("nearer");
    const [below] = withCancel(ctx);
    expect(await remote.value(below, "test.shared")).toBe("nearer");
    expect(await remote.value(withoutCancel(below), "test.shared")).toBe("nearer");
    expect(await remote.value(withValue(background, contextKey("test.private"), 1), "test.private")).toBe(
      undefined,
    );
  });

  test("the same context may go along any number of times, with other values, too", async () => {
    const [ctx, cancel] = withCancel(background);
    const key = sharedKey<number>("test.number");
    const seen = await Promise.all(
      Array.from({ length: 300 }, (_, n) => remote.value(withValue(ctx, key, n), "test.number")),
    );
    expect(seen).toEqual(Array.from({ length: 300 }, (_, n) => n));
    const gate = threadGate();
    const waits = Array.from({ length: 200 }, () => remote.wait(ctx, gate.view, "done"));
    await gate.entered(200);
    cancel("all");
    for (const look of await Promise.all(waits)) expect(look.cause).toBe("all");
  });

  test("a context may go as any argument, and more than one", async () => {
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    expect(await remote.nested.deeper.add(1, 2)).toBe(3);
    const counter = await new remote.Counter();
    expect(await counter.add(ctx, 3)).toBe(3);
    const waited = counter.wait(ctx, gate.view);
    await gate.entered();
    cancel("why");
    expect(await waited).toMatchObject({ cause: "why" });
  });

  test("what a method throws keeps class name, code, cause and own properties", async () => {
    const error = await failure(remote.fail("odd"));
    expect(error.constructor.name).toBe("OddError");
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ message: "odd", code: "E_ODD", detail: { at: 7 } });
    expect(error.cause).toBeInstanceOf(TypeError);
    expect(error.stack).toContain("api.mjs");
    expect(await rejection(remote.fail("null"))).toBe(null);
    expect(await rejection(remote.fail("string"))).toBe("text");
    const several = (await failure(remote.fail("aggregate"))) as AggregateError;
    expect(several.errors).toMatchObject([{ code: "E_ODD" }, "two"]);
    expect(await failure(remote.fail("uncloneable"))).toMatchObject({
      message: "with a function",
      code: "E_FN",
    });
  });

  test("an abort error that is none of the context's stays what it is", async () => {
    const [ctx] = withCancel(background);
    const error = await failure(remote.fail("abort", ctx));
    expect(error.message).toBe("not because of the context");
  });

  test("a context goes the other way, into a function that was passed as a proxy", async () => {
    const gate = threadGate();
    let seen: Context | undefined;
    const fn = async (ctx: Context): Promise<string> => {
      seen = ctx;
      expect(ctx.value(sharedKey("from"))).toBe("the worker");
      expect(ctx.err()).toBe(undefined);
      Atomics.store(gate.view, 2, 1);
      Atomics.notify(gate.view, 2);
      await ctx.done();
      return (cause(ctx) as Error).message;
    };
    expect(await remote.callWithContext(Comlink.proxy(fn), gate.view, new Error("from there"))).toBe(
      "from there",
    );
    expect(seen?.err()?.code).toBe("ABORT_ERR");
  });

  test("what a proxied function throws reaches the worker with its class, code and cause", async () => {
    const thrower = Comlink.proxy(() => {
      throw Object.assign(new RangeError("cb", { cause: new Error("deep") }), { code: "E_CB", detail: 1 });
    });
    expect(await remote.giveCause(thrower)).toEqual(["RangeError", "E_CB", "deep", 1]);
  });
});

describe("sent without shared memory", () => {
  let started: RemoteWorker;
  let remote: Api;
  beforeAll(() => {
    started = wrapped("messages");
    ({ remote } = started);
    register(Comlink, { sharedMemory: false });
  });
  afterAll(async () => {
    register(Comlink);
    await started[Symbol.asyncDispose]();
  });

  test.each(["done", "signal", "sleep", "race", "afterFunc", "below"])(
    "what waits for it by %s is woken by a message",
    async (how) => {
      const [ctx, cancel] = withCancel(background);
      const gate = threadGate();
      const waited = remote.wait(ctx, gate.view, how);
      await gate.entered();
      cancel(new RangeError("why"));
      expect(await waited).toMatchObject({ code: "ABORT_ERR", causeName: "RangeError" });
    },
  );

  test("a synchronous loop sees the deadline, by its own clock", async () => {
    const [ctx] = withTimeout(background, 20, "late");
    const spun = remote.spin(ctx);
    expect(await spun.catch((error: unknown) => error)).toMatchObject({ code: "ERR_DEADLINE_EXCEEDED" });
  });

  test("a deadline wakes, with its cause", async () => {
    const { started } = await inTime(
      (ctx, { view }) => remote.wait(ctx, view, "done"),
      (waited) => waited,
      "late",
    );
    expect(await started).toMatchObject({ code: "ERR_DEADLINE_EXCEEDED", cause: "late" });
  });

  test("when the call is over, so is its context there", async () => {
    const [ctx] = withTimeout(background, 60_000);
    expect(await remote.keep(ctx)).toMatchObject({ code: undefined });
    await remote.keptDone();
    expect(await remote.kept()).toMatchObject({ code: "ABORT_ERR" });
    expect(ctx.err()).toBe(undefined);
  });

  test("a context goes the other way", async () => {
    const gate = threadGate();
    const fn = async (ctx: Context): Promise<unknown> => {
      Atomics.store(gate.view, 2, 1);
      Atomics.notify(gate.view, 2);
      await ctx.done();
      return cause(ctx);
    };
    expect(await remote.callWithContext(Comlink.proxy(fn), gate.view, "from there")).toBe("from there");
  });

  test("a shared value that cannot be cloned is named", async () => {
    const [ctx, cancel] = withCancel(withValue(background, sharedKey("test.fn"), () => {}));
    const error = await failure(remote.look(ctx));
    expect(error).toMatchObject({ code: "ERR_NOT_CLONEABLE" });
    expect(error.message).toContain("a shared value of argument 1 of look");
    cancel();
  });

  test("one that has ended already is no call at all", async () => {
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    cancel("before");
    const comlinks = bare("messages");
    const error = await failure(comlinks.remote.count(ctx, gate.view));
    expect(error).toMatchObject({ code: "ABORT_ERR", cause: "before" });
    expect(gate.read(2)).toBe(0);
    await comlinks[Symbol.asyncDispose]();
  });
});
