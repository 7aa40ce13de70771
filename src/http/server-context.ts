/** The base context of a server, and its end: what is asked for first, what is waited for, what is cut off. */
import { afterFunc } from "../context/after-func.js";
import type { CancelFunc, Context } from "../context/context.js";
import { checkContext, ownerOf } from "../context/derive.js";
import { invalidArg } from "../context/invalid.js";
import { Listener } from "../context/listener.js";
import { race } from "../context/race.js";
import { background } from "../context/roots.js";
import { cause, withCancel } from "../context/with-cancel.js";
import { withTimeout } from "../context/with-deadline.js";
import { withValue } from "../context/with-value.js";
import { checkGrace } from "../workers/grace.js";
import { causeFor } from "./errors.js";
import { type ServerLike, Service, serviceKey } from "./service.js";

/** What is closed along with the server: a pool. */
export interface Closable {
  close(ctx?: Context): Promise<void>;
}

export interface ServerOptions {
  /** Pools that work for this server only: they are closed when its requests are over. @default none */
  pools?: readonly Closable[];
  /**
   * What is left to go, once the base context has ended, before it is cut off, ms: handlers that send an error, upgraded
   * connections that say goodbye. 0 or more, also Infinity. @default 1000
   */
  grace?: number;
}

/**
 * Shuts the server down:
 *
 * 1. takes no more connections, and asks the clients that are connected to come back on others;
 * 2. waits until every request has its answer, or `ctx` ends: without `ctx`, as long as that takes. A handler that awaits this waits
 *    for itself. Connections that were taken over, such as upgraded ones, are not waited for, and Node's own `requestTimeout` holds no
 *    more, as after a server's `close`;
 * 3. ends the base context, with RequestError ERR_SERVER_CLOSING as the cause;
 * 4. closes the pools, for which `ctx` counts, too, and cuts off after its grace whatever connection is left.
 *
 * @returns resolves when all that is done, however it was done: nothing of it keeps the process alive then. Repeated calls wait for
 * the same; the context of each counts. Rejects with TypeError ERR_INVALID_ARG, and with what closing one of the pools rejects with
 */
export type ShutdownFunc = (ctx?: Context) => Promise<void>;

const DEFAULT_GRACE = 1000;

/**
 * Derives the context that all requests of `server` have for a parent, with the function that shuts the server down. Go's
 * `BaseContext` and `Shutdown`.
 *
 * Call it before the server listens: connections that were there before are not known. The end of `parent` ends all
 * requests, and leaves the server as it is.
 *
 * @param server of Node's `http`, `https` or `http2`
 * @throws TypeError ERR_INVALID_ARG
 */
export function serverContext(
  parent: Context,
  server: ServerLike,
  options: ServerOptions = {},
): [ctx: Context, shutdown: ShutdownFunc] {
  checkContext("serverContext: parent", parent);
  if (typeof server !== "object" || typeof (server as Partial<ServerLike> | null)?.close !== "function")
    throw invalidArg("serverContext: server", "a server, such as an http.Server", server);
  const { pools, grace } = resolve(options);
  const [base, cancel] = withCancel(parent);
  const service = new Service(server);
  const closing = new Closing(service, cancel, pools, grace);
  return [withValue(base, serviceKey, service), (ctx) => closing.begin(ctx)];
}

function resolve(options: ServerOptions): Required<ServerOptions> {
  if (typeof options !== "object" || (options as unknown) === null)
    throw invalidArg("serverContext: options", "an object", options);
  const { pools = [], grace = DEFAULT_GRACE } = options;
  if (!Array.isArray(pools)) throw invalidArg("serverContext: options.pools", "an array of pools", pools);
  for (const pool of pools as readonly (Partial<Closable> | null | undefined)[]) {
    if (typeof pool?.close !== "function") throw invalidArg("serverContext: options.pools", "pools", pool);
  }
  checkGrace("serverContext: options.grace", grace);
  return { pools: [...(pools as readonly Closable[])], grace };
}

class Closing {
  readonly #service: Service;
  readonly #endBase: CancelFunc;
  readonly #pools: readonly Closable[];
  readonly #grace: number;
  /** Ends when the first of those who wait has no more time. */
  readonly #patience: Context;
  readonly #endPatience: CancelFunc;
  #closed: Promise<void> | undefined;

  constructor(service: Service, endBase: CancelFunc, pools: readonly Closable[], grace: number) {
    this.#service = service;
    this.#endBase = endBase;
    this.#pools = pools;
    this.#grace = grace;
    [this.#patience, this.#endPatience] = withCancel(background);
  }

  async begin(ctx: Context = background): Promise<void> {
    const owner = ownerOf("shutdown: ctx", ctx);
    this.#closed ??= this.#close();
    const listener =
      owner === null
        ? undefined
        : // Not inside the `cancel()` that ends `ctx`: its other contexts come first.
          new Listener(ctx, owner, () => queueMicrotask(() => this.#endPatience(cause(ctx))));
    await this.#closed.finally(() => listener?.detach());
  }

  async #close(): Promise<void> {
    const service = this.#service;
    service.finish();
    await race(this.#patience, service.answered()).catch(() => {});
    const reason = cause(this.#patience);
    this.#endBase(causeFor("ERR_SERVER_CLOSING", reason === undefined ? undefined : { cause: reason }));
    const [grace, endGrace] = withTimeout(background, this.#grace);
    const forget = afterFunc(grace, () => {
      service.cut();
    });
    // One pool that fails to close keeps neither the others nor the connections from their end.
    const ends = await Promise.allSettled([
      service.gone(),
      ...this.#pools.map((pool) => closed(pool, this.#patience)),
    ]);
    forget();
    endGrace();
    service.off();
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }
}

async function closed(pool: Closable, ctx: Context): Promise<void> {
  await pool.close(ctx);
}
