/** `lifeguard/worker`: for task modules. The context functions come along, so that a module needs one import. */
export * from "../context/index.js";
export { progress } from "./progress.js";
export { transfer } from "./transfer.js";
