/** What is thrown, over comlink: with its class, `code`, `cause` and own properties, which comlink's own handler drops. */
import { type Carried, carry, unpack } from "../workers/carry.js";
import { CallError, type CallErrorCode } from "./errors.js";
import type { ThrownWire } from "./wire.js";

/** Stands for an answer of the library's own: the error itself, which never leaves this thread. */
export class LocalThrow {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** What was thrown, beside its wire: structured clone does not look at symbols. */
const original = Symbol("lifeguard.thrown");

type Marked = ThrownWire & { [original]?: { readonly error: unknown } };

/** Reads as comlink's own handler writes it, so that the other side may have that one. */
export function serializeThrown(error: unknown): ThrownWire {
  const carried = carry(error);
  const wire: Marked = { ...stockForm(carried), lifeguard: carried };
  wire[original] = { error };
  return wire;
}

function stockForm(carried: Carried): ThrownWire {
  if (carried.type === "value") return { isError: false, value: carried.value };
  const { message, name, stack = "" } = carried;
  return { isError: true, value: { message, name, stack } };
}

/** What `serializeThrown` has made a wire of, in this thread. */
export function thrownBehind(wire: ThrownWire): { readonly error: unknown } | undefined {
  return (wire as Marked)[original];
}

/**
 * The error again.
 *
 * @param stock comlink's own, for what comes from a side that has only that
 */
export function deserializeThrown(
  wire: ThrownWire | LocalThrow,
  stock: (wire: ThrownWire) => unknown,
): never {
  if (wire instanceof LocalThrow) throw wire.error;
  const carried = (wire as ThrownWire | null)?.lifeguard;
  if (carried !== undefined) throw asOurs(unpack(carried));
  stock(wire);
  throw new TypeError("what was thrown on the other side cannot be read");
}

const codes: Readonly<Record<CallErrorCode, true>> = {
  ERR_PEER_CLOSED: true,
  ERR_WORKER_CRASHED: true,
  ERR_PROXY_RELEASED: true,
  ERR_NOT_CLONEABLE: true,
  ERR_UNKNOWN_METHOD: true,
  ERR_ACTOR_MODULE: true,
};

/**
 * What the other side says of a call, of a result that cannot be cloned or a method that is not there, is said with our class here,
 * too. Not by its class there: bundlers rename those, and users may have one of that name.
 */
function asOurs(error: unknown): unknown {
  if (error instanceof Error && error.name === "CallError") {
    const { code } = error as { readonly code?: unknown };
    if (typeof code === "string" && Object.hasOwn(codes, code))
      Object.setPrototypeOf(error, CallError.prototype);
  }
  return error;
}
