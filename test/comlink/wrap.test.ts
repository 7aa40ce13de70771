/** Calls through `wrap`: every one of them settles, once, and gives back what it took. */
import { MessageChannel, Worker } from "node:worker_threads";
import * as Comlink from "comlink";
import { background, type Context, ContextError, cause, withCancel, withTimeout } from "lifeguard";
import { CallError, expose, register, wrap } from "lifeguard/comlink";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { runScript } from "../support/child.js";
import { openableGate } from "../support/gate.js";
import { inTime } from "../support/in-time.js";
import { collectable } from "../support/memory.js";
import { failure, fixture, rejection, threadGate } from "../support/pool.js";
import { type Api, bare, startWorker, wrapApi, wrapped } from "../support/remote.js";
import { settles, turn } from "../support/turn.js";
import { uncaughtDuring } from "../support/uncaught.js";

describe("a call whose context ends", () => {
  const started = wrapped("exposed", { grace: 60_000 });
  const impatient = wrapped("exposed", { grace: 0 });
  const { remote } = started;
  beforeAll(async () => {
    await remote.plain(1);
  });
  afterAll(async () => {
    await started[Symbol.asyncDispose]();
    await impatient[Symbol.asyncDispose]();
  });

  test("rejects with that context's own error, when the other side throws it", async () => {
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const call = remote.throwing(ctx, gate.view);
    await gate.entered();
    cancel("why");
    expect(await rejection(call)).toBe(ctx.err());
  });

  test("the same when it throws the cause", async () => {
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const call = remote.throwingCause(ctx, gate.view);
    await gate.entered();
    cancel(new RangeError("why"));
    expect(await rejection(call)).toBe(ctx.err());
  });

  test("the same at its deadline", async () => {
    const [ctx, cancel] = withTimeout(background, 20);
    expect(await rejection(remote.throwing(ctx))).toBe(ctx.err());
    expect(ctx.err()?.code).toBe("ERR_DEADLINE_EXCEEDED");
    cancel();
  });

  test("resolves with what the other side makes of it, within the grace", async () => {
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const call = remote.spin(ctx, gate.view);
    await gate.entered();
    cancel("why");
    expect(await call).toMatchObject({ cause: "why" });
  });

  test("rejects with its error once the grace is over, whatever the other side does", async () => {
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const call = impatient.remote.hold(ctx, gate.view);
    await gate.entered();
    cancel("why");
    expect(await rejection(call)).toBe(ctx.err());
    // The thread is still at it; what it answers at last is nobody's, and the next call is served.
    const next = impatient.remote.plain("next");
    expect(await settles(next)).toBe(false);
    gate.open();
    expect(await next).toBe("next");
  });

  test("the same with a grace that is neither 0 nor Infinity", async () => {
    await using short = wrapped("exposed", { grace: 10 });
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const call = short.remote.never(ctx, gate.view);
    await gate.entered();
    cancel();
    expect(await rejection(call)).toBe(ctx.err());
  });

  test("is not made when it has ended before", async () => {
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    cancel("before");
    expect(await rejection(remote.count(ctx, gate.view))).toBe(ctx.err());
    await remote.plain(1);
    expect(gate.read(2)).toBe(0);
  });

  test("is not begun when it ends on its way", async () => {
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const held = remote.hold(background, gate.view);
    await gate.entered();
    const behind = remote.count(ctx, gate.view);
    cancel("on its way");
    gate.open();
    await held;
    expect(await rejection(behind)).toBe(ctx.err());
    expect(gate.read(2)).toBe(0);
  });

  test("one call's end is not another's", async () => {
    const [parent, cancelAll] = withCancel(background);
    const gate = threadGate();
    const calls = Array.from({ length: 20 }, () => {
      const [ctx, cancel] = withCancel(parent);
      return { cancel, answer: remote.wait(ctx, gate.view, "done") };
    });
    await gate.entered(20);
    calls[7]?.cancel("the seventh");
    expect((await calls[7]?.answer)?.cause).toBe("the seventh");
    for (const [n, { answer }] of calls.entries()) if (n !== 7) expect(await settles(answer)).toBe(false);
    cancelAll("all");
    for (const [n, { answer }] of calls.entries()) if (n !== 7) expect((await answer).cause).toBe("all");
  });

  test("with two contexts, the first to end is what it ends with", async () => {
    const [one] = withCancel(background);
    const [two, cancel] = withCancel(background);
    const call = impatient.remote.never(one, two);
    await turn();
    cancel("two");
    expect(await rejection(call)).toBe(two.err());
  });

  test("the end of one call is not the end of its context in a call of comlink's own", async () => {
    await using other = bare();
    const [ctx, cancel] = withCancel(background);
    const [another] = withCancel(background);
    const held = threadGate();
    const waiting = threadGate();
    const call = remote.hold(ctx, held.view, another);
    const theirs = other.remote.wait(ctx, waiting.view, "done");
    await Promise.all([held.entered(), waiting.entered()]);
    held.open();
    await call;
    expect(await other.remote.look(ctx)).toMatchObject({ code: undefined });
    expect(await settles(theirs)).toBe(false);
    cancel("why");
    expect(await theirs).toMatchObject({ cause: "why" });
  });

  test("when it is over, its context is over there; here it lives", async () => {
    const [ctx] = withCancel(background);
    expect(await remote.keep(ctx)).toMatchObject({ code: undefined });
    expect(await remote.kept()).toMatchObject({ code: "ABORT_ERR" });
    expect(ctx.err()).toBe(undefined);
    // And another call may have its place, without waking it up again.
    await remote.look(ctx);
    expect(await remote.kept()).toMatchObject({ code: "ABORT_ERR" });
  });

  test("the other side's work that is left behind sees the end of the call, when it is comlink's own there", async () => {
    await using theirs = wrapped("registered");
    const [ctx] = withCancel(background);
    expect(await theirs.remote.keep(ctx)).toMatchObject({ code: undefined });
    await theirs.remote.keptDone();
    expect(await theirs.remote.kept()).toMatchObject({ code: "ABORT_ERR" });
    expect(ctx.err()).toBe(undefined);
  });
});

describe("a call whose other side dies", () => {
  test("rejects with ERR_WORKER_CRASHED when the thread exits, as do all after it", async () => {
    await using started = wrapped();
    const { remote } = started;
    const [ctx] = withCancel(background);
    const waiting = remote.never(ctx);
    const error = await failure(remote.exit(7));
    expect(error).toBeInstanceOf(CallError);
    expect(error).toMatchObject({ name: "CallError", code: "ERR_WORKER_CRASHED" });
    expect(error.message).toBe("exit: the thread on the other side died: the thread exited with code 7");
    expect(await failure(waiting)).toMatchObject({ code: "ERR_WORKER_CRASHED" });
    expect(await failure(remote.plain(1))).toMatchObject({ code: "ERR_WORKER_CRASHED" });
    expect(ctx.err()).toBe(undefined);
  });

  test("has what was not caught there as its cause", async () => {
    await using started = wrapped();
    const error = await failure(started.remote.crash());
    expect(error).toMatchObject({ code: "ERR_WORKER_CRASHED", cause: { message: "uncaught" } });
    expect(error.message).toContain("crash: ");
  });

  test("the same when it is terminated, or was gone before", async () => {
    const started = wrapped();
    const gate = threadGate();
    const call = started.remote.never(background, gate.view);
    await gate.entered();
    await started.worker.terminate();
    expect(await failure(call)).toMatchObject({ code: "ERR_WORKER_CRASHED" });
    const late = wrapApi(started.worker);
    expect(await failure(late.plain(1))).toMatchObject({ code: "ERR_WORKER_CRASHED" });
  });

  test("rejects with its context's error, if that has ended by then", async () => {
    await using started = wrapped("exposed", { grace: Infinity });
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const call = started.remote.never(ctx, gate.view);
    await gate.entered();
    cancel("first");
    expect(await settles(call)).toBe(false);
    await started.worker.terminate();
    expect(await rejection(call)).toBe(ctx.err());
  });

  test("rejects with ERR_PEER_CLOSED when its port is closed", async () => {
    const { port1, port2 } = new MessageChannel();
    const remote = wrapApi(port1);
    const call = remote.plain(1);
    port2.close();
    expect(await failure(call)).toMatchObject({
      code: "ERR_PEER_CLOSED",
      message: "plain: the other side has gone: its port is closed",
    });
    expect(await failure(remote.plain(2))).toMatchObject({ code: "ERR_PEER_CLOSED" });
  });

  test("the same when the port was closed before anybody listened, on either side", async () => {
    for (const closed of [0, 1]) {
      const { port1, port2 } = new MessageChannel();
      const gone = new Promise((resolve) => port1.once("close", resolve));
      [port1, port2][closed]?.close();
      await gone;
      expect(await failure(wrapApi(port1).plain(1))).toMatchObject({ code: "ERR_PEER_CLOSED" });
    }
    // One that is open, and was told not to hold the process, is not taken for closed.
    const { port1, port2 } = new MessageChannel();
    expose({ plain: (value: unknown) => value }, port2);
    port1.on("message", () => {});
    port1.unref();
    expect(await wrapApi(port1).plain(1)).toBe(1);
    expect((port1 as unknown as { hasRef(): boolean }).hasRef()).toBe(false);
    port1.close();
  });

  test("ends the contexts that came from it", async () => {
    const started = startWorker("exposed");
    const remote = wrapApi(started);
    const gate = threadGate();
    const ended = new Promise((resolve) => {
      const fn = Comlink.proxy(async (ctx: { done(): Promise<void> }) => {
        Atomics.store(gate.view, 0, 1);
        await ctx.done();
        resolve("ended");
      });
      void Promise.resolve(remote.callWithContext(fn, gate.view)).catch(() => {});
    });
    await gate.entered();
    await started.terminate();
    expect(await ended).toBe("ended");
  });
});

describe("a call after an abandoned one", () => {
  test("is held like the first: its proxy is not collected", async () => {
    const { port1, port2 } = new MessageChannel();
    const gate = openableGate<string>();
    const called = openableGate();
    expose(
      {
        never: () => new Promise(() => {}),
        slow() {
          called.open();
          return gate.opened;
        },
      },
      port2,
    );
    const call = (() => {
      const remote = wrap<{ never(ctx: Context): Promise<void>; slow(): Promise<string> }>(port1, {
        grace: 0,
      });
      const [ctx, cancel] = withCancel(background);
      const abandoned = remote.never(ctx);
      cancel();
      return abandoned.then(undefined, () => remote.slow());
    })();
    await called.opened;
    await collectable(() => ({}));
    await collectable(() => ({}));
    gate.open("there");
    expect(await call).toBe("there");
    port1.close();
  });

  test("keeps the process alive, like the first", async () => {
    const exit = await runScript(`
      import { background, withCancel } from "lifeguard";
      import { spawn } from "lifeguard/comlink";
      const actor = await spawn(background, ${JSON.stringify(fixture("comlink/actor.mjs").href)}, { grace: 0 });
      const [ctx, cancel] = withCancel(background);
      const abandoned = actor.never(ctx);
      cancel();
      await abandoned.catch(() => {});
      const gate = new Int32Array(new SharedArrayBuffer(8));
      const call = actor.slow(gate, "answered");
      setTimeout(() => { Atomics.store(gate, 1, 1); Atomics.notify(gate, 1); }, 100).unref();
      console.log(await call);
    `);
    expect(exit).toEqual({ code: 0, signal: null, stdout: "answered\n", stderr: "" });
  });
});

test("an error of the called side's own stays that, whatever its class and properties are called", async () => {
  class Mangled extends CallError {}
  const thrown = [
    Object.assign(new Error("busy"), { name: "CallError", code: "E_BUSY" }),
    Object.assign(new Error("its own"), { name: "CallError", code: "toString" }),
    Object.assign(new Error("odd"), { constructor: null }),
    new Mangled("ERR_UNKNOWN_METHOD", "made by another bundle"),
  ];
  const { port1, port2 } = new MessageChannel();
  const api = {
    fail: (at: number) => {
      throw thrown[at];
    },
  };
  expose(api, port1);
  const remote = wrap<typeof api>(port2);
  const errors = await Promise.all(thrown.map((_, at) => failure(Promise.resolve(remote.fail(at)))));
  expect(errors.map(({ message }) => message)).toEqual(thrown.map(({ message }) => message));
  expect(errors.map((error) => error instanceof CallError)).toEqual([false, false, false, true]);
  port2.close();
});

test("a context's error of a kind of its own is not taken for the end of the call's context", async () => {
  const { port1, port2 } = new MessageChannel();
  const entered = openableGate();
  expose(
    {
      async fail(ctx: Context) {
        entered.open();
        await ctx.done();
        throw new ContextError("out of credit");
      },
    },
    port2,
  );
  const remote = wrap<{ fail(ctx: Context): Promise<void> }>(port1);
  const [ctx, cancel] = withCancel(background);
  const call = remote.fail(ctx);
  await entered.opened;
  cancel();
  const error = await failure(call);
  expect(error).toBeInstanceOf(ContextError);
  expect(error).not.toBe(ctx.err());
  expect(error.message).toBe("out of credit");
  port1.close();
});

test("a method that has been bound is called like itself", async () => {
  await using started = wrapped();
  const { remote } = started;
  const plain = remote.plain.bind(undefined);
  expect(await plain("value")).toBe("value");
  const [ctx, cancel] = withCancel(background);
  cancel();
  expect(await rejection(remote.look.bind(undefined)(ctx))).toBe(ctx.err());
});

test("a call that nobody waits for is no unhandled rejection by way of a cancellation", async () => {
  await using started = wrapped("exposed", { grace: 0 });
  const { remote } = started;
  const seen = await uncaughtDuring(async () => {
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    void remote.never(ctx, gate.view);
    void remote.throwing(ctx, gate.view);
    await gate.entered(2);
    cancel();
    void remote.look(ctx); // refused
    await remote.plain(1);
  });
  expect(seen).toEqual([]);
  // What the other side throws of its own is one, as always.
  const lost = await uncaughtDuring(async () => {
    void remote.fail("odd");
    await remote.plain(1);
  });
  expect(lost).toMatchObject([{ origin: "unhandledRejection", error: { code: "E_ODD" } }]);
});

describe("a proxy that is released", () => {
  test("settles its calls with ERR_PROXY_RELEASED", async () => {
    await using started = wrapped();
    const gate = threadGate();
    const [ctx] = withCancel(background);
    const call = started.remote.wait(ctx, gate.view, "done");
    await gate.entered();
    (started.remote as unknown as Comlink.Remote<object>)[Comlink.releaseProxy]();
    expect(await failure(call)).toMatchObject({
      code: "ERR_PROXY_RELEASED",
      message: "wait: its proxy was released while it was under way",
    });
    expect(() => started.remote.plain).toThrow("released");
  });

  test("takes no more calls, at any of its names, and leaves no listener on a Worker", async () => {
    const worker = startWorker("exposed");
    const other = wrapApi(worker);
    await other.plain(1);
    const before = ["message", "error", "exit"].map((event) => worker.listenerCount(event));
    for (let n = 0; n < 12; n++) {
      const remote = wrapApi(worker);
      const { plain } = remote;
      expect(await plain(n)).toBe(n);
      (remote as unknown as Comlink.Remote<object>)[Comlink.releaseProxy]();
      expect(await failure(plain(1))).toMatchObject({ code: "ERR_PROXY_RELEASED" });
    }
    expect(["message", "error", "exit"].map((event) => worker.listenerCount(event))).toEqual(before);
    // Another one of the same Worker goes on, and so does the worker's own port.
    expect(await other.plain("still")).toBe("still");
    await worker.terminate();
  });

  test("leaves the worker its parent port, when comlink's own proxy is released", async () => {
    await using started = bare("exposed-beside");
    expect(await started.remote.plain(1)).toBe(1);
    const { worker, remote } = started;
    const ponged = new Promise((resolve) => {
      worker.on("message", (message: { pong?: unknown }) => {
        if (message.pong !== undefined) resolve(message.pong);
      });
    });
    (remote as unknown as Comlink.Remote<object>)[Comlink.releaseProxy]();
    worker.once("exit", () => {
      throw new Error("the worker has gone");
    });
    worker.postMessage({ ping: "still there" });
    expect(await ponged).toBe("still there");
    worker.removeAllListeners("exit");
  });

  test("closes its port, and ends the contexts of what goes on on the other side", async () => {
    const { port1, port2 } = new MessageChannel();
    const ended = openableGate<unknown>();
    const entered = openableGate();
    expose(
      {
        async wait(ctx: Context) {
          entered.open();
          await ctx.done();
          ended.open(cause(ctx));
        },
      },
      port2,
    );
    const remote = wrap<{ wait(ctx: Context): Promise<void> }>(port1);
    const call = remote.wait(withCancel(background)[0]);
    await entered.opened;
    remote[Comlink.releaseProxy]();
    expect(await failure(call)).toMatchObject({ code: "ERR_PROXY_RELEASED" });
    expect(await ended.opened).toMatchObject({ code: expect.stringMatching(/^(ERR_|ABORT)/) as string });
  });

  test("is let go of on the other side when nobody holds it any more", async () => {
    const { port1, port2 } = new MessageChannel();
    const released = openableGate();
    expose(
      {
        plain: (value: unknown) => value,
        [Comlink.finalizer]: () => {
          released.open();
        },
      },
      port2,
    );
    expect(await (() => wrapApi(port1).plain(1))()).toBe(1);
    while (!(await settles(released.opened))) await collectable(() => ({}));
    port1.close();
  });

  test("is not collected in the middle of a call", async () => {
    const { port1, port2 } = new MessageChannel();
    const released: string[] = [];
    let answer!: (value: string) => void;
    const api = {
      slow: () =>
        new Promise<string>((resolve) => {
          answer = resolve;
        }),
      [Comlink.finalizer]: () => released.push("released"),
    };
    expose(api, port2);
    const call = wrap<typeof api>(port1).slow();
    while ((answer as unknown) === undefined) await turn();
    // Comlink lets go of an endpoint when the last proxy of it is collected.
    await collectable(() => ({}));
    await collectable(() => ({}));
    await turn();
    expect(released).toEqual([]);
    answer("there");
    expect(await call).toBe("there");
    port1.close();
  });
});

describe("what cannot be cloned", () => {
  const started = wrapped();
  const { remote } = started;
  afterAll(() => started[Symbol.asyncDispose]());

  test("as an argument is named", async () => {
    const error = await failure(remote.plain(1, () => {}));
    expect(error).toMatchObject({ name: "CallError", code: "ERR_NOT_CLONEABLE" });
    expect(error.message).toContain("argument 2 of plain cannot be cloned");
    expect(error.cause).toMatchObject({ name: "DataCloneError" });
  });

  test("as an argument of a class is named, with the class", async () => {
    const Counter = remote.Counter as new (...args: unknown[]) => Promise<unknown>;
    const error = await failure(new Counter(1, () => {}));
    expect(error).toMatchObject({ code: "ERR_NOT_CLONEABLE" });
    expect(error.message).toContain("argument 2 of new Counter() cannot be cloned");
  });

  test("as an argument of what is a class itself is named", async () => {
    class Account {
      readonly balance = 0;
    }
    const { port1, port2 } = new MessageChannel();
    expose(Account, port2);
    const Remote = wrap<new (fn: unknown) => Account>(port1);
    const error = await failure(new Remote(() => {}));
    expect(error.message).toContain("argument 1 of new remote() cannot be cloned");
    port1.close();
  });

  test("because of what is to be moved along is refused, whatever the arguments are", async () => {
    const { port1 } = new MessageChannel();
    structuredClone(port1, { transfer: [port1] as never });
    const error = await failure(remote.plain(Comlink.transfer({}, [port1 as never])));
    expect(error).toMatchObject({ code: "ERR_NOT_CLONEABLE", cause: { name: "DataCloneError" } });
    expect(error.message).toContain("an argument of plain cannot be cloned");
    expect(await remote.plain(1)).toBe(1);
  });

  test("as a shared value is named", async () => {
    const { sharedKey, withValue } = await import("lifeguard");
    const ctx = withValue(background, sharedKey("test.fn"), () => {});
    const error = await failure(remote.look(ctx));
    expect(error).toMatchObject({ code: "ERR_NOT_CLONEABLE" });
    expect(error.message).toContain("a shared value of argument 1 of look");
  });

  test("as a result fails the call alone", async () => {
    const error = await failure(remote.uncloneable());
    expect(error).toBeInstanceOf(CallError);
    expect(error).toMatchObject({ name: "CallError", code: "ERR_NOT_CLONEABLE" });
    expect(error.message).toContain("the result cannot be cloned");
    expect(await remote.plain(1)).toBe(1);
  });

  test("a context within another argument is refused, with a sentence that says so", async () => {
    const [ctx] = withCancel(background);
    expect((await failure(remote.plain({ ctx }))).message).toContain("a context cannot be cloned");
  });
});

describe("one side only", () => {
  test("not registered here: the call rejects, and says what is missing", async () => {
    const worker = startWorker("registered");
    // Another copy of comlink, with a table of its own.
    const other = await import("comlink/dist/esm/comlink.mjs");
    const { default: nodeEndpoint } = await import("comlink/dist/esm/node-adapter.mjs");
    const remote = other.wrap(nodeEndpoint(worker)) as unknown as Api;
    const [ctx] = withCancel(background);
    const error = await failure(Promise.resolve(remote.look(ctx)));
    expect(error.message).toContain("a context cannot be cloned");
    expect(error.message).toContain("register");
    // Registered with that copy, it works.
    register(other);
    expect(await remote.look(ctx)).toMatchObject({ code: undefined });
    // And so does `wrap` with it.
    const again = wrapApi(worker, { comlink: other });
    expect(await again.look(ctx)).toMatchObject({ code: undefined });
    await worker.terminate();
  });

  test("not registered there: the call rejects, and says what is missing", async () => {
    await using started = wrapped("unregistered");
    expect(await started.remote.plain(1)).toBe(1);
    const [ctx] = withCancel(background);
    const error = await failure(started.remote.look(ctx));
    expect(error).toMatchObject({ code: "ERR_WORKER_CRASHED" });
    expect(error.message).toContain("has the other side called `register()`");
  });

  test("where the worker is not there at all, nothing is said of registering", async () => {
    const worker = new Worker(new URL("nowhere.mjs", import.meta.url));
    const error = await failure(wrapApi(worker).look(withCancel(background)[0]));
    expect(error).toMatchObject({ code: "ERR_WORKER_CRASHED" });
    expect(error.message).toContain("Cannot find module");
    expect(error.message).not.toContain("register");
  });

  test("errors of a side without it are comlink's", async () => {
    await using started = wrapped("unregistered");
    expect(await failure(started.remote.fail("odd"))).toMatchObject({ message: "odd" });
    expect(await rejection(started.remote.fail("string"))).toBe("text");
  });

  test("a side without it reads errors of one that has it", async () => {
    const worker = startWorker("registered");
    const other = await import("comlink/dist/esm/comlink.min.mjs");
    const { default: nodeEndpoint } = await import("comlink/dist/esm/node-adapter.mjs");
    const remote = other.wrap(nodeEndpoint(worker)) as unknown as Api;
    expect(await failure(Promise.resolve(remote.fail("odd")))).toMatchObject({ message: "odd" });
    expect(await rejection(Promise.resolve(remote.fail("string")))).toBe("text");
    await worker.terminate();
  });
});

describe("sent on to a third thread", () => {
  const first = wrapped();
  const third = startWorker("exposed");
  const remote = first.remote;
  afterAll(async () => {
    await first[Symbol.asyncDispose]();
    await third.terminate();
  });

  beforeAll(async () => {
    const port: unknown = await wrap<object>(third)[Comlink.createEndpoint]();
    await remote.connect(Comlink.transfer(port as object, [port as never]));
  });

  describe.each(["as it is", "a child", "a child, its thread being blocked"])("%s", (how) => {
    test.each(["spin", "wait"])("it ends there, with its cause: %s", async (method) => {
      const [ctx, cancel] = withCancel(background);
      const gate = threadGate();
      const answer = remote.forward(ctx, how, method, gate.view);
      await gate.entered();
      cancel(new RangeError("from the first"));
      // Not by way of the second, which may have no ear for it.
      await gate.written(3);
      gate.open();
      expect(await answer).toMatchObject({ code: "ABORT_ERR", causeMessage: "from the first" });
    });

    test("it keeps its deadline there", async () => {
      const { started, ctx, gate } = await inTime(
        (ctx, { view }) => remote.forward(ctx, how, "spin", view).catch(() => "rejected"),
        (answer) => answer,
        "late",
      );
      await gate.written(3);
      gate.open();
      await started;
      expect(ctx.err()?.code).toBe("ERR_DEADLINE_EXCEEDED");
    });
  });
});

test("messages of an origin that is not allowed are left alone, contexts and all", () => {
  const posted: unknown[] = [];
  let listener!: (event: unknown) => void;
  const endpoint = {
    postMessage: (message: unknown) => posted.push(message),
    addEventListener(type: string, fn: (event: unknown) => void) {
      if (type === "message") listener = fn;
    },
    removeEventListener() {},
  };
  expose({ look: () => "looked" }, endpoint, {
    allowedOrigins: ["https://good.example", /^https:\/\/also\./],
  });
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  const over = { type: "HANDLER", name: "lifeguard.context", value: [1, false] };
  const send = (origin: string): void => {
    const data = { id: origin, type: "APPLY", path: ["look"], argumentList: [{ ...over }] };
    listener({ data, origin });
  };
  send("https://evil.example");
  expect(posted).toEqual([]);
  expect(warned).toHaveBeenCalledOnce();
  send("https://good.example");
  send("https://also.example");
  expect(posted).toMatchObject([{ id: "https://good.example" }, { id: "https://also.example" }]);
  warned.mockRestore();
});

test("an endpoint that throws when something is posted harms nobody but its calls", async () => {
  let listener!: (event: unknown) => void;
  const endpoint = {
    postMessage() {
      throw new Error("closed");
    },
    addEventListener(type: string, fn: (event: unknown) => void) {
      if (type === "message") listener = fn;
    },
    removeEventListener() {},
  };
  expose({ look: () => "looked" }, endpoint);
  const seen = await uncaughtDuring(() => {
    listener({ data: { id: "1", type: "APPLY", path: ["look"], argumentList: [] } });
  });
  expect(seen).toEqual([]);
  expect(await failure(wrapApi(endpoint).plain(1))).toMatchObject({ message: "closed" });
});
