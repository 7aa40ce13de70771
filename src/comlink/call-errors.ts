/** What is said of a call that could not be made. */
import { reasonOf } from "../context/invalid.js";
import type { Carried } from "../workers/carry.js";
import { CallError } from "./errors.js";
import { CONTEXT, type ContextWire, PORT, PROXY, type WireValue } from "./wire.js";

/** What a message or a call is called in messages to people. */
export interface Titled {
  readonly type?: string | undefined;
  readonly path?: readonly string[] | undefined;
}

export function titleOf({ type, path = [] }: Titled): string {
  const name = path.join(".");
  if (type === "CONSTRUCT") return `new ${name === "" ? "remote" : name}()`;
  return name === "" ? "the call" : name;
}

export function kindOf(carried: Carried | undefined): "canceled" | "expired" | undefined {
  const kind = carried?.type === "error" ? carried.context : undefined;
  return kind === "other" ? undefined : kind;
}

export function isCloneError(error: unknown): boolean {
  return error instanceof Error && error.name === "DataCloneError";
}

export function notCloneable(message: Called, error: unknown): CallError {
  const { argumentList = [] } = message;
  const title = titleOf(message);
  const at = argumentList.findIndex((arg) => !canGo(arg));
  const arg = argumentList[at];
  let what = `an argument of ${title}`;
  if (arg?.name === CONTEXT) what = `a shared value of argument ${String(at + 1)} of ${title}, a context,`;
  else if (arg !== undefined) what = `argument ${String(at + 1)} of ${title}`;
  return new CallError(
    "ERR_NOT_CLONEABLE",
    `${what} cannot be cloned to the other thread: ${reasonOf(error)}`,
    { cause: error },
  );
}

/** What is moved along with it cannot be tried, and is not what is in the way. */
function canGo({ name, value }: WireValue): boolean {
  if (name === PROXY) return true;
  const isMoved = name === CONTEXT && (value as ContextWire)[0] === PORT;
  return isCloneable(isMoved ? (value as unknown[]).slice(2) : value);
}

function isCloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

/** As far as it is of interest here. */
interface Called extends Titled {
  readonly argumentList?: readonly WireValue[];
}
