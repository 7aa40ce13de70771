import { describe, expect, test, vi } from "vitest";
import {
  background,
  CanceledError,
  ContextError,
  cause,
  DeadlineExceededError,
  isContextError,
  withCancel,
  withSignal,
  withTimeout,
} from "../../src/context/index.js";
import { canceledError, errorOf, expiredError } from "../support/contexts.js";

test("3. the error is a CanceledError after cancel() and a DeadlineExceededError after the deadline, nothing else", () => {
  const canceled = canceledError();
  const expired = expiredError();
  expect(canceled).toBeInstanceOf(CanceledError);
  expect(canceled).not.toBeInstanceOf(DeadlineExceededError);
  expect(expired).toBeInstanceOf(DeadlineExceededError);
  expect(expired).not.toBeInstanceOf(CanceledError);
  for (const err of [canceled, expired]) {
    expect(err).toBeInstanceOf(ContextError);
    expect(err).toBeInstanceOf(Error);
  }
});

test("7. the class and the code are what to compare, with and without a cause; per context the object is stable", () => {
  for (const reason of [undefined, "why", new Error("why")]) {
    const [ctx, cancel] = withCancel(background);
    cancel(reason);
    expect(ctx.err()).toBeInstanceOf(CanceledError);
    expect(ctx.err()?.code).toBe("ABORT_ERR");
    expect(ctx.err()).toBe(ctx.err());
    const [late] = withTimeout(background, 0, reason);
    expect(late.err()).toBeInstanceOf(DeadlineExceededError);
    expect(late.err()?.code).toBe("ERR_DEADLINE_EXCEEDED");
    expect(late.err()).toBe(late.err());
  }
});

test("8. a CanceledError is an AbortError, a DeadlineExceededError a TimeoutError, as the platform's own", () => {
  expect(canceledError()).toMatchObject({
    name: "AbortError",
    code: "ABORT_ERR",
    message: "context canceled",
  });
  expect(expiredError()).toMatchObject({
    name: "TimeoutError",
    code: "ERR_DEADLINE_EXCEEDED",
    message: "context deadline exceeded",
  });
  expect(String(canceledError())).toBe("AbortError: context canceled");
  expect(String(expiredError())).toBe("TimeoutError: context deadline exceeded");
});

test("8. a signal's abort cancels: it is no timeout, even when its reason is one", () => {
  const timeout = new DOMException("signal timed out", "TimeoutError");
  expect(errorOf(withSignal(background, AbortSignal.abort(timeout))[0]).name).toBe("AbortError");
});

test("the class names are what people see in a debugger", () => {
  expect([ContextError.name, CanceledError.name, DeadlineExceededError.name]).toEqual([
    "ContextError",
    "CanceledError",
    "DeadlineExceededError",
  ]);
});

test("errors carry no stack frames, and making one does not change how other errors do", () => {
  const limit = Error.stackTraceLimit;
  try {
    for (const own of [limit, 7, 0]) {
      Error.stackTraceLimit = own;
      for (const [err, first] of [
        [canceledError(), "AbortError: context canceled"],
        [canceledError("why"), "AbortError: context canceled"],
        [expiredError(), "TimeoutError: context deadline exceeded"],
      ] as const) {
        expect(err.stack ?? first).toBe(first);
      }
      expect(Error.stackTraceLimit).toBe(own);
    }
  } finally {
    Error.stackTraceLimit = limit;
  }
  expect(new Error("other").stack).toMatch(/\n\s+at /);
});

test("name and code are the class's, as the platform's name is: not listed with an error's own, and free to be set", () => {
  const platforms = Object.getOwnPropertyDescriptor(Error.prototype, "name");
  for (const err of [canceledError(), expiredError()]) {
    for (const key of ["name", "code"] as const)
      expect(Object.getOwnPropertyDescriptor(Object.getPrototypeOf(err), key)).toEqual({
        ...platforms,
        value: err[key],
      });
  }
});

test("an error can be serialized by console.log and JSON without failing", () => {
  const err = canceledError({ some: "cause" });
  expect(() => JSON.stringify(err)).not.toThrow();
  expect(Object.keys(err)).toEqual([]);
});

describe("isContextError", () => {
  test("it is true for the errors of contexts", () => {
    for (const err of [canceledError(), canceledError("why"), expiredError()])
      expect(isContextError(err)).toBe(true);
  });

  test("it is false for everything else, look-alikes included, and never throws", () => {
    const lookAlike = Object.assign(new Error("context canceled"), { name: "AbortError", code: "ABORT_ERR" });
    const others = [
      undefined,
      null,
      0,
      "",
      "AbortError",
      true,
      {},
      [],
      () => 1,
      Symbol("s"),
      1n,
      new Error("x"),
      lookAlike,
      Object.assign(() => 1, { [Symbol.for("lifeguard.ContextError")]: true }),
    ];
    for (const other of [
      ...others,
      new DOMException("aborted", "AbortError"),
      AbortSignal.abort().reason,
      Object.create(null),
    ]) {
      expect(isContextError(other), typeof other).toBe(false);
    }
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const trap = new Proxy(
      {},
      {
        get: () => {
          throw new Error("trapped");
        },
      },
    );
    expect(isContextError(proxy)).toBe(false);
    expect(isContextError(trap)).toBe(false);
  });

  test("it is false for a cause that is no ContextError and true for one that is", () => {
    const [ctx, cancel] = withCancel(background);
    cancel(new Error("why"));
    expect(isContextError(cause(ctx))).toBe(false);
    const [other, cancelOther] = withCancel(background);
    cancelOther(ctx.err());
    expect(isContextError(cause(other))).toBe(true);
  });

  test("it goes by brand: two copies of the library know each other's errors", async () => {
    vi.resetModules();
    const copy = await import("../../src/context/index.js");
    expect(copy.ContextError).not.toBe(ContextError);
    const [theirs, cancelTheirs] = copy.withCancel(copy.background);
    cancelTheirs("why");
    const err = theirs.err();
    expect(err).not.toBeInstanceOf(ContextError);
    expect(isContextError(err)).toBe(true);
    expect(isContextError(copy.withTimeout(copy.background, 0)[0].err())).toBe(true);
    expect(copy.isContextError(canceledError())).toBe(true);
    expect(copy.isContextError(expiredError())).toBe(true);
    expect(copy.isContextError(new Error("x"))).toBe(false);
  });
});
