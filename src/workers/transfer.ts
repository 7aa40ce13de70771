/** Values that move to the other thread instead of being copied. */
import { invalidArg } from "../context/invalid.js";

const registryName = Symbol.for("lifeguard.transfers");

/** One list for all copies of the library in a thread. Weak: a value that is never sent is not held. */
function transfers(): WeakMap<object, readonly object[]> {
  const holder = globalThis as { [registryName]?: WeakMap<object, readonly object[]> };
  let map = holder[registryName];
  if (map === undefined) {
    map = new WeakMap();
    Object.defineProperty(holder, registryName, { value: map });
  }
  return map;
}

/**
 * Marks `value`, an argument or a result, so that what `list` names moves along instead of being copied: after the
 * hand-over it is gone from this thread. Outside a pool it does nothing, so tasks can be tested as plain functions.
 *
 * A task that was handed transferred arguments cannot be handed over a second time: if its thread dies before it
 * began, it counts as crashed instead of going back to the queue.
 *
 * @param list ArrayBuffers, MessagePorts and whatever else Node transfers, reachable from `value`
 * @returns `value` itself
 * @throws TypeError ERR_INVALID_ARG when `value` is no object or `list` no array of objects
 */
export function transfer<T extends object>(value: T, list: readonly object[]): T {
  if ((typeof value !== "object" && typeof value !== "function") || (value as unknown) === null)
    throw invalidArg("transfer: value", "an object", value);
  checkTransferList("transfer: list", list);
  transfers().set(value, [...list]);
  return value;
}

/** @throws TypeError ERR_INVALID_ARG */
export function checkTransferList(where: string, list: unknown): asserts list is readonly object[] {
  if (!Array.isArray(list)) throw invalidArg(where, "an array of transferable objects", list);
  for (const item of list as unknown[]) {
    if (typeof item !== "object" || item === null)
      throw invalidArg(where, "an array of transferable objects", item);
  }
}

/**
 * Throws what posting does elsewhere for a buffer that has moved away before. Node 20 does not, where such a one is to move along: the
 * message is sent, nobody can read it, and nobody hears of that.
 *
 * @throws DOMException DataCloneError
 */
export function refuseDetached(list: readonly unknown[] | undefined): void {
  if (list?.some(isDetached) === true)
    throw new DOMException("an ArrayBuffer that is to move along is detached", "DataCloneError");
}

function isDetached(item: unknown): boolean {
  // Only what is empty can be: others are not tried.
  if (!(item instanceof ArrayBuffer) || item.byteLength > 0) return false;
  try {
    return new Uint8Array(item).byteLength > 0;
  } catch {
    return true;
  }
}

/** What was marked to move along with `value`; undefined for nothing. */
export function transfersOf(value: unknown): readonly object[] | undefined {
  return typeof value === "object" && value !== null ? transfers().get(value) : undefined;
}
