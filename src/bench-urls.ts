/** Files that measurements need by their place, seen from the top of the package: also when the rest is bundled into fewer files. */

/** The tasks that are measured where nobody names another one. */
export const builtInTasks = new URL("./bench/tasks.js", import.meta.url);

/** What runs in a thread with nothing around it. */
export const bareWorker = new URL("./bench/bare-worker.js", import.meta.url);

export const packageJson = new URL("../package.json", import.meta.url);
