// @ts-check
/** Fastify: tasks that end with their requests. `--help` tells the options. */
import Fastify from "fastify";
import { background, cause, Pool, withProcessSignal, withTimeout } from "lifeguard";
import { admit, errorResponse, requestContext, serverContext } from "lifeguard/http";
import { parse, refuse } from "./options.mjs";

/** @typedef {import("lifeguard").Context} Context */

const { port, timeout, threads, queue, drain } = parse(process.argv.slice(2));

/** @type {Pool<typeof import("./tasks.mjs")>} */
const pool = new Pool(new URL("./tasks.mjs", import.meta.url), { threads, maxQueue: queue });
const app = Fastify();
const [base, shutdown] = serverContext(background, app.server, { pools: [pool] });

app.decorateRequest("ctx");
app.addHook("onRequest", async (request, reply) => {
  // Ends when the client leaves, when its time is over, when the server has to close; and so does the task.
  request.setDecorator("ctx", requestContext(base, request.raw, reply.raw, { timeout }));
});

app.setErrorHandler((error, _request, reply) => {
  const response = errorResponse(error); // 503; when the client has gone nobody sees it
  if (response === undefined) throw error; // Fastify's own business
  return reply.code(response.status).headers(response.headers).send(response.body);
});

/** Bounded: nobody may ask for as much as they like. */
const querystring = {
  type: "object",
  required: ["below"],
  properties: { below: { type: "integer", minimum: 0, maximum: 99_999_999 } },
};

app.get("/primes", { schema: { querystring } }, async (request) => {
  const { below } = /** @type {{ below: number }} */ (request.query);
  const ctx = /** @type {Context} */ (request.getDecorator("ctx"));
  admit(ctx, pool, "countPrimes"); // throws when the answer would come too late anyway
  const count = await pool.run(ctx, "countPrimes", below);
  return { below, count };
});

const [running] = withProcessSignal(background, "SIGTERM", "SIGINT");
await pool.ready();
// One address: for the others of "localhost" Fastify makes servers that `base` does not know of.
const url = await app.listen({ port, host: "127.0.0.1" }).catch(refuse);
console.log(`${url}/primes?below=100000`);

await running.done();
const signal = String(cause(running));
console.log(`${signal}: what is under way is answered first`);
await shutdown(withTimeout(background, drain)[0]);
await app.close(); // its plugins, too
process.exitCode = signal === "SIGINT" ? 130 : 0; // 128 and the number of SIGINT
