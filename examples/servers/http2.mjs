// @ts-check
/** Node's own `http2`: tasks that end with their streams. `--help` tells the options. */
import { once } from "node:events";
import { constants, createServer } from "node:http2";
import { background, cause, Pool, withProcessSignal, withTimeout } from "lifeguard";
import { admit, requestContext, respond, serverContext } from "lifeguard/http";
import { parse, refuse } from "./options.mjs";

const { port, timeout, threads, queue, drain } = parse(process.argv.slice(2));

/** @type {Pool<typeof import("./tasks.mjs")>} */
const pool = new Pool(new URL("./tasks.mjs", import.meta.url), { threads, maxQueue: queue });
// Without TLS, for curl --http2-prior-knowledge; browsers want createSecureServer.
const server = createServer((req, res) => void answer(req, res));
const [base, shutdown] = serverContext(background, server, { pools: [pool] });

/**
 * @param {import("node:http2").Http2ServerRequest} req
 * @param {import("node:http2").Http2ServerResponse} res
 */
async function answer(req, res) {
  // Ends when the client resets the stream or leaves, when its time is over, when the server has to close; and so does the task.
  const ctx = requestContext(base, req, res, { timeout });
  try {
    const [path, query] = req.url.split("?", 2);
    if (req.method !== "GET" || path !== "/primes") return void res.writeHead(404).end();
    const below = new URLSearchParams(query).get("below") ?? "";
    // Eight digits at most: nobody may ask for as much as they like.
    if (!/^\d{1,8}$/.test(below)) return void res.writeHead(400).end("below: a number of up to 8 digits\n");

    admit(ctx, pool, "countPrimes"); // throws when the answer would come too late anyway
    const count = await pool.run(ctx, "countPrimes", Number(below));
    res.setHeader("Content-Type", "application/json");
    res.end(JSON.stringify({ below: Number(below), count }));
  } catch (error) {
    if (respond(res, error)) return; // 503, or nothing when the client has gone
    console.error(error);
    if (res.headersSent) res.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else res.writeHead(500).end();
  }
}

const [running] = withProcessSignal(background, "SIGTERM", "SIGINT");
await pool.ready();
server.listen(port, "127.0.0.1");
await once(server, "listening").catch(refuse);
const address = /** @type {import("node:net").AddressInfo} */ (server.address());
console.log(`http://127.0.0.1:${address.port}/primes?below=100000`);

await running.done();
const signal = String(cause(running));
console.log(`${signal}: what is under way is answered first`);
await shutdown(withTimeout(background, drain)[0]);
process.exitCode = signal === "SIGINT" ? 130 : 0; // 128 and the number of SIGINT
