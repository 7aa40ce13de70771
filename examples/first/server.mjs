// @ts-check
import { createServer } from "node:http";
import { background, cause, Pool, withProcessSignal, withTimeout } from "lifeguard";
import { admit, requestContext, respond, serverContext } from "lifeguard/http";

/** @type {Pool<typeof import("./tasks.mjs")>} */
const pool = new Pool(new URL("./tasks.mjs", import.meta.url), { maxQueue: 100 });
const server = createServer((req, res) => void answer(req, res));
const [base, shutdown] = serverContext(background, server, { pools: [pool] });

/**
 * @param {import("node:http").IncomingMessage} req
 * @param {import("node:http").ServerResponse} res
 */
async function answer(req, res) {
  const url = req.url ?? "";
  if (!/^\/\d{1,10}$/.test(url)) return void res.writeHead(404).end();
  // Ends when the client leaves, when the answer is sent, or after ten seconds; and the task with it.
  const ctx = requestContext(base, req, res, { timeout: 10_000 });
  try {
    admit(ctx, pool, "countPrimes"); // throws when there is more to do than can be done in time
    const count = await pool.run(ctx, "countPrimes", 0, Number(url.slice(1)));
    res.end(`${count}\n`);
  } catch (error) {
    console.log(url, String(cause(ctx) ?? error));
    if (!respond(res, error)) res.writeHead(500).end(); // an error of the task's own
  }
}

const port = Number(process.env.PORT ?? 8080);
server.listen(port, () => console.log(`http://localhost:${port}/100000`));

// Ctrl-C, or `kill`: those who wait have five seconds to get their answers.
const [stop] = withProcessSignal(background, "SIGINT", "SIGTERM");
await stop.done();
console.log("closing: what is under way is answered first");
await shutdown(withTimeout(background, 5000)[0]);
