/** The record of how a context ended. */
import { afterEach, describe, expect, test } from "vitest";
import { Ending, plainEnding, prepareEnding, recordCancelStacks } from "../../src/context/ending.js";
import { CanceledError } from "../../src/context/errors.js";
import { background, withCancel } from "../../src/context/index.js";

afterEach(() => {
  recordCancelStacks(false);
});

function frames(ending: Ending): number {
  return (ending.error().stack ?? "").split("\n").filter((line) => /^\s+at /.test(line)).length;
}

/** How many errors without frames are made in there: before each the limit is set to 0. */
function madeIn(act: () => void): number {
  const { stackTraceLimit } = Error;
  let made = 0;
  Object.defineProperty(Error, "stackTraceLimit", {
    get: () => stackTraceLimit,
    set(limit: number) {
      if (limit === 0) made++;
    },
    configurable: true,
  });
  try {
    act();
  } finally {
    Object.defineProperty(Error, "stackTraceLimit", {
      value: stackTraceLimit,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return made;
}

describe("recordCancelStacks", () => {
  test("errors carry the stack of the call that ended the context, and none when it is off again", () => {
    const [ctx, cancel] = withCancel(background);
    recordCancelStacks(true);
    (function whoCancels() {
      cancel("why");
    })();
    recordCancelStacks(false);
    expect(ctx.err()?.stack).toContain("whoCancels");
    expect(ctx.err()?.cause).toBe("why");
    expect(frames(new Ending(false, "why"))).toBe(0);
  });

  test("an error that there is already stays", () => {
    recordCancelStacks(true);
    const error = new CanceledError();
    expect(new Ending(false, undefined, error).error()).toBe(error);
  });
});

test("what was given is told as it was given, also nothing", () => {
  expect(new Ending(false, "why").given()).toBe("why");
  expect(new Ending(true, null).given()).toBe(null);
  expect(new Ending(false, undefined).given()).toBe(undefined);
});

test("the ending made beforehand serves one cancellation, and is made once", () => {
  prepareEnding();
  prepareEnding();
  const [first, second] = [plainEnding(), plainEnding()];
  expect(second).not.toBe(first);
  expect(first.error()).toBeInstanceOf(CanceledError);
  for (const each of [first, second])
    expect([each.expired, each.given(), each.cause()]).toEqual([false, undefined, each.error()]);
});

test("the ending made beforehand has its error, which is then there when it is asked for", () => {
  plainEnding(); // whatever there was
  expect(
    madeIn(() => {
      prepareEnding();
      prepareEnding();
    }),
  ).toBe(1);
  expect(madeIn(() => plainEnding().error())).toBe(0);
  expect(madeIn(() => plainEnding().error())).toBe(1);
});

test("where somebody has frozen Error, an error has its frames and is made all the same", () => {
  const { stackTraceLimit } = Error;
  const set = (writable: boolean): unknown =>
    Object.defineProperty(Error, "stackTraceLimit", { value: stackTraceLimit, writable, configurable: true });
  set(false);
  try {
    expect(frames(new Ending(false, undefined))).toBeGreaterThan(0);
  } finally {
    set(true);
  }
});
