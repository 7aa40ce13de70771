// @ts-check
/** Express: tasks that end with their requests. `--help` tells the options. */
import { once } from "node:events";
import { createServer } from "node:http";
import express from "express";
import { background, cause, Pool, withProcessSignal, withTimeout } from "lifeguard";
import { admit, requestContext, respond, serverContext } from "lifeguard/http";
import { parse, refuse } from "./options.mjs";

/** @typedef {import("lifeguard").Context} Context */

const { port, timeout, threads, queue, drain } = parse(process.argv.slice(2));

/** @type {Pool<typeof import("./tasks.mjs")>} */
const pool = new Pool(new URL("./tasks.mjs", import.meta.url), { threads, maxQueue: queue });
const app = express();
const server = createServer(app); // not app.listen(): the context comes before the first connection
const [base, shutdown] = serverContext(background, server, { pools: [pool] });

app.use((req, res, next) => {
  // Ends when the client leaves, when its time is over, when the server has to close; and so does the task.
  res.locals.ctx = requestContext(base, req, res, { timeout });
  next();
});

app.get("/primes", async (req, res) => {
  const ctx = /** @type {Context} */ (res.locals.ctx);
  const below = String(req.query.below);
  // Eight digits at most: nobody may ask for as much as they like.
  if (!/^\d{1,8}$/.test(below)) return void res.status(400).send("below: a number of up to 8 digits\n");

  admit(ctx, pool, "countPrimes"); // throws when the answer would come too late anyway
  const count = await pool.run(ctx, "countPrimes", Number(below));
  res.json({ below: Number(below), count });
});

const onError = /** @type {express.ErrorRequestHandler} */ (
  (error, _req, res, next) => {
    if (!respond(res, error)) next(error); // 503, or nothing when the client has gone; other errors are Express's
  }
);
app.use(onError);

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
