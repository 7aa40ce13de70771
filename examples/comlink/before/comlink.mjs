// @ts-check
/** Comlink, for both sides. */
export * as Comlink from "comlink";

// Its adapter for Node's workers.
export { default as nodeEndpoint } from "comlink/dist/esm/node-adapter.mjs";
