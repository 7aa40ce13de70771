/** Wrong arguments of every public function of the pool, and what cannot be sent: clear errors, nothing lost. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  background,
  type Context,
  contextKey,
  Pool,
  PoolError,
  type PoolOptions,
  sharedKey,
  transfer,
  withCancel,
  withoutCancel,
  withProcessSignal,
  withTimeout,
  withValue,
} from "lifeguard";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Delegating, Independent } from "../support/contexts.js";
import {
  expectBalanced,
  expectWhole,
  failure,
  fixture,
  pooled,
  rejection,
  settled,
  threadGate,
  until,
} from "../support/pool.js";
import { uncaughtDuring } from "../support/uncaught.js";

const tasks = fixture("tasks.mjs");

/** Values that are wrong wherever a context is expected. */
const noContexts: unknown[] = [
  undefined,
  null,
  42,
  "ctx",
  {},
  [],
  () => {},
  { err: () => undefined },
  new AbortController().signal,
];

function thrown(work: () => unknown): TypeError & { code?: unknown } {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return error as TypeError;
  }
  throw new Error("expected it to throw");
}

describe("new Pool throws TypeError ERR_INVALID_ARG at once", () => {
  const modules: unknown[] = [
    undefined,
    null,
    42,
    "",
    "./tasks.mjs",
    "tasks.mjs",
    "https://example.com/tasks.mjs",
    "data:text/javascript,export const a = 1",
    "node:fs",
    new URL("https://example.com/tasks.mjs"),
    new URL("file://elsewhere/tasks.mjs"),
    {},
  ];
  for (const module of modules) {
    test(`module ${module instanceof URL ? module.href : JSON.stringify(module)}`, () => {
      const error = thrown(() => new Pool(module as string));
      expect(error.code).toBe("ERR_INVALID_ARG");
      expect(error.message).toMatch(/^Pool: module: expected a file URL or an absolute path/);
    });
  }

  const options: [name: keyof PoolOptions, values: unknown[]][] = [
    ["threads", [0, -1, 1.5, Number.NaN, Infinity, "2", null, {}]],
    ["spares", [-1, 0.5, Number.NaN, Infinity, "1", null]],
    ["grace", [-1, Number.NaN, "250", null, {}, -Infinity]],
    ["maxQueue", [-1, 0.5, Number.NaN, "10", null]],
    ["order", ["lifo", null, 1, ""]],
    ["onOverrun", ["kill", null, 1]],
    ["watchdog", ["yes", null, 1]],
    ["name", [1, null, {}]],
    ["resourceLimits", [1, null, "none"]],
    ["env", [1, null, "PATH", Symbol("no")]],
    ["execArgv", ["--flag", [1], null, {}]],
  ];
  for (const [name, values] of options) {
    for (const value of values) {
      test(`options.${name}: ${typeof value === "number" ? String(value) : JSON.stringify(value)}`, () => {
        const error = thrown(() => new Pool(tasks, { [name]: value }));
        expect(error.code).toBe("ERR_INVALID_ARG");
        expect(error.message).toContain(`Pool: options.${name}`);
      });
    }
  }

  test("options that are no object", () => {
    expect(thrown(() => new Pool(tasks, 4 as never)).code).toBe("ERR_INVALID_ARG");
  });

  for (const [label, bad] of [
    ["execArgv that Node does not take in a thread", { execArgv: ["--no-such-flag"] }],
    ["workerData that cannot be cloned", { workerData: () => {} }],
  ] as const) {
    test(`${label}: thrown at once, with the reason, and nothing left to be unhandled`, async () => {
      const uncaught = await uncaughtDuring(() => {
        const error = thrown(() => new Pool(tasks, { threads: 2, ...bad }));
        expect(error.code).toBe("ERR_INVALID_ARG");
        expect(error.cause).toBeInstanceOf(Error);
      });
      expect(uncaught).toEqual([]);
    });
  }
});

describe("with a pool", () => {
  let pool: Pool;
  beforeAll(async () => {
    pool = pooled({ threads: 2, grace: 0 });
    await pool.ready();
  });
  afterAll(() => pool.destroy());

  for (const wrong of noContexts) {
    const label = typeof wrong === "function" ? "a function" : JSON.stringify(wrong);
    test(`run, submit and tasks reject when the context is ${label}`, async () => {
      const { submitted } = pool.stats();
      const ctx = wrong as Context;
      const promises: [where: string, promise: Promise<unknown>][] = [
        ["Pool.run: ctx", pool.run(ctx, "nothing")],
        ["Pool.submit: ctx", pool.submit(ctx, "nothing", []).result],
        ["Pool.run: ctx", pool.tasks.nothing!(ctx)],
      ];
      for (const [where, promise] of promises) {
        const error = await failure(promise);
        expect(error).toBeInstanceOf(TypeError);
        expect(error.code).toBe("ERR_INVALID_ARG");
        expect(error.message).toContain(where);
        expect(error.message).toContain("Context");
      }
      expect(pool.stats().submitted).toBe(submitted);
    });

    if (wrong !== undefined) {
      test(`ready and close reject when the context is ${label}; the pool stays open`, async () => {
        const ready = await failure(pool.ready(wrong as Context));
        expect(ready).toMatchObject({ code: "ERR_INVALID_ARG" });
        expect(ready.message).toContain("Pool.ready: ctx");
        const close = await failure(pool.close(wrong as Context));
        expect(close).toMatchObject({ code: "ERR_INVALID_ARG" });
        expect(close.message).toContain("Pool.close: ctx");
        expect(await pool.run(background, "add", 1, 1)).toBe(2);
      });
    }
  }

  for (const name of [
    undefined,
    null,
    1,
    {},
    Object.create(null),
    { toString: null },
    Symbol("name"),
    [],
    () => {},
  ] as unknown[]) {
    test(`a name that is no string (${typeof name}) rejects, and never throws`, async () => {
      const run = pool.run(background, name as string);
      const task = pool.submit(background, name as string, []);
      expect(await failure(run)).toMatchObject({ code: "ERR_INVALID_ARG" });
      expect((await failure(task.result)).message).toContain("Pool.submit: name");
      expect(task).toMatchObject({ state: "settled", outcome: "failed" });
      expect(typeof task.name).toBe("string");
      task.cancel(); // does nothing
    });
  }

  test("submit: args that are no array", async () => {
    for (const args of [undefined, null, "args", { 0: 1, length: 1 }]) {
      const error = await failure(pool.submit(background, "nothing", args as never).result);
      expect(error).toMatchObject({ code: "ERR_INVALID_ARG" });
      expect(error.message).toContain("Pool.submit: args");
    }
  });

  const submitOptions: [name: string, value: unknown][] = [
    ["grace", -1],
    ["grace", Number.NaN],
    ["grace", "1"],
    ["priority", Number.NaN],
    ["priority", "high"],
    ["transfer", "buffer"],
    ["transfer", [1]],
    ["transfer", [null]],
    ["transfer", {}],
    ["onOverrun", "kill"],
    ["onOverrun", null],
  ];
  for (const [name, value] of submitOptions) {
    test(`submit: options.${name}: ${JSON.stringify(value)}`, async () => {
      const error = await failure(pool.submit(background, "nothing", [], { [name]: value }).result);
      expect(error).toBeInstanceOf(TypeError);
      expect(error.code).toBe("ERR_INVALID_ARG");
      expect(error.message).toContain(`Pool.submit: options.${name}`);
    });
  }

  test("submit: options that are no object, or whose getters throw", async () => {
    for (const options of [1, "fast", null]) {
      expect(await failure(pool.submit(background, "nothing", [], options as never).result)).toMatchObject({
        code: "ERR_INVALID_ARG",
      });
    }
    const hostile = {
      get priority(): number {
        throw new RangeError("no questions");
      },
    };
    expect((await failure(pool.submit(background, "nothing", [], hostile).result)).message).toBe(
      "no questions",
    );
    await expectWhole(pool);
  });

  describe("a name the module does not export as a function", () => {
    for (const name of [
      "__proto__",
      "constructor",
      "then",
      "toString",
      "hasOwnProperty",
      "valueOf",
      "default",
      "",
      "no such task",
      "notAFunction",
      "Symbol(x)",
    ]) {
      test(JSON.stringify(name), async () => {
        const { submitted } = pool.stats();
        const error = await failure(pool.run(background, name));
        expect(error).toBeInstanceOf(PoolError);
        expect(error.code).toBe("ERR_UNKNOWN_TASK");
        expect(error.message).toContain(JSON.stringify(name));
        expect(error.message).toContain('"echo"'); // says what there is
        expect(pool.stats().submitted).toBe(submitted);
      });

      test(`${JSON.stringify(name)}, before the module has been loaded`, async () => {
        await using fresh = pooled({ threads: 1 });
        const task = fresh.submit(background, name, []);
        expect(task.state).toBe("queued");
        expect(await failure(task.result)).toMatchObject({ code: "ERR_UNKNOWN_TASK" });
        expect(task.outcome).toBe("failed");
        await expectWhole(fresh, 1);
      });
    }

    test("pool.tasks has no `then`, so it can be awaited, and none of what Object.prototype has", async () => {
      expect((pool.tasks as Record<string, unknown>).then).toBeUndefined();
      expect(await Promise.resolve(pool.tasks)).toBe(pool.tasks);
      for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
        expect(await failure(pool.tasks[name]!(background)), name).toMatchObject({
          code: "ERR_UNKNOWN_TASK",
        });
      }
    });

    test("pool.tasks hands out the same function at every look", () => {
      expect(pool.tasks.echo).toBe(pool.tasks.echo);
      expect(pool.tasks.echo).not.toBe(pool.tasks.add);
    });

    test("a pool can be turned into JSON without running a task", async () => {
      const uncaught = await uncaughtDuring(() => {
        expect(() => JSON.stringify(pool)).not.toThrow();
      });
      expect(uncaught).toEqual([]);
    });
  });

  describe("arguments that cannot be sent: ERR_NOT_CLONEABLE, naming the argument, and the thread lives", () => {
    const contexts: [label: string, make: () => unknown][] = [
      ["background", () => background],
      ["a cancellable context", () => withCancel(background)[0]],
      ["a value layer", () => withValue(background, contextKey("k"), 1)],
      ["a detached context", () => withoutCancel(withCancel(background)[0])],
      ["a context below a custom one", () => withCancel(new Independent())[0]],
    ];
    for (const [label, make] of [
      ...contexts,
      ["a custom context", () => new Delegating(background)],
    ] as typeof contexts) {
      test(`${label} as the second argument`, async () => {
        const task = pool.submit(background, "echo", ["first", make()]);
        const error = await failure(task.result);
        expect(error).toBeInstanceOf(PoolError);
        expect(error.code).toBe("ERR_NOT_CLONEABLE");
        expect(error.message).toContain('argument 2 of task "echo" is a context');
        expect(task.outcome).toBe("failed");
        await expectWhole(pool);
      });
    }
    for (const [label, make] of contexts) {
      test(`${label} inside an argument`, async () => {
        const task = pool.submit(background, "echo", ["first", { deep: [make()] }]);
        const error = await failure(task.result);
        expect(error.code).toBe("ERR_NOT_CLONEABLE");
        expect(error.message).toContain('argument 2 of task "echo"');
        expect(error.message).toMatch(/context/);
        expect(error.cause).toBeInstanceOf(Error);
        expect(task.outcome).toBe("failed");
        await expectWhole(pool);
      });
    }

    const values: [label: string, value: unknown][] = [
      ["a function", () => {}],
      ["a symbol", Symbol("s")],
      ["a nested function", { a: [{ fn() {} }] }],
      ["a promise", Promise.resolve()],
      ["a WeakMap", new WeakMap()],
      [
        "a getter that throws an error",
        {
          get x(): never {
            throw new RangeError("getter");
          },
        },
      ],
      [
        "a getter that throws what cannot be turned into a string",
        {
          get x(): never {
            throw Object.create(null);
          },
        },
      ],
      [
        "a getter that throws null",
        {
          get x(): never {
            throw null;
          },
        },
      ],
      ["a buffer that has been transferred away", detached()],
    ];
    for (const [label, value] of values) {
      test(label, async () => {
        const { started } = pool.stats();
        const task = pool.submit(background, "echo", ["fine", value]);
        const error = await failure(task.result);
        expect(error).toBeInstanceOf(PoolError);
        expect(error.code).toBe("ERR_NOT_CLONEABLE");
        expect(error.message).toContain('argument 2 of task "echo"');
        expect(task).toMatchObject({ state: "settled", outcome: "failed" });
        expect(pool.stats().started).toBe(started);
        await expectWhole(pool);
      });
    }

    test("something in the transfer list that cannot be transferred", async () => {
      for (const list of [[{}], [new Uint8Array(1)]]) {
        expect((await failure(pool.submit(background, "echo", [1], { transfer: list }).result)).code).toBe(
          "ERR_NOT_CLONEABLE",
        );
        await expectWhole(pool);
      }
    });

    test("a buffer in the transfer list that has moved away before", async () => {
      // Node 20 sends it, and the message cannot be read on the other side.
      for (const args of [[1], [detached()]]) {
        const { started } = pool.stats();
        const { buffer } = args[0] instanceof Uint8Array ? args[0] : detached();
        const task = pool.submit(background, "echo", args, { transfer: [buffer] });
        const error = await failure(task.result);
        expect(error).toMatchObject({ code: "ERR_NOT_CLONEABLE", cause: { name: "DataCloneError" } });
        expect(error.message).toContain('an argument of task "echo"');
        expect(task.outcome).toBe("failed");
        expect(pool.stats().started).toBe(started);
        await expectWhole(pool);
      }
      // An empty one that is there is as good as any other.
      const empty = new ArrayBuffer(0);
      expect(await pool.submit(background, "echo", [empty], { transfer: [empty] }).result).toEqual([empty]);
    });

    test("the same object twice in the transfer list", async () => {
      const { buffer } = new Uint8Array(8);
      const task = pool.submit(background, "echo", [1], { transfer: [buffer, buffer] });
      const outcome = await settled(task);
      if (outcome === "failed")
        expect(await failure(task.result)).toMatchObject({ code: "ERR_NOT_CLONEABLE" });
      else expect(await task.result).toEqual([1]);
      await expectWhole(pool);
    });

    test("cancelled in the same tick: dropped, and counted once", async () => {
      const task = pool.submit(background, "echo", [() => {}]);
      expect(task.state).toBe("running");
      task.cancel("never mind");
      expect(task.outcome).toBe("dropped");
      expect(await rejection(task.result)).toBe(task.ctx.err());
      await expectWhole(pool);
      expect(pool.stats().running).toBe(0);
    });
  });

  describe("shared values", () => {
    for (const [label, value] of [
      ["a function", () => {}],
      ["a context", background],
      ["an object with a function", { fn() {} }],
    ] as const) {
      test(`${label} cannot be sent: rejects, naming the key`, async () => {
        const key = sharedKey<unknown>("test.bad-value");
        const ctx = withValue(withValue(background, sharedKey("test.fine"), 1), key, value);
        const task = pool.submit(ctx, "echo", [1]);
        const error = await failure(task.result);
        expect(error).toBeInstanceOf(PoolError);
        expect(error.code).toBe("ERR_NOT_CLONEABLE");
        expect(error.message).toContain('shared key "test.bad-value"');
        expect(task.outcome).toBe("failed");
        await expectWhole(pool);
      });
    }

    test("one that is hidden by another does no harm", async () => {
      const key = sharedKey<unknown>("test.bad-value");
      const ctx = withValue(
        withValue(background, key, () => {}),
        key,
        "fine",
      );
      expect(await pool.run(ctx, "traced", "test.bad-value")).toEqual(["fine"]);
    });
  });

  test("a context whose methods throw rejects with what they throw, and the pool is whole", async () => {
    class Throwing extends Delegating {
      override err(): never {
        throw new RangeError("err is broken");
      }
    }
    const error = await failure(pool.run(new Throwing(background), "nothing"));
    expect(error.message).toBe("err is broken");
    await expectWhole(pool);
  });

  test("a context whose values throw rejects with what they throw, and the pool is whole", async () => {
    sharedKey("test.asked"); // there is at least one to ask for
    class Throwing extends Delegating {
      override value(): never {
        throw new RangeError("value is broken");
      }
    }
    expect((await failure(pool.run(new Throwing(background), "nothing"))).message).toBe("value is broken");
    await expectWhole(pool);
  });

  test("a context that cancels the task while it is being handed over: dropped", async () => {
    sharedKey("test.asked");
    const [inner, cancel] = withCancel(background);
    class Cancelling extends Delegating {
      override value(): undefined {
        cancel("from value");
      }
    }
    const log = threadGate();
    const task = pool.submit(new Cancelling(inner), "log", [log.view, 1]);
    expect(await failure(task.result)).toMatchObject({ code: "ABORT_ERR" });
    expect(task.outcome).toBe("dropped");
    await expectWhole(pool);
    expect(log.read(0)).toBe(0);
  });
});

function detached(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  return bytes;
}

describe("transfer", () => {
  test("throws for a value that is no object or a list that is none of objects", () => {
    for (const value of [1, "s", null, undefined]) {
      expect(thrown(() => transfer(value as never, [])).message).toMatch(/^transfer: value/);
    }
    for (const list of [undefined, null, 1, {}, [1], [null], "list"]) {
      const error = thrown(() => transfer({}, list as never));
      expect(error.code).toBe("ERR_INVALID_ARG");
      expect(error.message).toMatch(/^transfer: list/);
    }
  });
});

describe("withProcessSignal", () => {
  test("throws for no parent, no signal, or one that cannot be caught", () => {
    const before = process.eventNames();
    const bad: unknown[][] = [
      [],
      [null, "SIGINT"],
      [background],
      [background, "SIGKILL"],
      [background, "SIGSTOP"],
      [background, "SIGNOPE"],
      [background, "SIGINT", 2],
      [background, "constructor"],
    ];
    for (const args of bad) {
      const error = thrown(() => (withProcessSignal as (...args: unknown[]) => unknown)(...args));
      expect(error.code).toBe("ERR_INVALID_ARG");
      expect(error.message).toContain("withProcessSignal");
    }
    expect(process.eventNames()).toEqual(before);
  });
});

describe("task modules that cannot be loaded: ERR_TASK_MODULE, with the reason", () => {
  const modules: [label: string, url: string | URL, reason: RegExp][] = [
    ["does not exist", fixture("no-such-module.mjs"), /no-such-module/],
    ["does not exist, as a path", "/no/such/module.mjs", /module\.mjs/],
    ["throws while loading", fixture("throws-while-loading.mjs"), /not today/],
    ["has a syntax error", fixtureOf("export const a = ;", "syntax.mjs"), /Unexpected token/],
    ["exits while loading", fixture("exits-while-loading.mjs"), /exited with code 3/],
    ["throws null while loading", fixtureOf("throw null;", "null.mjs"), /null/],
    ["throws what cannot be cloned", fixtureOf("throw () => {};", "function.mjs"), /function/],
    [
      "throws what cannot be turned into a string",
      fixtureOf("throw { toString: 1 };", "hostile.mjs"),
      /cannot be loaded/,
    ],
    ["imports what does not exist", fixtureOf('import "./nowhere.mjs";', "imports.mjs"), /nowhere/],
    ["is a directory", fixture("."), /cannot be loaded/],
  ];
  for (const [label, url, reason] of modules) {
    test(label, async () => {
      const uncaught = await uncaughtDuring(async () => {
        await using pool = new Pool(url, { threads: 2 });
        const waiting = pool.submit(background, "anything", []);
        const result = failure(waiting.result);
        const ready = await failure(pool.ready());
        expect(ready).toBeInstanceOf(PoolError);
        expect(ready.code).toBe("ERR_TASK_MODULE");
        expect(ready.message).toMatch(reason);
        expect(ready).toHaveProperty("cause");
        expect((await result).code).toBe("ERR_TASK_MODULE");
        expect(waiting).toMatchObject({ state: "settled", outcome: "failed" });
        expect(await failure(pool.run(background, "anything"))).toMatchObject({ code: "ERR_TASK_MODULE" });
        expect(pool.stats()).toMatchObject({ threads: 0, queued: 0, running: 0 });
        expectBalanced(pool.stats());
      });
      expect(uncaught).toEqual([]);
    });
  }

  test("a module that is there at the second try: the pool comes up", async () => {
    const url = fixtureOf("export const nothing = () => 'late';", "late.mjs", false);
    await using pool = new Pool(url, { threads: 1 });
    expect(await failure(pool.ready())).toMatchObject({ code: "ERR_TASK_MODULE" });
    writeFileSync(url, "export const nothing = () => 'late';");
    // The next submissions are the occasion to try again.
    let value: unknown;
    while (value === undefined) {
      value = await pool.run(background, "nothing").catch(() => undefined);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    expect(value).toBe("late");
    await pool.ready();
  });

  test("a module without any function: every name is unknown, the pool is fine", async () => {
    await using pool = new Pool(fixtureOf("export const a = 1;", "none.mjs"), { threads: 1 });
    await pool.ready();
    const error = await failure(pool.run(background, "a"));
    expect(error.code).toBe("ERR_UNKNOWN_TASK");
    expect(error.message).toContain("none");
  });

  test("a CommonJS module's functions are tasks", async () => {
    await using pool = new Pool(
      fixtureOf("const t = {}; t['add' + ''] = (_ctx, a, b) => a + b; module.exports = t;", "common.cjs"),
      { threads: 1 },
    );
    expect(await pool.run(background, "add", 1, 2)).toBe(3);
  });

  test("a path with spaces and signs that mean something in URLs", async () => {
    const url = fixtureOf("export const nothing = () => 'found';", "with %20 #1 ?.mjs");
    for (const module of [url, url.href]) {
      await using pool = new Pool(module, { threads: 1 });
      expect(await pool.run(background, "nothing")).toBe("found");
    }
    await using pool = new Pool(decodeURIComponent(url.pathname), { threads: 1 });
    expect(await pool.run(background, "nothing")).toBe("found");
  });
});

let folder: string | undefined;

/** A module of its own, in a folder of this run. */
function fixtureOf(source: string, name: string, write = true): URL {
  folder ??= mkdtempSync(join(tmpdir(), "lifeguard-test-"));
  const path = join(folder, name);
  if (write) writeFileSync(path, source);
  const url = new URL("file://");
  url.pathname = path.replaceAll("%", "%25");
  return url;
}

test("a deadline that has passed is no reason for a task to wait for a module that does not load", async () => {
  await using pool = new Pool(fixture("never-loads.mjs"), { threads: 1 });
  const [ctx] = withTimeout(background, 1);
  const task = pool.submit(ctx, "anything", []);
  expect(await rejection(task.result)).toBe(ctx.err());
  expect(task.outcome).toBe("dropped");
  expect(await rejection(pool.ready(ctx))).toBe(ctx.err());
  await until(() => pool.stats().queued === 0);
});
