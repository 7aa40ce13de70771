/** Many requests, and clients that leave: nothing of them is left. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { background, type Context, cause, contextKey, withCancel, withValue } from "lifeguard";
import { type RequestError, requestContext, respond } from "lifeguard/http";
import { expect, test } from "vitest";
import { heapUsed } from "../support/memory.js";
import { expectBalanced, expectWhole, pooled, threadGate, until } from "../support/pool.js";
import { client, get, listening } from "../support/server.js";
import { turn } from "../support/turn.js";

const CLIENTS = 2000;
const AT_ONCE = 50;

const number = contextKey<number>("test.number");

/** All requests that have come. */
class Requests {
  /** Why their contexts have ended. */
  readonly codes: string[] = [];
  /** The contexts right above theirs: each is held by what belongs to its request, and by nothing else. */
  readonly above: WeakRef<Context>[] = [];
  readonly #waiting = new Map<string, () => void>();

  /** Resolves when the request for `path` is there. */
  arrival(path: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.set(path, resolve));
  }

  begin(base: Context, path: string): Context {
    const above = withValue(base, number, this.above.length);
    this.above.push(new WeakRef(above));
    this.#waiting.get(path)?.();
    this.#waiting.delete(path);
    return above;
  }

  /** How many of them something still holds. */
  held(): number {
    heapUsed();
    return this.above.filter((ref) => ref.deref() !== undefined).length;
  }
}

/** Connects, asks and leaves: as soon as that is written, or when it has arrived; with a goodbye, or without one. */
async function comeAndGo(port: number, at: number, requests: Requests): Promise<void> {
  const path = `/${at}`;
  const arrived = requests.arrival(path);
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {
    // What matters is that it has gone.
  });
  await once(socket, "connect");
  socket.write(get(path));
  if (at % 2 === 0) await arrived;
  const closed = once(socket, "close");
  if (at % 4 < 2) socket.destroy();
  else socket.resetAndDestroy();
  await closed;
}

function connections(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => {
      if (error === null) resolve(count);
      else reject(error);
    });
  });
}

function listeners(server: Server): Record<string, number> {
  return Object.fromEntries(
    [server, process].flatMap((each) =>
      each
        .eventNames()
        .map((name) => [`${each.constructor.name} ${String(name)}`, each.listenerCount(name)] as const),
    ),
  );
}

test("2,000 clients that connect, ask and leave leave no task, no connection, no listener and no context behind", async () => {
  // One: threads that poll all the time would leave the clients no core.
  await using pool = pooled({ threads: 1 });
  await pool.ready();
  const [base, cancel] = withCancel(background);
  const requests = new Requests();
  const { view } = threadGate();
  const server = createServer();
  const port = await listening(server);
  server.on("request", (req, res) => {
    const path = req.url ?? "";
    if (path === "/last") {
      res.end("that was all");
      return;
    }
    const ctx = requestContext(requests.begin(base, path), req, res);
    // It polls until it is cancelled: nothing but its client's leaving ends it.
    pool.run(ctx, "pollThen", view, "throwIfDone").catch((error: unknown) => {
      requests.codes.push((cause(ctx) as RequestError).code);
      expect(respond(res, error)).toBe(true);
    });
  });
  const before = listeners(server);

  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (next < CLIENTS) await comeAndGo(port, next++, requests);
    }),
  );
  // Whoever came before this one has been let in before it.
  const last = await client(port, get("/last"));
  await last.received(/that was all/);
  last.socket.destroy();
  while ((await connections(server)) > 0) await turn();
  await until(() => requests.codes.length === requests.above.length);

  const stats = pool.stats();
  expectBalanced(stats);
  expect(stats).toMatchObject({ queued: 0, running: 0, stuck: 0, submitted: requests.above.length });
  expect(stats.outcomes.dropped + stats.outcomes.stopped).toBe(stats.submitted);
  // Of those who left at once, some may have been too quick for the server to read what they asked.
  expect(stats.submitted).toBeGreaterThanOrEqual(CLIENTS / 2);
  expect(new Set(requests.codes)).toEqual(new Set(["ERR_CLIENT_DISCONNECTED"]));
  expect(listeners(server)).toEqual(before);
  for (let round = 0; round < 20 && requests.held() > 0; round++) await turn();
  expect(requests.held()).toBe(0);
  expect(base.err()).toBeUndefined();
  await expectWhole(pool, 1);
  cancel();
}, 120_000);

test("a connection that is kept alive holds the contexts of none of the requests that it has served", async () => {
  const [base, cancel] = withCancel(background);
  const requests = new Requests();
  const server = createServer((req, res) => {
    requestContext(requests.begin(base, req.url ?? ""), req, res);
    res.end(`served ${req.url};`);
  });
  const one = await client(await listening(server));
  for (let served = 1; served <= 100; served++) {
    one.send(get(`/${served}`));
    await one.received(new RegExp(`served /${served};`));
  }
  for (let round = 0; round < 20 && requests.held() > 0; round++) await turn();
  expect(requests.held()).toBe(0);
  expect(one.socket.destroyed).toBe(false);
  cancel();
});
