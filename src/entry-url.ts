/** Where the worker's entry lies, seen from the top of the package: also when the rest is bundled into fewer files. */
export const workerEntry = new URL("./workers/gate.cjs", import.meta.url).href;
