/** `lifeguard/comlink` as far as a page and its workers have it: all but what starts threads of Node's. */
export type { AnyEndpoint, EndpointLike, NodeWorker } from "./connection.js";
export { CallError, type CallErrorCode } from "./errors.js";
export { type RegisterOptions, register } from "./handlers.js";
export type { ComlinkModule } from "./module.js";
export { type ExposeOptions, expose, type WrapOptions, wrap } from "./wrap.js";
