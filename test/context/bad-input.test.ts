import { describe, expect, test, vi } from "vitest";
import {
  afterFunc,
  background,
  cause,
  contextKey,
  first,
  Group,
  race,
  remaining,
  sharedKey,
  sleep,
  withCancel,
  withDeadline,
  withoutCancel,
  withSignal,
  withTimeout,
  withValue,
} from "../../src/context/index.js";
import { settles, turn } from "../support/turn.js";
import { uncaughtDuring } from "../support/uncaught.js";

const key = contextKey<unknown>("key");
const { signal } = new AbortController();
const fn = () => undefined;
const pending = new Promise(fn);

/** What is no context, and how a message shows what it got (where there is one way to show it). */
const noContexts: [value: unknown, shown: string][] = [
  [undefined, "undefined"],
  [null, "null"],
  ["background", '"background"'],
  [42, "42"],
  [true, "true"],
  [Symbol("ctx"), "Symbol(ctx)"],
  [{}, ""],
  [[], ""],
  [fn, ""],
  [signal, "AbortSignal"],
  [new AbortController(), "AbortController"],
  [Promise.resolve(), "Promise"],
  [{ done: fn, err: fn }, ""],
  [withCancel(background), ""], // the pair instead of its first
];
const noNumbers: [value: unknown, shown: string][] = [
  [undefined, "undefined"],
  [null, "null"],
  [Number.NaN, "NaN"],
  ["1000", '"1000"'],
  [1000n, "1000n"],
  [{}, ""],
  [[1000], ""],
  [fn, ""],
];
const noTimes: [value: unknown, shown: string][] = [
  ...noNumbers,
  [new Date(Number.NaN), "Date"],
  ["2030-01-01", '"2030-01-01"'],
];
const noFunctions: [value: unknown, shown: string][] = [
  [undefined, "undefined"],
  [null, "null"],
  ["fn", '"fn"'],
  [1, "1"],
  [{}, ""],
  [Promise.resolve(), "Promise"],
];
const noKeys: [value: unknown, shown: string][] = [
  [undefined, "undefined"],
  [null, "null"],
  ["key", '"key"'],
  [1, "1"],
  [{}, ""],
  [fn, ""],
];
const noNames: [value: unknown, shown: string][] = [
  [undefined, "undefined"],
  [null, "null"],
  [1, "1"],
  [{}, ""],
  [Symbol("name"), "Symbol(name)"],
];
const noSignals: [value: unknown, shown: string][] = [
  [undefined, "undefined"],
  [null, "null"],
  ["abort", '"abort"'],
  [{}, ""],
  [{ aborted: false }, ""],
  [{ aborted: false, addEventListener: fn }, ""],
  [{ aborted: false, removeEventListener: fn }, ""],
  [new AbortController(), "AbortController"],
  [new EventTarget(), "EventTarget"],
];
const noPromises: [value: unknown, shown: string][] = [
  [undefined, "undefined"],
  [null, "null"],
  [42, "42"],
  [{}, ""],
  [fn, ""],
];
const noIterables: [value: unknown, shown: string][] = [
  [undefined, "undefined"],
  [null, "null"],
  [42, "42"],
  [{}, ""],
  ["", '""'],
  [fn, ""], // a function instead of a list of one
  [{ [Symbol.iterator]: 1 }, ""],
];
const noOptions: [value: unknown, shown: string][] = [
  [null, "null"],
  [3, "3"],
  ["3", '"3"'],
];
const noLimits: [value: unknown, shown: string][] = [
  [Number.NaN, "NaN"],
  ["3", '"3"'],
  [null, "null"],
  [1.5, "1.5"],
  [3n, "3n"],
  [{}, ""],
];

/** Every public function, every argument of it, and what is wrong there. */
const table: [name: string, argument: string, bad: [unknown, string][], call: (value: never) => unknown][] = [
  ["withCancel", "parent", noContexts, (value) => withCancel(value)],
  ["withTimeout", "parent", noContexts, (value) => withTimeout(value, 1000)],
  ["withTimeout", "ms", noNumbers, (value) => withTimeout(background, value)],
  ["withDeadline", "parent", noContexts, (value) => withDeadline(value, 1000)],
  ["withDeadline", "when", noTimes, (value) => withDeadline(background, value)],
  ["withValue", "parent", noContexts, (value) => withValue(value, key, 1)],
  ["withValue", "key", noKeys, (value) => withValue(background, value, 1)],
  ["withoutCancel", "parent", noContexts, (value) => withoutCancel(value)],
  ["withSignal", "parent", noContexts, (value) => withSignal(value, signal)],
  ["withSignal", "signal", noSignals, (value) => withSignal(background, value)],
  ["cause", "ctx", noContexts, (value) => cause(value)],
  ["afterFunc", "ctx", noContexts, (value) => afterFunc(value, fn)],
  ["afterFunc", "fn", noFunctions, (value) => afterFunc(background, value)],
  ["contextKey", "name", noNames, (value) => contextKey(value)],
  ["sharedKey", "name", noNames, (value) => sharedKey(value)],
  ["remaining", "ctx", noContexts, (value) => remaining(value)],
  ["Group", "parent", noContexts, (value) => new Group(value)],
  ["Group", "options", noOptions, (value) => new Group(background, value)],
  ["Group", "limit", noLimits, (value) => new Group(background, { limit: value })],
  ["tryGo", "fn", noFunctions, (value) => new Group(background).tryGo(value)],
  ["value", "key", noKeys, (value) => withCancel(background)[0].value(value)],
];
const promising: [
  name: string,
  argument: string,
  bad: [unknown, string][],
  call: (value: never) => Promise<unknown>,
][] = [
  ["sleep", "ctx", noContexts, (value) => sleep(value, 1000)],
  ["sleep", "ms", noNumbers, (value) => sleep(background, value)],
  ["race", "ctx", noContexts, (value) => race(value, pending)],
  ["race", "promise", noPromises, (value) => race(background, value)],
  ["first", "ctx", noContexts, (value) => first(value, [fn])],
  ["first", "fns", noIterables, (value) => first(background, value)],
  ["first: fns[0]", "fn", noFunctions, (value) => first(background, [value, fn])],
  ["first: fns[1]", "fn", noFunctions, (value) => first(background, [fn, value])],
  ["go", "fn", noFunctions, (value) => new Group(background).go(value)],
  ["go", "fn", noFunctions, (value) => new Group(background, { limit: 0 }).go(value)],
];

function describeBad(value: unknown, shown: string): string {
  return shown === "" ? Object.prototype.toString.call(value) : shown;
}

/** The error that says: this function, this argument, what it expected, what it got. */
function expectInvalid(error: unknown, name: string, argument: string, shown: string): void {
  expect(error).toBeInstanceOf(TypeError);
  expect(error).toMatchObject({ name: "TypeError", code: "ERR_INVALID_ARG" });
  const { message } = error as Error;
  const where = message.slice(0, message.indexOf(": expected "));
  expect(where).toContain(name);
  expect(where).toContain(argument);
  expect(message).toMatch(/expected .+, got .+/);
  expect(message.slice(message.indexOf("got "))).toContain(shown);
}

describe("functions throw at once", () => {
  for (const [name, argument, bad, call] of table) {
    test(`${name} refuses ${argument}: ${bad.map(([value, shown]) => describeBad(value, shown)).join(", ")}`, () => {
      for (const [value, shown] of bad) {
        let thrown: unknown;
        try {
          call(value as never);
        } catch (error) {
          thrown = error;
        }
        expectInvalid(thrown, name, argument, shown);
      }
    });
  }
});

describe("functions that return promises reject", () => {
  for (const [name, argument, bad, call] of promising) {
    test(`${name} refuses ${argument}: ${bad.map(([value, shown]) => describeBad(value, shown)).join(", ")}`, async () => {
      for (const [value, shown] of bad) {
        const promise = call(value as never);
        expect(promise).toBeInstanceOf(Promise);
        expect(await settles(promise)).toBe(true);
        const error: unknown = await promise.catch((reason: unknown) => reason);
        expectInvalid(error, name, argument, shown);
      }
    });
  }
});

describe("a message shows what was given so that it is known again", () => {
  const messageOf = (call: () => unknown): string => {
    try {
      call();
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error("it was taken");
  };

  test("a string of up to 60 characters whole, a longer one by its beginning", () => {
    const of = (text: string) => messageOf(() => withCancel(text as never));
    expect(of("x".repeat(60))).toMatch(/, got "x{60}"$/);
    expect(of("x".repeat(61))).toMatch(/, got "x{57}"…$/);
    expect(of(`a "quoted"\n${"x".repeat(100_000)}`)).toMatch(/, got "a \\"quoted\\"\\nx{46}"…$/);
  });

  test("minus zero as what it is", () => {
    expect(messageOf(() => withCancel(-0 as never))).toMatch(/, got -0$/);
    expect(messageOf(() => withCancel(0 as never))).toMatch(/, got 0$/);
  });

  test("a date by its time, and one that is none as invalid", () => {
    expect(messageOf(() => withTimeout(background, new Date(0) as never))).toMatch(
      /, got the date 1970-01-01T00:00:00\.000Z$/,
    );
    expect(messageOf(() => withDeadline(background, new Date(Number.NaN)))).toMatch(/, got an invalid Date$/);
  });

  test("a list by its length, and a function as one", () => {
    expect(messageOf(() => withCancel([1, 2, 3] as never))).toMatch(/, got an array of 3$/);
    expect(messageOf(() => withCancel(fn as never))).toMatch(/, got a function$/);
  });

  test("an object without a class, or of one without a name, as an object", () => {
    for (const value of [
      Object.create(null),
      new (class {
        held = 1;
      })(),
    ])
      expect(messageOf(() => withCancel(value as never))).toMatch(/, got an object$/);
  });
});

test("an object that looks like a context and throws when looked at is refused with the same error", () => {
  const trap = new Proxy(
    {},
    {
      get: () => {
        throw new Error("trapped");
      },
    },
  );
  let thrown: unknown;
  try {
    withCancel(trap as never);
  } catch (error) {
    thrown = error;
  }
  expectInvalid(thrown, "withCancel", "parent", "an object");
});

test("a bad argument does nothing: no registration, no timer, no function is started", async () => {
  const [ctx, cancel] = withCancel(background);
  const group = new Group(ctx);
  expect(() => afterFunc(ctx, undefined as never)).toThrow(TypeError);
  await expect(sleep(ctx, Number.NaN)).rejects.toThrow(TypeError);
  expect(() => group.tryGo(1 as never)).toThrow(TypeError);
  expect(group.ctx.err()).toBeUndefined();
  const called = vi.fn();
  await expect(first(ctx, [called, 1 as never])).rejects.toThrow(TypeError);
  expect(called).not.toHaveBeenCalled();
  cancel();
  expect(await uncaughtDuring(turn)).toEqual([]);
});

test("go's rejection for a bad argument is handled, as all of its rejections are", async () => {
  const uncaught = await uncaughtDuring(() => {
    void new Group(background).go("no function" as never);
  });
  expect(uncaught).toEqual([]);
});
