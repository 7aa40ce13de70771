/** Errors and causes on their way to another thread and back. */
import { describe, expect, test } from "vitest";
import { CanceledError, ContextError, DeadlineExceededError } from "../../src/context/errors.js";
import { type Carried, carry, unpack } from "../../src/workers/carry.js";

/** There and back, through what a MessagePort does to it. */
const cross = (value: unknown): unknown => unpack(structuredClone(carry(value)));

class OrderError extends RangeError {
  readonly code = "E_ORDER";
  readonly order = { id: 7 };
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "OrderError";
  }
}
class Unnamed extends Error {}

describe("an error", () => {
  test("keeps class name, built-in class, message, code, own properties and stack", () => {
    const error = new OrderError("too many");
    const got = cross(error) as OrderError;
    expect(got).toBeInstanceOf(RangeError);
    expect(got).toMatchObject({ name: "OrderError", message: "too many", code: "E_ORDER", order: { id: 7 } });
    expect(got.constructor.name).toBe("OrderError");
    expect(got.stack).toBe(error.stack);
  });

  test("of a class that never set its name shows the class's, in the stack too", () => {
    const got = cross(new Unnamed("no name")) as Error;
    expect(got.name).toBe("Unnamed");
    expect(got.stack).toMatch(/^Unnamed: no name\n/);
    expect(String(got)).toBe("Unnamed: no name");
  });

  test.each([Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError])(
    "%o arrives as itself",
    (Class) => {
      const got = cross(new Class("plain")) as Error;
      expect(Object.getPrototypeOf(got)).toBe(Class.prototype);
      expect(got.message).toBe("plain");
    },
  );

  test("keeps its chain of causes", () => {
    const got = cross(new Error("outer", { cause: new OrderError("inner", { cause: "why" }) })) as Error;
    expect(got.cause).toMatchObject({ name: "OrderError", code: "E_ORDER", cause: "why" });
  });

  test("with itself as its cause arrives, cut", () => {
    const error = new Error("loop");
    error.cause = error;
    let depth = 0;
    for (let at = cross(error); at instanceof Error; at = at.cause) depth++;
    expect(depth).toBeGreaterThan(1);
    expect(depth).toBeLessThan(100);
  });

  test("of several keeps all of them", () => {
    const got = cross(new AggregateError([new TypeError("one"), 2], "both")) as AggregateError;
    expect(got).toBeInstanceOf(AggregateError);
    expect(got.message).toBe("both");
    expect(got.errors[0]).toBeInstanceOf(TypeError);
    expect(got.errors[1]).toBe(2);
  });

  test("loses only the properties that cannot be cloned", () => {
    const error = Object.assign(new Error("mixed"), {
      kept: [1],
      lost: () => 1,
      also: { deep: Symbol("no") },
    });
    const got = cross(error) as Error & Record<string, unknown>;
    expect(got.kept).toEqual([1]);
    expect(got).not.toHaveProperty("lost");
    expect(got).not.toHaveProperty("also");
  });

  test("that is a DOMException stays one", () => {
    const got = cross(new DOMException("gone", "NotFoundError")) as DOMException;
    expect(got).toBeInstanceOf(DOMException);
    expect(got).toMatchObject({ name: "NotFoundError", message: "gone", code: 8 });
  });

  test("with an own property where its class has only a getter arrives all the same", () => {
    const error = Object.defineProperty(new DOMException("gone", "NotFoundError"), "code", {
      value: "E_OWN",
      enumerable: true,
    });
    expect(cross(error)).toMatchObject({ name: "NotFoundError", message: "gone", code: "E_OWN" });
  });

  test("of a context is an instance of the same class again, with its cause", () => {
    const canceled = cross(new CanceledError({ cause: "left" }));
    expect(canceled).toBeInstanceOf(CanceledError);
    expect(canceled).toMatchObject({
      name: "AbortError",
      code: "ABORT_ERR",
      message: "context canceled",
      cause: "left",
    });
    const expired = cross(new DeadlineExceededError());
    expect(expired).toBeInstanceOf(DeadlineExceededError);
    expect(expired).toMatchObject({ name: "TimeoutError", code: "ERR_DEADLINE_EXCEEDED" });
    expect(expired).not.toHaveProperty("cause");
    expect(cross(new ContextError("other"))).toBeInstanceOf(ContextError);
  });

  test("whose getters throw has a stand-in", () => {
    const error = new Error("hostile");
    Object.defineProperty(error, "message", {
      get() {
        throw new Error("no");
      },
    });
    expect(cross(error)).toBeInstanceOf(TypeError);
  });

  test("whose prototype names no class is one of the nearest class behind it that does", () => {
    const error = Object.setPrototypeOf(
      new RangeError("far"),
      Object.create(OrderError.prototype) as object,
    ) as Error;
    const got = cross(error) as Error;
    expect(got).toBeInstanceOf(RangeError);
    expect(got.constructor.name).toBe("OrderError");
    expect(got.message).toBe("far");
  });

  test("of a class without a name is one of the built-in class behind it", () => {
    const got = cross(new (class extends TypeError {})("nameless")) as Error;
    expect(Object.getPrototypeOf(got)).toBe(TypeError.prototype);
    expect(String(got)).toBe("TypeError: nameless");
  });

  test("with a prototype from elsewhere is an error there, of a class of that name", () => {
    class Elsewhere {
      readonly name: string = "Elsewhere";
    }
    const error = Object.setPrototypeOf(new RangeError("moved"), Elsewhere.prototype) as object;
    const got = cross(Object.assign(error, new Elsewhere())) as Error;
    expect(got).toBeInstanceOf(Error);
    expect(got.constructor.name).toBe("Elsewhere");
    expect(String(got)).toBe("Elsewhere: moved");
  });

  test("without a prototype is a plain Error there", () => {
    const got = cross(Object.setPrototypeOf(new RangeError("bare"), null)) as Error;
    expect(Object.getPrototypeOf(got)).toBe(Error.prototype);
    expect(got.message).toBe("bare");
  });

  test("is of a class of the same name, however many names are made up at run time", () => {
    const names = Array.from({ length: 300 }, (_, i) => `Made${String(i)}`);
    const made = names.map(
      (name) => new (({ [name]: class extends RangeError {} })[name] as typeof RangeError)(),
    );
    const got = made.map(cross) as Error[];
    expect(got.map((error) => error.constructor.name)).toEqual(names);
    for (const error of got) expect(error).toBeInstanceOf(RangeError);
  });

  test("said to be of a built-in class that there is none of is an Error of that name", () => {
    const carried = carry(new OrderError("odd")) as Carried & { type: "error" };
    const got = unpack({ ...carried, base: "NoSuchError" }) as Error;
    expect(got).toBeInstanceOf(Error);
    expect(got).not.toBeInstanceOf(RangeError);
    expect(got.constructor.name).toBe("OrderError");
    expect(got.message).toBe("odd");
  });

  test("with a name and a message that are no strings arrives with texts", () => {
    const got = cross(Object.assign(new Error(), { name: 5, message: { a: 1 } })) as Error;
    expect(typeof got.name).toBe("string");
    expect(got.message).toBe("a plain object");
  });
});

describe("anything else", () => {
  test.each([undefined, null, 0, -0, Number.NaN, "", "text", 10n, true])("%o is itself", (value) => {
    expect(cross(value)).toBe(value);
  });

  test("that is cloneable is a clone", () => {
    const value = { list: [1, new Map([["a", new Date(5)]])] };
    expect(cross(value)).toEqual(value);
    expect(cross(value)).not.toBe(value);
  });

  test.each([() => 1, Symbol("s"), { inside: () => 1 }, new WeakMap()])(
    "that is not has a stand-in that says so: %o",
    (value) => {
      const got = cross(value);
      expect(got).toBeInstanceOf(TypeError);
      expect((got as Error).message).toMatch(/could not be cloned/);
    },
  );

  test.each<[why: string, thrown: unknown]>([
    ["not now", new Error("not now")],
    ['"a text"', "a text"],
    ["undefined", undefined],
    ["an instance of Error", Object.assign(new Error(), { message: 5 })],
    [
      "an error that cannot be read",
      Object.defineProperty(new Error(), "message", {
        get() {
          throw new Error("no");
        },
      }),
    ],
  ])("that throws while it is cloned has a stand-in that says why: %s", (why, thrown) => {
    const value = {
      get part() {
        throw thrown;
      },
    };
    expect(cross(value)).toMatchObject({
      name: "TypeError",
      message: `a plain object could not be cloned to another thread: ${why}`,
    });
  });
});
