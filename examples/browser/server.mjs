// @ts-check
/**
 * The web server of the example page: bundles main.js and worker.js, as Vite would, and serves them with the headers
 * that let a page share memory with its workers. `--help` tells the options.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { background, withProcessSignal } from "lifeguard";
import { parse, refuse } from "./options.mjs";
import { bundle, serve } from "./site.mjs";

const { port, isolated } = parse(process.argv.slice(2));
const [main] = withProcessSignal(background, "SIGINT");

const here = fileURLToPath(new URL(".", import.meta.url));
const files = await bundle({ main: `${here}main.js`, worker: `${here}worker.js` });
files.set("", readFileSync(`${here}index.html`));

const site = await serve(files, { port, isolated }).catch((/** @type {unknown} */ error) => {
  if (!(error instanceof Error && "code" in error)) throw error;
  return refuse(`--port: ${error.message}`);
});
console.log(`${site.url}${isolated ? "" : ", without shared memory"}`);
console.log("Ctrl-C ends the server.");

await main.done();
await site.close();
process.exitCode = 130; // 128 and the number of SIGINT
