/** What goes by reference: comlink's proxies, of which both sides of a call keep track, each through its end of the port. */
import type { Calls } from "./calls.js";
import type { Service } from "./service.js";
import { PROXY, type WireValue } from "./wire.js";

/** The services of what has been sent by reference, by the ports that went in its place. */
export const returned = new WeakMap<object, Service>();

/** An object that a call has returned by reference, on its way to comlink's handler. */
export class ReturnedProxy {
  readonly port: unknown;
  readonly calls: Calls;

  constructor(port: unknown, calls: Calls) {
    this.port = port;
    this.calls = calls;
  }
}

/** What goes by reference among values that nobody takes: its ports would stay open for ever. */
export function closeProxies(values: readonly WireValue[] = []): void {
  for (const { type, name, value } of values)
    if (type === "HANDLER" && name === PROXY) (value as { close?(): void }).close?.();
}
