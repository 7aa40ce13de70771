/**
 * Causes as bytes, since in the middle of a synchronous loop no message arrives. In Node by V8's own serializer, as in a message;
 * elsewhere as JSON, which takes errors, and plain data.
 */
import { type Carried, carry } from "../workers/carry.js";
import { builtin } from "./platform.js";

/** As many bytes as any stand-in takes. */
const LEAST = 512;

/** The cause, or as much of it as there is room for: without its stacks, or a stand-in that says so. Never throws. */
export function causeBytes(carried: Carried, room: number): Uint8Array {
  try {
    const whole = serialize(carried);
    if (whole.length <= room) return whole;
    const bare = serialize(withoutStacks(carried));
    if (bare.length <= room) return bare;
    return standIn(`the cause takes ${String(bare.length)} bytes, and there was no room for it`, room);
  } catch (error) {
    return standIn(error instanceof Error ? error.message : "", room);
  }
}

function standIn(why: string, room: number): Uint8Array {
  if (room < LEAST) return new Uint8Array();
  const error = new TypeError(`the cause could not be sent to another thread: ${why}`.slice(0, 200));
  return serialize(withoutStacks(carry(error)));
}

/** The cause again; undefined where there was no room even for a stand-in. */
export function causeFrom(bytes: Uint8Array): Carried | undefined {
  return bytes.length === 0 ? undefined : deserialize(bytes);
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
    if (isPlain(value)) return value;
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
