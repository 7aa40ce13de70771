/**
 * Causes as bytes, since in the middle of a synchronous loop no message arrives. In Node by V8's own serializer, as in a message;
 * elsewhere as JSON, which takes errors, and plain data.
 */
import { reasonOf } from "../context/invalid.js";
import { type Carried, carry } from "../workers/carry.js";
import { builtin } from "./platform.js";

/** The cause, without its stacks where there is no room for these; undefined where it does not fit or cannot go. Never throws. */
export function causeBytes(carried: Carried, room: number): Uint8Array | undefined {
  try {
    const whole = serialize(carried);
    if (whole.length <= room) return whole;
    const bare = serialize(withoutStacks(carried));
    return bare.length <= room ? bare : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The least that is told of a cause: class, name, `code` and message of an error, cut short where need be; of anything else, that it
 * could not go. Never throws.
 *
 * @param room 300 bytes or more
 */
export function briefCauseBytes(carried: Carried, room: number): Uint8Array {
  for (const letters of [150, 50, 15]) {
    const bytes = serialize(brief(carried, letters));
    if (bytes.length <= room) return bytes;
  }
  return serialize(brief({ type: "value", value: undefined }, 15));
}

function brief(carried: Carried, letters: number): Carried {
  const cut = (text: string): string => (text.length > letters ? `${text.slice(0, letters)}…` : text);
  if (carried.type === "value") {
    const error = carry(
      new TypeError(cut(`the cause could not be sent to another thread: ${obstacle(carried)}`)),
    );
    return withoutStacks(error);
  }
  const { base, className, name, message, context, own } = carried;
  const { code } = own;
  return {
    type: "error",
    base,
    className: cut(className),
    name: cut(name),
    message: cut(message),
    stack: undefined,
    context,
    cause: undefined,
    errors: undefined,
    own: typeof code === "string" ? { code: cut(code) } : typeof code === "number" ? { code } : {},
  };
}

/** Why it is not there as it is. */
function obstacle(carried: Carried): string {
  try {
    return `it takes ${String(serialize(carried).length)} bytes`;
  } catch (error) {
    return reasonOf(error);
  }
}

/** The cause again. */
export function causeFrom(bytes: Uint8Array): Carried {
  return deserialize(bytes);
}

function withoutStacks(carried: Carried): Carried {
  if (carried.type === "value") return carried;
  return {
    ...carried,
    stack: undefined,
    cause: carried.cause && withoutStacks(carried.cause),
    errors: carried.errors?.map(withoutStacks),
  };
}

interface V8 {
  serialize(value: unknown): Uint8Array;
  deserialize(bytes: Uint8Array): unknown;
}

const v8 = builtin("node:v8") as V8 | undefined;

function serialize(carried: Carried): Uint8Array {
  return v8 === undefined ? new TextEncoder().encode(toJson(carried)) : v8.serialize(carried);
}

function deserialize(bytes: Uint8Array): Carried {
  return v8 === undefined
    ? (JSON.parse(new TextDecoder().decode(bytes)) as Carried)
    : (v8.deserialize(bytes) as Carried);
}

/** @throws TypeError for what JSON would silently turn into something else */
export function toJson(carried: Carried): string {
  return JSON.stringify(carried, function (this: Readonly<Record<string, unknown>>, key) {
    // Not the second argument, which has been through `toJSON`.
    const value = this[key];
    // In an array it would become null, in an object it is no loss.
    if (isPlain(value) && !(value === undefined && Array.isArray(this))) return value;
    throw new TypeError(`JSON cannot carry ${Object.prototype.toString.call(value)}`);
  });
}

function isPlain(value: unknown): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return true;
    case "number":
      return Number.isFinite(value);
    case "object": {
      if (value === null || Array.isArray(value)) return true;
      const prototype: unknown = Object.getPrototypeOf(value);
      return prototype === Object.prototype || prototype === null;
    }
    default:
      return false;
  }
}
