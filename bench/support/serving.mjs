// @ts-check
/** The server of http.mjs and soak-http.mjs: each request is a task that computes. And what is left of that once the clients have gone. */
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { background, contextKey, withoutCancel, withValue } from "lifeguard";
import { requestContext, respond, serverContext } from "lifeguard/http";
import { lifeguardPool } from "./pools.mjs";
import { collectGarbage } from "./sampling.mjs";
import { percentile } from "./stats.mjs";

/**
 * What clients that have gone have left behind: all of it is to be 0.
 *
 * @typedef {object} Left
 * @property {number} tasks that wait, run or are stuck
 * @property {number} unaccounted tasks that are neither that nor ended, and requests without a task
 * @property {number} lanes that are not idle
 * @property {number} connections
 * @property {number} contexts of requests that something still holds
 * @property {number} listeners more than before the first client, on the server and the process, and on a connection since its first request
 * @property {number} handles more than before the first client, as Node knows them
 */

/** For this long what has been left behind may take to be cleared away, ms. */
const PATIENCE = 10_000;

const number = contextKey("bench.request");

/** On the connection itself: no table of ours is to grow with their number, where memory is measured. */
const listenersAtFirst = Symbol("listeners at the first request");

export class Serving {
  #pool;
  #server = createServer();
  #base;
  #shutdown;
  #steps = 1_000_000;
  #requests = 0;
  #inVain = 0;
  /** Requests' numbers lie in contexts right above theirs: these are what the context of a request, or a listener of it, holds. @type {WeakRef<object>[]} */
  #above = [];
  #listenersMore = 0;
  #atRest = { listeners: 0, handles: 0 };
  /** Of the tasks that were no requests. */
  #trials = 0;

  /** @param {Awaited<ReturnType<typeof lifeguardPool>>} pool */
  constructor(pool) {
    this.#pool = pool;
    [this.#base, this.#shutdown] = serverContext(background, this.#server, { pools: [pool] });
    this.#server.on("request", (req, res) => {
      void this.#answer(req, res);
    });
  }

  /**
   * Listens, with one thread: on the smallest machine that this runs on, the other core is the server's and the clients'.
   *
   * @param {number} work how long the task of a request computes, ms
   */
  static async start(work) {
    const serving = new Serving(await lifeguardPool({ threads: 1 }));
    // The first ones are the compiler's.
    for (let i = 0; i < 3; i++) await serving.calibrate(work);
    await new Promise((resolve) => {
      serving.#server.listen(0, "127.0.0.1", () => resolve(undefined));
    });
    // A spare that is still starting is a handle, for a while.
    await sleep(300);
    serving.#atRest = {
      listeners: serving.#listeners(),
      handles: process.getActiveResourcesInfo().length,
    };
    return serving;
  }

  get port() {
    return /** @type {import("node:net").AddressInfo} */ (this.#server.address()).port;
  }

  get stats() {
    return this.#pool.stats();
  }

  /** Requests that have come. */
  get requests() {
    return this.#requests;
  }

  /** Those of requests that something still holds, as far as has been collected. */
  contexts() {
    this.#above = this.#above.filter((ref) => ref.deref() !== undefined);
    return this.#above.length;
  }

  /** Tasks that have run to their end since the last call, for a client that had left. */
  takeInVain() {
    const count = this.#inVain;
    this.#inVain = 0;
    return count;
  }

  /**
   * From now on a request has as many steps as take that long here and now: work is what it asks for, not time, which would
   * pass on a thread that waits for its core, too.
   *
   * @param {number} work ms
   */
  async calibrate(work) {
    const times = [];
    for (let i = 0; i < 20; i++) {
      const from = performance.now();
      await this.#pool.run(background, "compute", this.#steps);
      times.push(performance.now() - from);
      this.#trials++;
    }
    // The others are those that something came between.
    this.#steps = Math.round((this.#steps * work) / percentile(times, 0.25));
  }

  /**
   * @param {import("node:http").IncomingMessage} req
   * @param {import("node:http").ServerResponse} res
   */
  async #answer(req, res) {
    this.#countListeners(req.socket);
    const above = withValue(this.#base, number, ++this.#requests);
    this.#above.push(new WeakRef(above));
    const request = requestContext(above, req, res);
    const ctx = req.url === "/off" ? withoutCancel(request) : request;
    try {
      const answer = await this.#pool.run(ctx, "compute", this.#steps);
      if (request.err() !== undefined) this.#inVain++;
      res.end(String(answer));
    } catch (error) {
      if (!respond(res, error)) throw error;
    }
  }

  /**
   * Those of a connection that is used again and again are where one for each request would pile up.
   *
   * @param {import("node:net").Socket & { [listenersAtFirst]?: number }} socket
   */
  #countListeners(socket) {
    const count = listenersOf(socket);
    const first = socket[listenersAtFirst] ?? count;
    socket[listenersAtFirst] = first;
    this.#listenersMore = Math.max(this.#listenersMore, count - first);
  }

  /**
   * To be called when all clients have gone; whatever can be cleared away has been. Needs --expose-gc.
   *
   * @returns {Promise<Left>}
   */
  async left() {
    let left = await this.#count();
    for (const until = performance.now() + PATIENCE; performance.now() < until; ) {
      if (Object.values(left).every((count) => count <= 0)) break;
      await sleep(20);
      left = await this.#count();
    }
    this.#listenersMore = 0;
    return left;
  }

  /** @returns {Promise<Left>} */
  async #count() {
    collectGarbage();
    const { queued, running, stuck, submitted, outcomes, idle, threads } = this.stats;
    const ended = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
    const tasks = queued + running + stuck;
    return {
      tasks,
      unaccounted: Math.abs(submitted - tasks - ended) + Math.abs(submitted - this.#trials - this.#requests),
      lanes: threads - idle,
      connections: await new Promise((resolve, reject) => {
        this.#server.getConnections((error, count) => {
          if (error === null) resolve(count);
          else reject(error);
        });
      }),
      contexts: this.contexts(),
      listeners: this.#listeners() - this.#atRest.listeners + this.#listenersMore,
      handles: process.getActiveResourcesInfo().length - this.#atRest.handles,
    };
  }

  #listeners() {
    return listenersOf(this.#server) + listenersOf(process);
  }

  async close() {
    await this.#shutdown();
  }
}

/** @param {Pick<import("node:events").EventEmitter, "eventNames" | "listenerCount">} emitter */
function listenersOf(emitter) {
  return emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0);
}
