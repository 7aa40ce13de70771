/** What comes over an endpoint of `lifeguard/comlink`, from anybody: what it cannot reach, and that nothing in it throws here. */
import { MessageChannel, type MessagePort } from "node:worker_threads";
import * as Comlink from "comlink";
import { background, type Context, Pool, withCancel } from "lifeguard";
import { expose, proxy, wrap } from "lifeguard/comlink";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { openableGate } from "../support/gate.js";
import { fixture, until } from "../support/pool.js";
import { uncaughtDuring } from "../support/uncaught.js";

interface Answer {
  readonly id?: unknown;
  readonly name?: string;
  readonly value?: {
    readonly value?: { readonly message?: string };
    readonly lifeguard?: { own?: { code?: string } };
  };
}

class Api {
  readonly nested = { list: [1], add: (a: number, b: number) => a + b };
  readonly Class = class {
    value(): number {
      return 1;
    }
  };
  hi(): string {
    return "hi";
  }
  part(): object {
    return Comlink.proxy({ method: () => "part" });
  }
  async wait(ctx: Context): Promise<unknown> {
    await ctx.done();
    return ctx.err()?.code;
  }
}

function exposed(value: object = new Api()) {
  const { port1: here, port2: there } = new MessageChannel();
  expose(value, there);
  onTestFinished(() => here.close());
  return talkingTo(here);
}

function talkingTo(here: MessagePort) {
  const answers: Answer[] = [];
  here.on("message", (answer: Answer) => answers.push(answer));
  return {
    here,
    answers,
    async ask(message: object, id = Math.random().toString()): Promise<Answer> {
      here.postMessage({ id, ...message });
      const found = () => answers.find((each) => each.id === id);
      await until(() => found() !== undefined);
      return found() as Answer;
    },
  };
}

const raw = (value: unknown) => ({ type: "RAW", value });
const code = (answer: Answer) => answer.value?.lifeguard?.own?.code;

const reaches: [string, object][] = [
  [
    "new Function",
    { type: "CONSTRUCT", path: ["constructor", "constructor"], argumentList: [raw("globalThis.ran = 1")] },
  ],
  ["Function()", { type: "APPLY", path: ["hi", "constructor"], argumentList: [raw("globalThis.ran = 1")] }],
  ["the constructor, read", { type: "GET", path: ["nested", "constructor", "name"] }],
  ["Object.prototype", { type: "SET", path: ["__proto__", "__proto__", "polluted"], value: raw(1) }],
  [
    "Object.prototype, by a list in the path",
    { type: "SET", path: [["__proto__"], ["__proto__"], "polluted"], value: raw(1) },
  ],
  ["its own prototype", { type: "SET", path: ["__proto__"], value: raw({ polluted: 1 }) }],
  [
    "Object.prototype, by a class",
    { type: "SET", path: ["Class", "prototype", "__proto__", "polluted"], value: raw(1) },
  ],
  [
    "__defineGetter__",
    { type: "APPLY", path: ["nested", "__defineGetter__"], argumentList: [raw("x"), raw(1)] },
  ],
  [
    "__lookupGetter__",
    { type: "APPLY", path: ["nested", "__lookupGetter__"], argumentList: [raw("__proto__")] },
  ],
];

describe("a call", () => {
  test.each(reaches)("cannot reach what is not exposed: %s", async (_what, message) => {
    const { ask } = exposed();
    expect(code(await ask(message))).toBe("ERR_UNKNOWN_METHOD");
    expect((globalThis as { ran?: number }).ran).toBeUndefined();
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect(await ask({ type: "APPLY", path: ["hi"], argumentList: [] })).toMatchObject({ value: "hi" });
  });

  test("cannot reach it by a second endpoint, an instance, a returned object or a callback", async () => {
    const { ask } = exposed();
    const byOthers: Answer[] = [
      await ask({ type: "ENDPOINT" }),
      await ask({ type: "CONSTRUCT", path: ["Class"], argumentList: [] }),
      await ask({ type: "APPLY", path: ["part"], argumentList: [] }),
    ];
    for (const { value } of byOthers) {
      const other = talkingTo(value as unknown as MessagePort);
      expect(code(await other.ask(reaches[0]![1]))).toBe("ERR_UNKNOWN_METHOD");
      other.here.close();
    }
    await using pool = new Pool(fixture("hostile-callback.mjs"), { threads: 1, spares: 0 });
    expect(
      await pool.run(
        background,
        "reach",
        proxy(() => {}),
      ),
    ).toEqual(["ERR_UNKNOWN_METHOD", "ERR_UNKNOWN_METHOD"]);
    expect((globalThis as { ran?: number }).ran).toBeUndefined();
  });

  test("of the usual kind is made all the same, also through a second endpoint", async () => {
    const { here } = exposed();
    const remote = wrap<Api>(here);
    expect(await (remote.nested as unknown as { add(a: number, b: number): Promise<number> }).add(1, 2)).toBe(
      3,
    );
    const port = await (remote as unknown as { [Comlink.createEndpoint](): Promise<MessagePort> })[
      Comlink.createEndpoint
    ]();
    expect(await wrap<Api>(port).hi()).toBe("hi");
    port.close();
  });
});

const junk: [string, unknown][] = [
  ...[null, 5, "text", [], {}, new Map(), new Uint8Array(4)].map((value, i): [string, unknown] => [
    `value ${i}`,
    value,
  ]),
  ["no id", { type: "APPLY", path: ["hi"] }],
  ["a number for an id", { id: 5, type: "SET", path: ["__proto__", "__proto__", "polluted"], value: raw(1) }],
  ["an object for an id", { id: {}, type: "APPLY", path: ["hi"] }],
  ["a huge id", { id: "x".repeat(1e6), type: "APPLY", path: ["hi"] }],
  ["an unknown type", { id: "a", type: "EVAL", path: ["hi"], argumentList: 5 }],
  ["a number for a path", { id: "b", type: "APPLY", path: 5 }],
  ["undefined for a path", { id: "c", type: "APPLY", path: undefined }],
  ["a path without end", { id: "d", type: "GET", path: Array.from({ length: 1e5 }, () => "x") }],
  ["a number for arguments", { id: "e", type: "APPLY", path: ["hi"], argumentList: 5 }],
  ["null for an argument", { id: "f", type: "APPLY", path: ["hi"], argumentList: [null] }],
  [
    "an unknown handler",
    { id: "g", type: "APPLY", path: ["hi"], argumentList: [{ type: "HANDLER", name: "nope" }] },
  ],
  [
    "an argument that throws",
    {
      id: "h",
      type: "APPLY",
      path: ["hi"],
      argumentList: [{ type: "HANDLER", name: "throw", value: { isError: true, value: {} } }],
    },
  ],
  [
    "a proxy that is no port",
    { id: "i", type: "APPLY", path: ["hi"], argumentList: [{ type: "HANDLER", name: "proxy", value: 5 }] },
  ],
  ["a value that is none", { id: "j", type: "SET", path: ["x"] }],
];

describe("a forged message", () => {
  test.each(junk)("cannot crash or hang who gets it: %s", async (_what, message) => {
    const { here, ask } = exposed();
    const seen = await uncaughtDuring(async () => {
      here.postMessage(message);
      expect(await ask({ type: "APPLY", path: ["hi"], argumentList: [] })).toMatchObject({ value: "hi" });
    });
    expect(seen).toEqual([]);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  test("cannot crash who has a context from there: its port, its memory", async () => {
    const { here, ask } = exposed();
    const { port1, port2 } = new MessageChannel();
    const context = (value: unknown) => ({
      type: "APPLY",
      path: ["wait"],
      argumentList: [{ type: "HANDLER", name: "lifeguard.context", value }],
    });
    const seen = await uncaughtDuring(async () => {
      here.postMessage({ id: "port", ...context([3, port2, undefined, undefined]) }, [port2]);
      port1.postMessage(null);
      expect(await ask({ type: "GET", path: ["nested", "list"] })).toMatchObject({ value: [1] });
      // A slot that says it has a cause, and none that could be read.
      const page = new SharedArrayBuffer(1024 * 1024);
      const words = new Int32Array(page);
      words[16] = (7 << 3) | 2;
      words[18] = 100;
      new Uint8Array(page, 65_600, 100).fill(0xff);
      expect(await ask(context([2, page, 123_456, 0, 7]))).toMatchObject({
        name: "throw",
        value: { lifeguard: { context: "canceled" } },
      });
      for (const slot of [-1, 1.5, 512, Number.NaN, "0"])
        expect(await ask(context([2, page, 123_456, slot, 7]))).toMatchObject({ name: "throw" });
    });
    expect(seen).toEqual([]);
    port1.close();
  });

  test("cannot take the place of a call that is under way", async () => {
    const gate = openableGate<string>();
    const { here, answers } = exposed({ hold: () => gate.opened, hi: () => "hi" });
    for (const [id, name] of [
      ["one", "hold"],
      ["one", "hi"],
      ["two", "hi"],
    ])
      here.postMessage({ id, type: "APPLY", path: [name], argumentList: [] });
    await until(() => answers.some(({ id }) => id === "two"));
    gate.open("held");
    await until(() => answers.some(({ id }) => id === "one"));
    expect(answers).toMatchObject([
      { id: "two", value: "hi" },
      { id: "one", value: "held" },
    ]);
  });

  test("cannot settle a call of which it does not know the id", async () => {
    const { port1: here, port2: there } = new MessageChannel();
    const remote = wrap<{ hi(): string }>(here);
    const call = remote.hi();
    for (const message of [
      null,
      { id: "guess", type: "RAW", value: 1 },
      { id: 0 },
      { id: {} },
      { type: "RAW" },
    ])
      there.postMessage(message);
    there.on("message", ({ id }: { id: string }) => there.postMessage({ id, type: "RAW", value: "right" }));
    expect(await call).toBe("right");
    here.close();
  });
});

test("another origin cannot call, whatever the flags of the expressions", () => {
  const posted: unknown[] = [];
  let listener!: (event: unknown) => void;
  const called = vi.fn(() => "looked");
  const endpoint = {
    postMessage: (message: unknown) => posted.push(message),
    addEventListener(type: string, fn: (event: unknown) => void) {
      if (type === "message") listener = fn;
    },
    removeEventListener() {},
  };
  expose({ look: called }, endpoint, { allowedOrigins: [/^https:\/\/good\.example$/g] });
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  const send = (origin: string | undefined, id: string): void =>
    listener({ data: { id, type: "APPLY", path: ["look"], argumentList: [] }, origin });
  for (const origin of ["https://evil.example", "https://good.example.evil", "null", "", undefined])
    send(origin, String(origin));
  expect(called).not.toHaveBeenCalled();
  for (let i = 0; i < 4; i++) send("https://good.example", String(i));
  expect(called).toHaveBeenCalledTimes(4);
  // One that cannot be written to is asked like any other.
  expose({ look: called }, endpoint, { allowedOrigins: [Object.freeze(/^https:\/\/good\.example$/)] });
  send("https://evil.example", "frozen");
  expect(called).toHaveBeenCalledTimes(4);
  send("https://good.example", "frozen");
  expect(called).toHaveBeenCalledTimes(5);
  warned.mockRestore();
  expect(posted).toEqual([]);
});

test("a context that was sent cannot outlive the call it was sent with", async () => {
  const kept: Context[] = [];
  const { here } = exposed({ keep: (ctx: Context) => void kept.push(ctx) });
  const [ctx, cancel] = withCancel(background);
  await wrap<{ keep(ctx: Context): void }>(here).keep(ctx);
  expect(kept[0]?.err()?.code).toBe("ABORT_ERR");
  cancel();
});
