/** `lifeguard/comlink`: contexts over comlink's endpoints, actors, callbacks for tasks. */
export * from "./browser.js";
