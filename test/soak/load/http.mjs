// @ts-check
/** A server whose requests are tasks, clients over loopback who do not always wait, and its shutdown in the middle of it. */
import { once } from "node:events";
import { createServer, request } from "node:http";
import { afterFunc, background, withTimeout } from "lifeguard";
import { admit, requestContext, respond, serverContext } from "lifeguard/http";
import { Random } from "../random.mjs";

/** @typedef {import("../soak.mjs").Soak} Soak */
/** @typedef {import("../phase.mjs").Phase} Phase */

export const lanes = 1;

const CLIENTS = 4;

/** @param {Soak} soak @param {Phase} phase @param {Random} random */
export async function run(soak, phase, random) {
  // One and the same pool for all of it: it is there as long as the soak.
  const pool = /** @type {import("../pool.mjs").SoakPool} */ (soak.pools[0]);
  const server = createServer();
  const [base, shutdown] = serverContext(soak.root, server);
  let open = 0;
  let live = 0;
  server.on("request", async (req, res) => {
    const ctx = requestContext(base, req, res, { timeout: 400 });
    soak.release(ctx);
    open++;
    live++;
    afterFunc(ctx, () => {
      live--;
    });
    // Its client has drawn what it wants.
    const draws = new Random(req.url ?? "");
    try {
      admit(ctx, pool.pool, "spin");
      const kind = draws.pick(/** @type {const} */ (["spin", "quick", "note", "poll"]));
      const end = await pool.submit(ctx, kind, draws).end;
      ctx.throwIfDone();
      res.end(`${kind} ${end}`);
    } catch (error) {
      if (!respond(res, error)) soak.fail("http", `unexpected: ${String(error)}`);
    }
    open--;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  let closing = false;
  const clients = Array.from({ length: CLIENTS }, async () => {
    const own = random.fork();
    while (!closing) await visit(soak, own, port, () => closing);
  });
  await phase.sleep(60_000_000);
  const [ctx, cancel] = withTimeout(background, random.int(0, 100));
  const down = soak.follow("shutdown of the server", shutdown(ctx), ctx, 1000);
  closing = true;
  await Promise.all([down, ...clients]);
  cancel();
  // The last of the handlers may still have its own end to come to.
  for (let i = 0; i < 1000 && open + live > 0; i++) await new Promise((resolve) => setTimeout(resolve, 5));
  soak.check(open === 0, "http", () => `${String(open)} handlers run on`);
  soak.check(live === 0, "http", () => `${String(live)} contexts of requests have not ended`);
}

/** @param {Soak} soak @param {Random} random @param {number} port @param {() => boolean} isClosing */
async function visit(soak, random, port, isClosing) {
  soak.counts.requests++;
  const stays = random.chance(0.6);
  const headers = random.chance(0.3) ? { "x-request-timeout-ms": String(random.int(1, 100)) } : {};
  const req = request({ host: "127.0.0.1", port, path: `/${String(random.next())}`, agent: false, headers });
  const leaves = stays
    ? undefined
    : setTimeout(
        () => {
          soak.counts.left++;
          req.destroy();
        },
        random.int(0, 25),
      );
  const answered = new Promise((resolve) => {
    req.on("response", (res) => {
      let text = "";
      res.setEncoding("utf8").on("data", (more) => {
        text += more;
      });
      res.on("error", () => {});
      res.on("close", () => resolve({ status: res.statusCode, text, complete: res.complete }));
    });
    req.on("error", () => resolve(undefined));
    req.on("close", () => setImmediate(resolve));
    req.end();
  });
  const answer = await soak.follow("an answer", answered);
  clearTimeout(leaves);
  if (answer === undefined) {
    soak.check(!stays || isClosing(), "http", () => "a client who stayed had no answer");
    soak.count("request", stays ? "closing" : "left");
    return;
  }
  const { status, text, complete } = /** @type {{ status: number, text: string, complete: boolean }} */ (
    answer
  );
  const isRight = status === 503 || (status === 200 && / (completed|failed)$/.test(text));
  soak.check(isRight || !complete, "http", () => `status ${String(status)}: ${text}`);
  soak.count("request", String(status));
  await new Promise((resolve) => setTimeout(resolve, random.int(0, 10)));
}
