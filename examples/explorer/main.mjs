// @ts-check
/**
 * A page to fly over the Mandelbrot set: each tile is computed under the context of its request, so what has left the view is
 * cancelled, and the cores are free. `--help` tells the options.
 */
import { once } from "node:events";
import { background, cause, withProcessSignal, withTimeout } from "lifeguard";
import { parse, refuse } from "./options.mjs";
import { explorer } from "./server.mjs";

/** How long Ctrl-C waits for what is under way, ms. */
const PATIENCE = 2000;

const { port, threads } = parse(process.argv.slice(2));
// The first Ctrl-C; a second one is the system's.
const [main] = withProcessSignal(background, "SIGINT", "SIGTERM");

// `main.mjs | head` closes the pipe, and the page is to stay up.
process.stdout.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
  if (error.code !== "EPIPE") throw error;
});

const { server, stop } = explorer({ threads });
server.listen(port, "127.0.0.1");
await once(server, "listening").catch((/** @type {unknown} */ error) =>
  refuse(`--port: ${error instanceof Error ? error.message : String(error)}`),
);
const address = /** @type {import("node:net").AddressInfo} */ (server.address());
console.log(`http://127.0.0.1:${address.port}/`);
console.log(`${threads} ${threads === 1 ? "thread computes" : "threads compute"}. Ctrl-C ends the server.`);

await main.done();
const [patience, cancel] = withTimeout(background, PATIENCE);
await stop(patience);
cancel();
if (cause(main) === "SIGINT") process.exitCode = 130; // 128 and the number of SIGINT
