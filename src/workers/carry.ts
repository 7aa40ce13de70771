/**
 * Errors and causes on their way to another thread. Structured clone drops an error's class, `code` and properties, and
 * fails as a whole for one part it cannot clone: what is carried here can always be posted.
 */
import { CanceledError, ContextError, DeadlineExceededError, isContextError } from "../context/errors.js";
import { describe, reasonOf } from "../context/invalid.js";

/** A value that is safe to post. */
export type Carried =
  | { readonly type: "value"; readonly value: unknown }
  | {
      readonly type: "error";
      /** The built-in class it is an instance of. */
      readonly base: string;
      /** The name of its own class. */
      readonly className: string;
      readonly name: string;
      readonly message: string;
      readonly stack: string | undefined;
      readonly context: "canceled" | "expired" | "other" | undefined;
      readonly cause: Carried | undefined;
      /** An AggregateError's. */
      readonly errors: readonly Carried[] | undefined;
      readonly own: Readonly<Record<string, unknown>>;
    };

/** Deeper chains of causes are cut: nobody reads them, and a cycle has no end. */
const MAX_DEPTH = 16;

/** Errors that one may bring along in all: of an AggregateError that holds itself there are as many more at each level. */
const MAX_ERRORS = 10_000;

/** What is left of it. */
interface Budget {
  errors: number;
}

const builtIns = new Map<string, new (message?: string) => Error>(
  [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError].map((base) => [
    base.name,
    base,
  ]),
);

/** Makes `value` safe to post. Never throws, whatever the value does; calls its getters. */
export function carry(value: unknown): Carried {
  return carryPart(value, 0, { errors: MAX_ERRORS });
}

function carryPart(value: unknown, depth: number, budget: Budget): Carried {
  try {
    if (isError(value)) return carryError(value, depth, budget);
    return { type: "value", value: structuredClone(value) };
  } catch (reason) {
    return carryError(
      new TypeError(`${describe(value)} could not be cloned to another thread: ${reasonOf(reason)}`),
      depth,
      budget,
    );
  }
}

function isError(value: unknown): value is Error {
  if (value instanceof Error) return true;
  // One of another realm, `node:vm`'s perhaps: the tag is the engine's own, unless the object brings one.
  return (
    typeof value === "object" &&
    value !== null &&
    !(Symbol.toStringTag in value) &&
    Object.prototype.toString.call(value) === "[object Error]"
  );
}

function carryError(error: Error, depth: number, budget: Budget): Carried {
  budget.errors--;
  const { base, className } = classOf(error);
  const own: Record<string, unknown> & { code?: unknown } = {};
  for (const key of Object.keys(error)) {
    if (isKnown(key)) continue;
    const held = read(error, key);
    if (held !== undefined) own[key] = held.value;
  }
  // Not own on Node's errors and some classes, and too useful to lose.
  const code = (error as { code?: unknown }).code;
  if (!("code" in own) && (typeof code === "string" || typeof code === "number") && base !== "DOMException")
    own.code = code;
  const errors = (error as { errors?: unknown }).errors;
  return {
    type: "error",
    base,
    className,
    name: text(error.name),
    message: text(error.message),
    stack: typeof error.stack === "string" ? error.stack : undefined,
    context: contextKind(error),
    cause:
      "cause" in error && depth < MAX_DEPTH && budget.errors > 0
        ? carryPart(error.cause, depth + 1, budget)
        : undefined,
    errors: Array.isArray(errors) && depth < MAX_DEPTH ? carryAll(errors, depth + 1, budget) : undefined,
    own,
  };
}

function carryAll(values: readonly unknown[], depth: number, budget: Budget): Carried[] {
  const carried: Carried[] = [];
  for (const value of values) {
    if (budget.errors <= 0) break;
    carried.push(carryPart(value, depth, budget));
  }
  return carried;
}

/** What has a place of its own, and what would set a prototype wherever somebody copies the error. */
function isKnown(key: string): boolean {
  switch (key) {
    case "cause":
    case "errors":
    case "stack":
    case "message":
    case "name":
    case "__proto__":
      return true;
    default:
      return false;
  }
}

/** A property's value, cloned; undefined for none, and for one that cannot be. */
function read(error: Error, key: string): { readonly value: unknown } | undefined {
  try {
    return { value: structuredClone((error as unknown as Record<string, unknown>)[key]) };
  } catch {
    return undefined;
  }
}

/** Nothing says that an error's name and message are strings. */
function text(value: unknown): string {
  return typeof value === "string" ? value : describe(value);
}

function contextKind(error: Error): "canceled" | "expired" | "other" | undefined {
  if (!isContextError(error)) return undefined;
  if (error.code === "ABORT_ERR") return "canceled";
  return error.code === "ERR_DEADLINE_EXCEEDED" ? "expired" : "other";
}

function classOf(error: Error): { base: string; className: string } {
  let className = "";
  for (
    let proto: object | null = Object.getPrototypeOf(error) as object | null;
    proto !== null;
    proto = Object.getPrototypeOf(proto) as object | null
  ) {
    const name = Object.hasOwn(proto, "constructor")
      ? ((proto as { constructor?: { name?: unknown } }).constructor?.name as string)
      : "";
    if (className === "" && typeof name === "string") className = name;
    if (name === "DOMException" || name === "AggregateError" || builtIns.has(name))
      return { base: name, className: className === "" ? name : className };
  }
  return { base: "Error", className: className === "" ? "Error" : className };
}

/**
 * The value again, on the other thread; errors as instances of a class of the same name. Never throws, and takes a bounded time: what
 * `carry` has not made, a thread whose built-ins somebody has replaced, has a stand-in.
 */
export function unpack(carried: Carried): unknown {
  try {
    return unpackPart(carried, 0, { errors: 2 * MAX_ERRORS });
  } catch (cause) {
    return new TypeError("what came from another thread cannot be read", { cause });
  }
}

function unpackPart(carried: Carried, depth: number, budget: Budget): unknown {
  if (carried.type === "value") return carried.value;
  if (depth > MAX_DEPTH + 1 || budget.errors-- <= 0) throw new RangeError("there are too many errors in it");
  const error = instantiate(carried, depth, budget);
  if (carried.stack !== undefined) hidden(error, "stack", withName(carried.stack, carried.name, error.name));
  if (carried.cause !== undefined) hidden(error, "cause", unpackPart(carried.cause, depth + 1, budget));
  // Defined, not assigned: what a class's setters would do with them is not ours to find out.
  for (const [key, value] of Object.entries(carried.own)) {
    if (!isKnown(key))
      Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: true });
  }
  return error;
}

/** The first line of a stack names the class as the error does. */
function withName(stack: string, was: string, is: string): string {
  return was !== is && stack.startsWith(was) ? is + stack.slice(was.length) : stack;
}

function instantiate(carried: Carried & { type: "error" }, depth: number, budget: Budget): Error {
  switch (carried.context) {
    case "canceled":
      return new CanceledError();
    case "expired":
      return new DeadlineExceededError();
    case "other":
      return new ContextError(carried.message);
    case undefined:
      break;
  }
  const { base, className, name, message, errors } = carried;
  if (base === "DOMException") return new DOMException(message, name);
  const Base = builtIns.get(base) ?? Error;
  const error =
    base === "AggregateError"
      ? new AggregateError(
          (errors ?? []).map((each) => unpackPart(each, depth + 1, budget)),
          message,
        )
      : new Base(message);
  if (className !== base) Object.setPrototypeOf(error, prototypeFor(className, base));
  // A class that never set `name` would show up as "Error": its own name says more.
  const shown = name === base ? className : name;
  if (error.name !== shown) hidden(error, "name", shown);
  return error;
}

const prototypes = new Map<string, object>();

/** Classes that look the same here as on the thread they come from. A bounded number: names may be made up at run time. */
function prototypeFor(className: string, base: string): object {
  const id = `${base} ${className}`;
  let prototype = prototypes.get(id);
  if (prototype === undefined) {
    const parent = (base === "AggregateError" ? AggregateError : (builtIns.get(base) ?? Error)) as new (
      message?: string,
    ) => Error;
    ({ prototype } = { [className]: class extends parent {} }[className] as { prototype: object });
    if (prototypes.size < 256) prototypes.set(id, prototype);
  }
  return prototype;
}

function hidden(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, configurable: true, enumerable: false });
}
