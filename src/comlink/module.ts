/** A copy of comlink: there may be two in a program. */
import type * as Comlink from "comlink";
import { invalidArg } from "../context/invalid.js";

/** What is needed of a copy of comlink: its module, as `import * as Comlink from "comlink"` gives it. */
export type ComlinkModule = Pick<
  typeof Comlink,
  "transferHandlers" | "wrap" | "expose" | "proxyMarker" | "releaseProxy" | "createEndpoint"
>;

/** @throws TypeError ERR_INVALID_ARG, naming `where` */
export function checkComlink(where: string, comlink: unknown): ComlinkModule {
  const { transferHandlers, wrap, expose } = (comlink ?? {}) as Partial<ComlinkModule>;
  if (!(transferHandlers instanceof Map) || typeof wrap !== "function" || typeof expose !== "function")
    throw invalidArg(
      where,
      'the module of comlink, as `import * as Comlink from "comlink"` gives it',
      comlink,
    );
  return comlink as ComlinkModule;
}
