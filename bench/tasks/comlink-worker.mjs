// @ts-check
/** A thread that is called over comlink: by its own means, and by lifeguard's, each over a port of its own. */
import { parentPort } from "node:worker_threads";
import * as Comlink from "comlink";
// Another copy, with a table of its own that nobody registers anything in.
import * as Untouched from "comlink/dist/esm/comlink.mjs";
import { expose } from "lifeguard/comlink";
import { spin, waitForDone } from "./lifeguard-tasks.mjs";

/** What the calls here do: next to nothing. */
export const calculator = {
  /**
   * @param {number} a
   * @param {number} b
   */
  add: (a, b) => a + b,
  /**
   * The same, with a context that it looks at.
   *
   * @param {import("lifeguard/worker").Context} ctx
   * @param {number} a
   * @param {number} b
   */
  addUnder(ctx, a, b) {
    ctx.throwIfDone();
    return a + b;
  },
  spin,
  waitForDone,
};

/** @typedef {Record<"stock" | "registered" | "ours", import("node:worker_threads").MessagePort>} Ports */

parentPort?.once("message", (/** @type {Ports} */ { stock, registered, ours }) => {
  Untouched.expose(calculator, /** @type {any} */ (stock));
  expose(calculator, ours);
  // With the handler, which `expose` has registered.
  Comlink.expose(calculator, /** @type {any} */ (registered));
});
