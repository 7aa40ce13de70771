/** `lifeguard/comlink`: contexts over comlink's endpoints, actors, callbacks for tasks. */
export * from "./browser.js";
export { type Proxied, proxy } from "./callback.js";
export { type Actor, contextOf, spawn } from "./spawn.js";
export type { SpawnOptions } from "./spawn-options.js";
