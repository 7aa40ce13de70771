/** Actors: how they are made, called, and how they end. */
import { inspect } from "node:util";
import type { Worker } from "node:worker_threads";
import * as Comlink from "comlink";
import { background, type Context, cause, contextKey, withCancel, withTimeout, withValue } from "lifeguard";
import { type Actor, CallError, contextOf, type SpawnOptions, spawn } from "lifeguard/comlink";
import { describe, expect, test } from "vitest";
import { runScript } from "../support/child.js";
import { heapUsed } from "../support/memory.js";
import { outOfMemory } from "../support/nodes.js";
import { failure, fixture, rejection, threadGate } from "../support/pool.js";
import type { Api } from "../support/remote.js";
import { settles, turn } from "../support/turn.js";
import { uncaughtDuring } from "../support/uncaught.js";

const module = fixture("comlink/actor.mjs");

type Method<R> = (...args: readonly unknown[]) => Promise<R>;

/** What the fixture's exports have, whichever it is. */
interface ActorApi extends Api, AsyncDisposable {
  readonly add: Method<number>;
  readonly bytes: Method<number>;
  readonly prototype: { count(): Promise<number> };
  readonly about: Method<{ readonly threadId: number; readonly workerData: unknown }>;
  readonly runaway: Method<never>;
  readonly outOfMemory: Method<never>;
  readonly slow: Method<unknown>;
  readonly slowPart: (gate: Int32Array) => ReturnType<Api["part"]>;
  readonly told: Method<string>;
  readonly answerAndExit: Method<string>;
}

async function actor(options: SpawnOptions = {}, ctx = background): Promise<ActorApi> {
  return (await spawn(ctx, module, options)) as unknown as ActorApi;
}

function contextBehind(remote: ActorApi): Context {
  return contextOf(remote as unknown as Actor<unknown>);
}

/** The threads that are started while `work` runs, and how many of them are left. */
async function threadsDuring(work: () => Promise<void>): Promise<{ started: number; left: number }> {
  const workers = new Set<Worker>();
  const onWorker = (worker: Worker): void => {
    workers.add(worker);
  };
  process.on("worker", onWorker);
  try {
    await work();
  } finally {
    process.off("worker", onWorker);
  }
  await turn();
  return { started: workers.size, left: [...workers].filter(({ threadId }) => threadId !== -1).length };
}

describe("made", () => {
  test("the module's default export is exposed as it is", async () => {
    await using remote = await actor();
    expect(await remote.plain("value")).toBe("value");
    expect(await remote.nested.deeper.add(1, 2)).toBe(3);
  });

  test("without one, all of its exports", async () => {
    await using remote = await spawn<{ add(a: number, b: number): number }>(
      background,
      fixture("comlink/plain-module.mjs"),
    );
    expect(await remote.add(1, 2)).toBe(3);
  });

  test("a class is constructed with args, and keeps its state between calls", async () => {
    await using shelf = await actor({ export: "Shelf", args: [["a", "b"]] });
    const [ctx] = withCancel(background);
    expect(await shelf.count(ctx)).toBe(2);
    expect(await shelf.add(ctx, "c")).toBe(3);
    expect(await shelf.count()).toBe(3);
  });

  test("a function is called with args, and awaited", async () => {
    await using shelf = await actor({ export: "shelfOf", args: [7] });
    expect(await shelf.count()).toBe(7);
  });

  test("a class without args is exposed as a class", async () => {
    await using Shelf = await actor({ export: "Shelf" });
    const shelf = await new (Shelf as unknown as new (books: string[]) => Promise<ActorApi>)(["a"]);
    expect(await shelf.count()).toBe(1);
  });

  test("args may be transferred, workerData is the user's, and each has a thread of its own", async () => {
    const bytes = new ArrayBuffer(100);
    await using one = await actor({
      export: "Shelf",
      args: [bytes],
      transfer: [bytes],
      workerData: { mine: 1 },
    });
    await using two = await actor({ export: "Shelf", args: [[]] });
    expect(bytes.byteLength).toBe(0);
    expect(await one.bytes()).toBe(100);
    expect((await one.about()).workerData).toEqual({ mine: 1 });
    expect((await one.about()).threadId).not.toBe((await two.about()).threadId);
  });

  test.each([
    ["the module does not exist", fixture("comlink/nowhere.mjs"), {}, "Cannot find module"],
    ["it has no such export", module, { export: "nope" }, 'the module exports no "nope"; it exports "Shelf"'],
    [
      "it exports nothing at all",
      fixture("comlink/exports-nothing.mjs"),
      { export: "Shelf" },
      'the module exports no "Shelf"; it exports nothing',
    ],
    ["it throws while it is made", module, { export: "Shelf", args: ["burnt"] }, "no books"],
    ["it is nothing to call", module, { export: "nothing" }, "got number"],
    ["args are given for what takes none", module, { args: [1] }, "neither a class nor a function"],
  ])("rejects with ERR_ACTOR_MODULE when %s", async (_, url, options, message) => {
    const threads = await threadsDuring(async () => {
      const error = await failure(spawn(background, url, options));
      expect(error).toBeInstanceOf(CallError);
      expect(error).toMatchObject({ code: "ERR_ACTOR_MODULE" });
      expect(error.message).toContain(message);
      expect(error.cause).toBeInstanceOf(Error);
      await turn();
    });
    expect(threads.started).toBe(1);
  });

  test("rejects with the context's error when that ends first, and leaves no thread", async () => {
    const [ctx, cancel] = withTimeout(background, 30);
    const error = await rejection(spawn(ctx, fixture("comlink/never-loads.mjs")));
    expect(error).toBe(ctx.err());
    cancel();
    const [over, end] = withCancel(background);
    end();
    const threads = await threadsDuring(async () => {
      expect(await rejection(spawn(over, module))).toBe(over.err());
    });
    expect(threads.started).toBe(0);
  });

  test("rejects with ERR_NOT_CLONEABLE for such arguments", async () => {
    const error = await failure(actor({ export: "Shelf", args: [() => {}] }));
    expect(error).toMatchObject({ code: "ERR_NOT_CLONEABLE" });
    expect(error.message).toContain("spawn: options.args");
  });
});

test("an actor that could not be made holds its context no longer", async () => {
  const key = contextKey<number>("test.spawn");
  const below = async (): Promise<WeakRef<Context>> => {
    const ctx = withValue(background, key, 1);
    await failure(spawn(ctx, fixture("comlink/nowhere.mjs")));
    return new WeakRef(ctx);
  };
  const ref = await below();
  for (let round = 0; round < 50 && ref.deref() !== undefined; round++) {
    await turn();
    heapUsed();
  }
  expect(ref.deref()).toBeUndefined();
});

describe("called", () => {
  test("a call's context is seen in a loop, and its error is the caller's", async () => {
    await using remote = await actor();
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const call = remote.throwing(ctx, gate.view);
    await gate.entered();
    cancel("why");
    expect(await rejection(call)).toBe(ctx.err());
    expect(contextBehind(remote).err()).toBe(undefined);
    expect(await remote.plain(1)).toBe(1);
  });

  test("a call that does not stop rejects after its grace, and the actor is still there for the next", async () => {
    await using remote = await actor({ grace: 10 });
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    const call = remote.hold(ctx, gate.view);
    await gate.entered();
    cancel();
    expect(await rejection(call)).toBe(ctx.err());
    gate.open();
    expect(await remote.plain("next")).toBe("next");
  });

  test("is no promise, and what prints it or makes JSON of it calls nothing", async () => {
    await using remote = await actor();
    expect(await Promise.resolve(remote)).toBe(remote);
    expect(inspect(remote)).toContain("[Function: remoteProxy]");
    expect(JSON.stringify({ remote })).toBe("{}");
    expect((remote as unknown as Record<symbol, unknown>)[Symbol.toPrimitive]).toBe(undefined);
    expect(await remote.plain(1)).toBe(1);
  });

  test("a method that it does not have is named, with those it has", async () => {
    await using shelf = await actor({ export: "Shelf", args: [[]] });
    const error = await failure((shelf as unknown as { burn(): Promise<void> }).burn());
    expect(error).toBeInstanceOf(CallError);
    expect(error).toMatchObject({ name: "CallError", code: "ERR_UNKNOWN_METHOD" });
    expect(error.message).toBe(
      'what is exposed has no method "burn"; it has "count", "add", "bytes", "about"',
    );
    // Of a class whose args were forgotten.
    await using Shelf = await actor({ export: "Shelf" });
    expect(await failure(Shelf.count())).toMatchObject({ code: "ERR_UNKNOWN_METHOD" });
    // A method's own TypeError is its own.
    expect(await failure(Shelf.prototype.count())).toBeInstanceOf(TypeError);
  });
});

describe("ends", () => {
  test("with its context: calls under way see it as the end of theirs, and reject with its error", async () => {
    const [ctx, cancel] = withCancel(background);
    const remote = await actor({ grace: 60_000 }, ctx);
    const gate = threadGate();
    // One under a context that never ends, and one with a context of its own.
    const told = remote.told(background, gate.view);
    const [own] = withCancel(background);
    const waiting = remote.wait(own, gate.view, "done");
    await gate.entered(2);
    cancel(new RangeError("shutting down"));
    expect(await told).toBe("shutting down");
    expect(await waiting).toMatchObject({ code: "ABORT_ERR", causeMessage: "shutting down" });
    expect(own.err()).toBe(undefined);
    const error = await failure(remote.plain(1));
    expect(error).toMatchObject({ code: "ERR_PEER_CLOSED" });
    expect(error.cause).toBe(ctx.err());
    await remote[Symbol.asyncDispose]();
  });

  test("what throws because of that rejects with the error of the actor's context", async () => {
    const [ctx, cancel] = withCancel(background);
    const remote = await actor({ grace: 60_000 }, ctx);
    const gate = threadGate();
    const call = remote.throwing(background, gate.view);
    await gate.entered();
    cancel("why");
    expect(await rejection(call)).toBe(ctx.err());
    await remote[Symbol.asyncDispose]();
  });

  test("hard, when a call does not stop within the grace", async () => {
    const threads = await threadsDuring(async () => {
      const [ctx, cancel] = withCancel(background);
      const remote = await actor({ grace: 10 }, ctx);
      const gate = threadGate();
      const call = remote.runaway(gate.view);
      await gate.entered();
      cancel("why");
      expect(await rejection(call)).toBe(ctx.err());
    });
    expect(threads).toEqual({ started: 1, left: 0 });
  });

  test("at once with a grace of 0", async () => {
    const remote = await actor({ grace: 0 });
    const gate = threadGate();
    const call = remote.slow(gate.view, 1);
    await gate.entered();
    await remote[Symbol.asyncDispose]();
    expect(await rejection(call)).toBe(contextBehind(remote).err());
  });

  test("calls under way are finished within the grace, and then it is disposed of", async () => {
    const log = threadGate();
    const gate = threadGate();
    const shelf = await actor({ export: "Shelf", args: [[], log.view] });
    await shelf[Symbol.asyncDispose]();
    expect(log.read(4)).toBe(1);
    const [ctx, cancel] = withCancel(background);
    const remote = await actor({ grace: 60_000 }, ctx);
    const call = remote.slow(gate.view, "finished");
    await gate.entered();
    cancel();
    expect(await settles(call)).toBe(false);
    gate.open();
    expect(await call).toBe("finished");
    await remote[Symbol.asyncDispose]();
  });

  test("what its own disposal throws, `await using` throws", async () => {
    const log = threadGate();
    Atomics.store(log.view, 5, 1);
    const shelf = await actor({ export: "Shelf", args: [[], log.view] });
    expect(await failure(shelf[Symbol.asyncDispose]())).toMatchObject({ message: "cannot be closed" });
  });

  test("hard, when its disposal never ends", async () => {
    const log = threadGate();
    Atomics.store(log.view, 5, 2);
    // Long enough to begin with it, whatever else the machine has to do.
    for (let grace = 10; log.read(4) === 0 && grace <= 1000; grace *= 10) {
      const shelf = await actor({ export: "Shelf", args: [[], log.view], grace });
      await shelf[Symbol.asyncDispose]();
    }
    expect(log.read(4)).toBe(1);
  });

  test("within a second, whatever its grace, when it is disposed of", async () => {
    const log = threadGate();
    Atomics.store(log.view, 5, 2);
    const shelf = await actor({ export: "Shelf", args: [[], log.view], grace: Infinity });
    await shelf[Symbol.asyncDispose]();
    expect(contextBehind(shelf).err()?.code).toBe("ABORT_ERR");
  });

  test("calls to objects that it has returned by reference end with it, too", async () => {
    const [ctx, cancel] = withCancel(background);
    const remote = await actor({ grace: 60_000 }, ctx);
    const part = await remote.part();
    const gate = threadGate();
    const waiting = part.wait(withCancel(background)[0], gate.view);
    const finished = part.slow(gate.view, "finished");
    await gate.entered(2);
    cancel(new RangeError("shutting down"));
    // They see its end as the end of their contexts, and it waits for them.
    expect(await waiting).toMatchObject({ code: "ABORT_ERR", causeMessage: "shutting down" });
    expect(await settles(finished)).toBe(false);
    gate.open();
    expect(await finished).toBe("finished");
    expect(await failure(part.slow(gate.view, 1))).toMatchObject({ code: "ERR_PEER_CLOSED" });
    await remote[Symbol.asyncDispose]();
    const [second, end] = withCancel(background);
    const hard = await actor({ grace: 10 }, second);
    const never = (await hard.part()).never(gate.view);
    await gate.entered(3);
    end();
    expect(await rejection(never)).toBe(second.err());
    await hard[Symbol.asyncDispose]();
  });

  test("what it returns by reference while it ends takes no calls any more", async () => {
    const [ctx, cancel] = withCancel(background);
    const remote = await actor({ grace: 60_000 }, ctx);
    const gate = threadGate();
    const returned = remote.slowPart(gate.view);
    await gate.entered();
    cancel(new RangeError("shutting down"));
    gate.open();
    const part = await returned;
    const error = await failure(part.slow(gate.view, 1));
    expect(error).toMatchObject({ code: "ERR_PEER_CLOSED", cause: ctx.err() });
    expect(error.message).toContain("slow: what it is called on has ended");
    await remote[Symbol.asyncDispose]();
    expect(gate.read(0)).toBe(1);
  });

  test("by releasing any of its proxies: comlink releases them together", async () => {
    const remote = await actor();
    const gate = threadGate();
    const call = remote.never(gate.view);
    await gate.entered();
    (remote.nested as unknown as Comlink.Remote<object>)[Comlink.releaseProxy]();
    expect(await rejection(call)).toBe(contextBehind(remote).err());
  });

  test("its last words count, whatever of its end is heard first", async () => {
    for (let n = 0; n < 10; n++) {
      const remote = await actor();
      const gate = threadGate();
      const answer = remote.answerAndExit(gate.view);
      // Both have happened by the time this thread comes to hear of either.
      gate.blockUntilWritten(3);
      for (const until = performance.now() + 30; performance.now() < until; );
      expect(await answer).toBe("answer");
      // Disposed of before it is heard that it has died, it would have died of something else meanwhile.
      await contextBehind(remote).done();
      await remote[Symbol.asyncDispose]();
    }
  });

  test("a disposal that throws is nobody's surprise when comlink's releaseProxy began it", async () => {
    const log = threadGate();
    Atomics.store(log.view, 5, 1);
    const shelf = await actor({ export: "Shelf", args: [[], log.view] });
    const seen = await uncaughtDuring(async () => {
      (shelf as unknown as Comlink.Remote<object>)[Comlink.releaseProxy]();
      await shelf[Symbol.asyncDispose]().then(undefined, () => {});
    });
    expect(seen).toEqual([]);
  });

  test("when it dies of something else while it is disposed of, `await using` says so", async () => {
    const log = threadGate();
    Atomics.store(log.view, 5, 3);
    const shelf = await actor({ export: "Shelf", args: [[], log.view] });
    expect(await failure(shelf[Symbol.asyncDispose]())).toMatchObject({
      code: "ERR_WORKER_CRASHED",
      message: "actor: the actor's thread died: the thread exited with code 9",
    });
  });

  test("by `await using`, with a context that says so; a second time changes nothing", async () => {
    let outer: ActorApi;
    const threads = await threadsDuring(async () => {
      await using remote = await actor();
      expect(await remote.plain(1)).toBe(1);
      outer = remote;
    });
    expect(threads).toEqual({ started: 1, left: 0 });
    const ctx = contextBehind(outer!);
    expect(ctx.err()?.code).toBe("ABORT_ERR");
    expect(cause(ctx)).toMatchObject({
      code: "ERR_PEER_CLOSED",
      message: "actor: the actor was disposed of",
    });
    await outer![Symbol.asyncDispose]();
  });

  test("by comlink's releaseProxy, too", async () => {
    const remote = await actor();
    const ended = contextBehind(remote).done();
    (remote as unknown as Comlink.Remote<object>)[Comlink.releaseProxy]();
    await ended;
    await remote[Symbol.asyncDispose]();
  });

  test("when its thread dies: its context ends with that as the cause, and no call is left pending", async () => {
    const [parent] = withCancel(background);
    const remote = await actor({ name: "index" }, parent);
    const pending = remote.never(background);
    const error = await failure(remote.exit(3));
    expect(error).toMatchObject({ code: "ERR_WORKER_CRASHED" });
    expect(error.message).toBe("exit: index: the actor's thread died: the thread exited with code 3");
    expect(await failure(pending)).toMatchObject({ code: "ERR_WORKER_CRASHED" });
    expect(await failure(remote.plain(1))).toMatchObject({ code: "ERR_WORKER_CRASHED" });
    expect(cause(contextBehind(remote))).toMatchObject({ code: "ERR_WORKER_CRASHED" });
    expect(parent.err()).toBe(undefined);
    await remote[Symbol.asyncDispose]();
    const crashing = await actor();
    expect(await failure(crashing.crash())).toMatchObject({ cause: { message: "uncaught" } });
  });

  test("out of memory, like any other death", outOfMemory, async () => {
    const remote = await actor({
      resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 },
    });
    const error = await failure(remote.outOfMemory());
    expect(error).toMatchObject({
      code: "ERR_WORKER_CRASHED",
      cause: { code: "ERR_WORKER_OUT_OF_MEMORY" },
    });
  });
});

describe("and the process", () => {
  const start = `
    import { background, withTimeout } from "lifeguard";
    import { spawn } from "lifeguard/comlink";
    const remote = await spawn(background, ${JSON.stringify(module.href)});
  `;

  test("an idle actor does not keep it alive", async () => {
    const exit = await runScript(`${start} console.log(await remote.plain("done"));`);
    expect(exit).toEqual({ code: 0, signal: null, stdout: "done\n", stderr: "" });
  });

  test("a function that another thread holds by reference does not", async () => {
    const exit = await runScript(`
      import { Worker } from "node:worker_threads";
      import * as Comlink from "comlink";
      import { wrap } from "lifeguard/comlink";
      const worker = new Worker(${JSON.stringify(fixture("comlink/exposed.mjs").pathname)}, { execArgv: [] });
      const remote = wrap(worker);
      const gate = new Int32Array(new SharedArrayBuffer(8));
      void remote.never(Comlink.proxy(() => 1), gate);
      while (Atomics.load(gate, 0) === 0) await new Promise((resolve) => setImmediate(resolve));
      worker.unref();
      console.log("done");
    `);
    expect(exit).toEqual({ code: 0, signal: null, stdout: "done\n", stderr: "" });
  });

  test("a call under way does", async () => {
    const exit = await runScript(`${start}
      const gate = new Int32Array(new SharedArrayBuffer(8));
      remote.slow(gate, "finished").then(console.log);
      while (Atomics.load(gate, 0) === 0);
      setTimeout(() => { Atomics.store(gate, 1, 1); Atomics.notify(gate, 1); }, 50).unref();
    `);
    expect(exit).toEqual({ code: 0, signal: null, stdout: "finished\n", stderr: "" });
  });

  test("disposing of it does, until the thread has gone", async () => {
    const exit = await runScript(`${start}
      remote[Symbol.asyncDispose]().then(() => console.log("gone"));
    `);
    expect(exit).toEqual({ code: 0, signal: null, stdout: "gone\n", stderr: "" });
  });
});

test("contextOf takes nothing but actors", () => {
  for (const value of [undefined, null, {}, () => {}])
    expect(() => contextOf(value as never)).toThrow("contextOf: actor: expected an actor");
});
