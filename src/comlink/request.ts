/** What comes over an endpoint and may be a call. Anybody may have sent it: what is none, or reaches too far, is told apart here. */
import { CallError } from "./errors.js";
import type { WireValue } from "./wire.js";

/** As far as it has been checked: everything else in it may be anything. */
export interface Request {
  readonly id: string;
  readonly type: "GET" | "SET" | "APPLY" | "CONSTRUCT" | "ENDPOINT" | "RELEASE";
  readonly path?: readonly string[];
  readonly argumentList?: WireValue[];
}

const types = new Set<unknown>(["GET", "SET", "APPLY", "CONSTRUCT", "ENDPOINT", "RELEASE"]);

/**
 * From any object there is, these lead to `Function`, which makes code of text, or to what all objects inherit from. Comlink
 * follows them like any other name.
 */
const SEALED = new Set([
  "__proto__",
  "constructor",
  "__defineGetter__",
  "__defineSetter__",
  "__lookupGetter__",
  "__lookupSetter__",
]);

/** Something that is answered once; an answer to a call in the other direction, over the same endpoint, is none. */
export function isRequest(message: unknown): message is Request {
  const { id, type } = (message ?? {}) as { readonly id?: unknown; readonly type?: unknown };
  return typeof id === "string" && types.has(type);
}

/** Why the call is not made, whatever is exposed; undefined if it may be. */
export function objectionTo({ path, argumentList }: Request): CallError | undefined {
  if (path !== undefined && !(Array.isArray(path) && path.every((name) => typeof name === "string")))
    return new CallError("ERR_UNKNOWN_METHOD", "the call cannot be read: its path is no list of names");
  if (argumentList !== undefined && !Array.isArray(argumentList))
    return new CallError("ERR_UNKNOWN_METHOD", "the call cannot be read: its arguments are no list");
  const sealed = path?.find((name) => SEALED.has(name));
  return sealed === undefined
    ? undefined
    : new CallError(
        "ERR_UNKNOWN_METHOD",
        `${JSON.stringify(path?.join("."))} is out of reach: ${JSON.stringify(sealed)} leads to what is not exposed`,
      );
}

/** What there is to be read of them, whatever has come. */
export function argumentsOf({ argumentList }: Request): readonly WireValue[] {
  const isList = Array.isArray(argumentList);
  return isList ? argumentList.filter((arg: unknown) => typeof arg === "object" && arg !== null) : [];
}
