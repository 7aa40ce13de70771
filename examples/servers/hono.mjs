// @ts-check
/** Hono on Node: tasks that end with their requests. `--help` tells the options. */
import { once } from "node:events";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { background, cause, Pool, withProcessSignal, withTimeout } from "lifeguard";
import { admit, errorResponse, requestContext, serverContext } from "lifeguard/http";
import { parse, refuse } from "./options.mjs";

const { port, timeout, threads, queue, drain } = parse(process.argv.slice(2));

/** @type {Pool<typeof import("./tasks.mjs")>} */
const pool = new Pool(new URL("./tasks.mjs", import.meta.url), { threads, maxQueue: queue });
/** @type {Hono<{ Bindings: import("@hono/node-server").HttpBindings, Variables: { ctx: import("lifeguard").Context } }>} */
const app = new Hono();
const server = createAdaptorServer(app); // not serve(): the context comes before the first connection
const [base, shutdown] = serverContext(background, server, { pools: [pool] });

app.use(async (c, next) => {
  // Ends when the client leaves, when its time is over, when the server has to close; and so does the task.
  c.set("ctx", requestContext(base, c.env.incoming, c.env.outgoing, { timeout }));
  await next();
});

app.get("/primes", async (c) => {
  const below = c.req.query("below") ?? "";
  // Eight digits at most: nobody may ask for as much as they like.
  if (!/^\d{1,8}$/.test(below)) return c.text("below: a number of up to 8 digits\n", 400);

  admit(c.var.ctx, pool, "countPrimes"); // throws when the answer would come too late anyway
  const count = await pool.run(c.var.ctx, "countPrimes", Number(below));
  return c.json({ below: Number(below), count });
});

app.onError((error, c) => {
  const response = errorResponse(error); // 503; when the client has gone nobody sees it
  if (response !== undefined) return new Response(response.body, response);
  if (error instanceof HTTPException) return error.getResponse();
  console.error(error); // as Hono does without a handler
  return c.text("Internal Server Error", 500);
});

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
