/** What is left to stop in, once a context has ended. */
import { invalidArg } from "../context/invalid.js";

/** ms, where nobody has said otherwise. */
export const DEFAULT_GRACE = 250;

/** @throws TypeError ERR_INVALID_ARG, naming `where` */
export function checkGrace(where: string, grace: number): void {
  if (typeof grace !== "number" || !(grace >= 0))
    throw invalidArg(where, "0 or more milliseconds, or Infinity", grace);
}
