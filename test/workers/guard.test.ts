/** Code that is cut off, and what comes after it. The cuts here are V8's own timer's: which thread they come from is all the same. */
import { AsyncLocalStorage, executionAsyncId } from "node:async_hooks";
import { afterEach, describe, expect, test } from "vitest";
import { Guard } from "../../src/workers/guard.js";

const broken: string[] = [];
const exits: boolean[] = [];

function open(): Guard {
  const guard = Guard.open({
    isBeingCut: () => false,
    broken: () => broken.push("broken"),
    exiting: (isOwn) => exits.push(isOwn),
  });
  if (guard === undefined) throw new Error("there is no inspector here");
  return guard;
}

const others = process.listeners("exit");
const guard = open();
const [onExit] = process.listeners("exit").filter((listener) => !others.includes(listener));

afterEach(() => {
  expect(broken).toEqual([]);
});

function forever(): never {
  while (true);
}

describe("what runs to its end", () => {
  test("is called once, at once", () => {
    const calls: string[] = [];
    expect(guard.run(() => calls.push("work"))).toBe(true);
    expect(calls).toEqual(["work"]);
  });

  test("throws what it throws", () => {
    const error = new RangeError("my own");
    expect(() =>
      guard.run(() => {
        throw error;
      }),
    ).toThrow(error);
  });

  test("within the limit: the limit is forgotten", async () => {
    // Long enough to come to an end on a busy machine.
    const limit = 250;
    expect(guard.run(() => {}, limit)).toBe(true);
    const from = performance.now();
    while (performance.now() < from + limit + 50);
    await new Promise(setImmediate);
  });
});

describe("what is cut off", () => {
  test("ends where it is: what comes after it goes on, its finally blocks do not run", () => {
    const seen: string[] = [];
    const isOver = guard.run(() => {
      try {
        seen.push("begun");
        forever();
      } catch {
        seen.push("catch");
      } finally {
        seen.push("finally");
      }
    }, 5);
    seen.push("after");
    expect(isOver).toBe(false);
    expect(seen).toEqual(["begun", "after"]);
  });

  test("a hundred times in a row", () => {
    for (let i = 0; i < 100; i++) expect(guard.run(forever, 1)).toBe(false);
    expect(guard.run(() => {})).toBe(true);
  });

  test("within another one: the inner one is cut, the outer one goes on", () => {
    const seen: string[] = [];
    const outer = guard.run(() => {
      seen.push(String(guard.run(forever, 5)));
      seen.push("after the inner one");
    });
    expect(outer).toBe(true);
    expect(seen).toEqual(["false", "after the inner one"]);
  });

  test("leaves its async scope and its store behind", () => {
    const storage = new AsyncLocalStorage<string>();
    const id = executionAsyncId();
    const look = (): string | undefined => {
      let seen: string | undefined = "not asked";
      guard.run(() => {
        seen = storage.getStore();
      });
      return seen;
    };
    storage.run("mine", () => {
      expect(guard.run(() => storage.run("its", forever), 5)).toBe(false);
      expect(storage.getStore()).toBe("mine");
      expect(look()).toBeUndefined();
    });
    expect(executionAsyncId()).toBe(id);
    // One that is entered for good, in the inner of two.
    guard.run(() => {
      const isOver = guard.run(() => {
        storage.enterWith("its");
        forever();
      }, 5);
      expect(isOver).toBe(false);
      expect(look()).toBeUndefined();
    });
    expect(look()).toBeUndefined();
  });

  test("what entered a store for good, and came to its end, leaves it behind as well", () => {
    const storage = new AsyncLocalStorage<string>();
    let seen: string | undefined = "not asked";
    guard.run(() => storage.enterWith("its"));
    guard.run(() => {
      seen = storage.getStore();
    });
    expect(seen).toBeUndefined();
  });

  test("leaves errors their stack frames", () => {
    const { stackTraceLimit } = Error;
    guard.run(() => {
      Error.stackTraceLimit = 0;
      forever();
    }, 5);
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
  });
});

test("a call of process.exit is told of before anybody else hears of it, and known from then on", () => {
  expect(process.listeners("exit")[0]).toBe(onExit);
  expect([guard.isLeaving, exits]).toEqual([false, []]);
  onExit?.(0);
  expect([guard.isLeaving, exits]).toEqual([true, [false]]);
});
