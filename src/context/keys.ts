/** The keys of context values: private ones compare by identity, shared ones by name, in every thread. */
import { contextsCannotBeCloned, invalidArg } from "./invalid.js";

declare const valueType: unique symbol;

/** Names a value of type T in a context. Made by `contextKey` or `sharedKey`; compared by identity. */
export interface ContextKey<T> {
  readonly name: string;
  /** Whether values under this key travel to worker threads. */
  readonly shared: boolean;
  readonly [valueType]?: (value: T) => T;
}

const brand = Symbol.for("lifeguard.ContextKey");
const registryName = Symbol.for("lifeguard.sharedKeys");
/** Apart from those: no name that a user, or another thread, comes up with is one of these. */
const internalName = Symbol.for("lifeguard.internalKeys");

class Key {
  declare readonly [valueType]?: (value: unknown) => unknown;
  readonly name: string;
  readonly shared: boolean;
  /** A key is itself, not what it looks like; and so that no context with a value is cloned by accident. */
  readonly uncloneable = contextsCannotBeCloned;

  constructor(name: string, shared: boolean) {
    this.name = name;
    this.shared = shared;
    Object.freeze(this);
  }
  get [brand](): true {
    return true;
  }
  toString(): string {
    return `${this.shared ? "sharedKey" : "contextKey"}(${JSON.stringify(this.name)})`;
  }
}

/**
 * A new private key. Like `Symbol()`, two keys of one name are different. Its values stay on their thread.
 *
 * @param name for people: it appears in messages and in `String(ctx)`
 * @throws TypeError ERR_INVALID_ARG when `name` is no string
 */
export function contextKey<T>(name: string): ContextKey<T> {
  if (typeof name !== "string") throw invalidArg("contextKey: name", "a string", name);
  return new Key(name, false) as ContextKey<T>;
}

/**
 * The shared key of this name, the same at every call. Like `Symbol.for()`, so choose a name nobody else will, such
 * as "myapp.traceId". Its values go along to worker threads, cloned at the hand-over; one that cannot be cloned
 * rejects the submission, naming the key.
 *
 * @throws TypeError ERR_INVALID_ARG when `name` is no string
 */
export function sharedKey<T>(name: string): ContextKey<T> {
  if (typeof name !== "string") throw invalidArg("sharedKey: name", "a string", name);
  const keys = sharedKeys();
  let key = keys.get(name);
  if (key === undefined) {
    key = new Key(name, true);
    keys.set(name, key);
  }
  return key as ContextKey<T>;
}

/** A key of the library's own: one per name for all copies of it in a thread, and its values stay there. */
export function internalKey<T>(name: string): ContextKey<T> {
  const keys = registry(internalName);
  let key = keys.get(name);
  if (key === undefined) {
    key = new Key(name, false);
    keys.set(name, key);
  }
  return key as ContextKey<T>;
}

/** Every shared key made so far, by name: one registry for all copies of the library in a thread. */
export function sharedKeys(): Map<string, ContextKey<unknown>> {
  return registry(registryName);
}

function registry(name: symbol): Map<string, ContextKey<unknown>> {
  const holder = globalThis as { [name: symbol]: Map<string, ContextKey<unknown>> | undefined };
  let keys = holder[name];
  if (keys === undefined) {
    keys = new Map();
    Object.defineProperty(holder, name, { value: keys });
  }
  return keys;
}

export function isKey(key: unknown): key is ContextKey<unknown> {
  if (typeof key !== "object" || key === null) return false;
  try {
    return (key as Record<symbol, unknown>)[brand] === true;
  } catch {
    return false;
  }
}
