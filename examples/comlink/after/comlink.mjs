// @ts-check
/** Comlink, for both sides. */

// Its adapter for Node's workers.
export { default as nodeEndpoint } from "comlink/dist/esm/node-adapter.mjs";
export * as Comlink from "lifeguard/comlink";
