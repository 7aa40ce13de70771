/** Bad arguments of `lifeguard/comlink`: each is refused with its code, the function, what was expected and what came. */
import { MessageChannel } from "node:worker_threads";
import * as Comlink from "comlink";
import { background } from "lifeguard";
import { expose, proxy, register, spawn, wrap } from "lifeguard/comlink";
import { describe, expect, test } from "vitest";
import { failure, fixture } from "../support/pool.js";
import { type Api, wrapped } from "../support/remote.js";

const module = fixture("comlink/actor.mjs");
const { port1 } = new MessageChannel();

test.each<[string, () => unknown, string]>([
  [
    "register: a copy that is none",
    () => register({} as never),
    "register: comlink: expected the module of comlink",
  ],
  ["register: null", () => register(null as never), "register: comlink: expected the module of comlink"],
  ["register: options", () => register(Comlink, 5 as never), "register: options: expected an object, got 5"],
  [
    "register: sharedMemory",
    () => register(Comlink, { sharedMemory: "no" as never }),
    'register: options.sharedMemory: expected a boolean, got "no"',
  ],
  ["wrap: no endpoint", () => wrap(undefined as never), "wrap: endpoint: expected a Worker, a MessagePort"],
  ["wrap: a plain object", () => wrap({} as never), "wrap: endpoint: expected a Worker, a MessagePort"],
  ["wrap: options", () => wrap(port1, null as never), "wrap: options: expected an object, got null"],
  ["wrap: grace", () => wrap(port1, { grace: -1 }), "wrap: options.grace: expected 0 or more milliseconds"],
  ["wrap: grace NaN", () => wrap(port1, { grace: Number.NaN }), "wrap: options.grace: expected 0 or more"],
  [
    "wrap: comlink",
    () => wrap(port1, { comlink: {} as never }),
    "wrap: options.comlink: expected the module of comlink",
  ],
  ["expose: nothing", () => expose(undefined), "expose: value: expected an object, a function or a class"],
  ["expose: a number", () => expose(5), "expose: value: expected an object, a function or a class, got 5"],
  // This is the main thread: there is no parent.
  ["expose: no endpoint", () => expose({}), "expose: endpoint: expected a Worker, a MessagePort"],
  [
    "expose: options",
    () => expose({}, port1, null as never),
    "expose: options: expected an object, got null",
  ],
  ["expose: an endpoint that is none", () => expose({}, {} as never), "expose: endpoint: expected a Worker"],
  ["proxy", () => proxy(5 as never), "proxy: value: expected a function or an object, got 5"],
])("%s", (_, call, message) => {
  let error: unknown;
  try {
    call();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(TypeError);
  expect(error).toMatchObject({ code: "ERR_INVALID_ARG" });
  expect((error as Error).message).toContain(message);
});

describe("spawn rejects", () => {
  test.each<[string, () => Promise<unknown>, string]>([
    ["no context", () => spawn(undefined as never, module), "spawn: ctx: expected a Context"],
    ["a relative path", () => spawn(background, "./actor.mjs"), "spawn: module: expected a file URL"],
    ["no module", () => spawn(background, undefined as never), "spawn: module: expected a file URL"],
    ["options", () => spawn(background, module, 5 as never), "spawn: options: expected an object, got 5"],
    [
      "export",
      () => spawn(background, module, { export: 5 as never }),
      "spawn: options.export: expected the name",
    ],
    [
      "args",
      () => spawn(background, module, { args: "a" as never }),
      "spawn: options.args: expected an array",
    ],
    [
      "transfer",
      () => spawn(background, module, { transfer: [5] as never }),
      "spawn: options.transfer: expected an array of transferable objects, got 5",
    ],
    ["grace", () => spawn(background, module, { grace: -1 }), "spawn: options.grace: expected 0 or more"],
    [
      "name",
      () => spawn(background, module, { name: 5 as never }),
      "spawn: options.name: expected a string, got 5",
    ],
    [
      "execArgv",
      () => spawn(background, module, { execArgv: ["--no-such-flag"] }),
      "spawn: options: a thread cannot be started with them",
    ],
    [
      "resourceLimits",
      () => spawn(background, module, { resourceLimits: 5 as never }),
      "spawn: options.resourceLimits: expected an object, got 5",
    ],
  ])("%s", async (_, call, message) => {
    const error = await failure(call());
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ code: "ERR_INVALID_ARG" });
    expect(error.message).toContain(message);
  });
});

describe("a buffer that is to move along and has moved away before: ERR_NOT_CLONEABLE, where Node 20 sends what nobody can read", () => {
  const detached = (): ArrayBuffer => {
    const { buffer } = new Uint8Array(8);
    structuredClone(buffer, { transfer: [buffer] });
    return buffer;
  };
  const refused = { name: "CallError", code: "ERR_NOT_CLONEABLE", cause: { name: "DataCloneError" } };

  for (const kind of ["a Worker", "a MessagePort"]) {
    test(`as an argument, by ${kind}`, async () => {
      await using exposed = kind === "a Worker" ? wrapped() : undefined;
      await using actor = await spawn<Api>(background, module);
      const remote = exposed?.remote ?? (actor as unknown as Api);
      const buffer = detached();
      expect(await failure(remote.plain(Comlink.transfer({ buffer }, [buffer])))).toMatchObject(refused);
      expect(await remote.plain(1)).toBe(1);
    });
  }

  test("as a result", async () => {
    await using exposed = wrapped();
    const error = await failure(exposed.remote.detached());
    expect(error).toMatchObject({ name: "CallError", code: "ERR_NOT_CLONEABLE" });
    expect(await exposed.remote.plain(1)).toBe(1);
  });

  test("of spawn", async () => {
    const buffer = detached();
    const options = { export: "Shelf", args: [buffer], transfer: [buffer] };
    expect(await failure(spawn(background, module, options))).toMatchObject(refused);
  });
});

test("what comes over the wire and is no context ends the context, not the thread", async () => {
  const { port1: here, port2: there } = new MessageChannel();
  const seen: unknown[] = [];
  expose({ look: (ctx: { err(): { code: string } | undefined }) => ctx.err()?.code }, there);
  here.on("message", (message: { name?: string; value?: unknown }) => seen.push(message));
  const page = new SharedArrayBuffer(8);
  const pages = [
    [2, "no page"],
    [2, "no page", 1e9, 0, 1],
    [2, page, 1e9, 0, 1],
  ];
  const values = [undefined, null, 5, [], [9], ...pages, [3, {}], { type: "shared" }];
  for (const value of values) {
    const argumentList = [{ type: "HANDLER", name: "lifeguard.context", value }];
    here.postMessage({ id: String(seen.length), type: "APPLY", path: ["look"], argumentList });
  }
  while (seen.length < values.length) await new Promise((resolve) => setImmediate(resolve));
  for (const answer of seen)
    expect(answer).toMatchObject({ name: "throw", value: { lifeguard: { context: "canceled" } } });
  here.close();
});
