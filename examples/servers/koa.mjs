// @ts-check
/** Koa: tasks that end with their requests. `--help` tells the options. */
import { once } from "node:events";
import { createServer } from "node:http";
import Koa from "koa";
import { background, cause, Pool, withProcessSignal, withTimeout } from "lifeguard";
import { admit, errorResponse, requestContext, serverContext } from "lifeguard/http";
import { parse, refuse } from "./options.mjs";

/** @typedef {import("lifeguard").Context} Context */

const { port, timeout, threads, queue, drain } = parse(process.argv.slice(2));

/** @type {Pool<typeof import("./tasks.mjs")>} */
const pool = new Pool(new URL("./tasks.mjs", import.meta.url), { threads, maxQueue: queue });
const server = createServer();
const [base, shutdown] = serverContext(background, server, { pools: [pool] });

const app = new Koa();
app.use(async (koa, next) => {
  // Ends when the client leaves, when its time is over, when the server has to close; and so does the task.
  koa.state.ctx = requestContext(base, koa.req, koa.res, { timeout });
  try {
    await next();
  } catch (error) {
    const response = errorResponse(error); // 503; when the client has gone nobody sees it
    if (response === undefined) throw error; // Koa's own business
    koa.status = response.status;
    koa.set(response.headers);
    koa.body = response.body;
  }
});

app.use(async (koa) => {
  if (koa.method !== "GET" || koa.path !== "/primes") return; // 404
  const ctx = /** @type {Context} */ (koa.state.ctx);
  const below = String(koa.query.below);
  // Eight digits at most: nobody may ask for as much as they like.
  if (!/^\d{1,8}$/.test(below)) koa.throw(400, "below: a number of up to 8 digits");

  admit(ctx, pool, "countPrimes"); // throws when the answer would come too late anyway
  const count = await pool.run(ctx, "countPrimes", Number(below));
  koa.body = { below: Number(below), count };
});

app.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
  // Koa takes it for an error when a client breaks off its connection. The task has stopped, and that is all there is to it.
  if (error.code !== "ECONNRESET") app.onerror(error);
});

// Not app.listen(): the base context comes before the first connection.
const answer = app.callback();
server.on("request", (req, res) => void answer(req, res));

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
