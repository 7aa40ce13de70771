// @ts-check
/** Comlink with its adapter for Node's workers, which comes without types: for both sides. */
// @ts-expect-error it has no declarations
import adapter from "comlink/dist/esm/node-adapter.mjs";

export * as Comlink from "lifeguard/comlink";

/** @type {(worker: object | null) => import("comlink").Endpoint} */
export const nodeEndpoint = adapter;
