// @ts-check
/**
 * The live picture, as server-sent events: what is under way, what has ended since, the sums. Ten times a second while somebody
 * looks on and something changes; otherwise nothing is done at all.
 */
import { afterFunc } from "lifeguard";
import { Refusal } from "./refusal.mjs";

/** @typedef {import("node:http").ServerResponse} Response */
/** @typedef {import("./register.mjs").Register} Register */

const EVERY = 100;

/** Pages that can look on. */
const MOST = 16;

/** Requests that are told one by one; of the rest, how many there are. */
const SHOWN = 60;

export class Live {
  #register;
  #board;
  #pool;
  /** For each listener, how many ends it has been told. @type {Map<Response, number>} */
  #listeners = new Map();
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  #told = "";

  /**
   * @param {Register} register
   * @param {import("./board.mjs").Board} board
   * @param {import("lifeguard").Pool<typeof import("./tasks.mjs")>} pool
   */
  constructor(register, board, pool) {
    this.#register = register;
    this.#board = board;
    this.#pool = pool;
  }

  /**
   * @param {import("lifeguard").Context} ctx - of the request
   * @param {Response} res
   * @throws Refusal 503
   */
  listen(ctx, res) {
    if (this.#listeners.size >= MOST) throw new Refusal(503, "there are too many who look on");
    res.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    this.#listeners.set(res, 0);
    this.#tell(res);
    this.#timer ??= setInterval(() => this.#tick(), EVERY);
    afterFunc(ctx, () => this.#leave(res));
  }

  /** Nobody is told anything any more. */
  end() {
    for (const res of this.#listeners.keys()) {
      res.end();
      this.#leave(res);
    }
  }

  /** @param {Response} res */
  #leave(res) {
    this.#listeners.delete(res);
    if (this.#listeners.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick() {
    // While something runs its progress changes, which nobody tells us.
    const { running, queued } = this.#pool.stats();
    const state = `${this.#register.version} ${running} ${queued}`;
    if (this.#register.size === 0 && state === this.#told) return;
    this.#told = state;
    for (const res of this.#listeners.keys()) this.#tell(res);
  }

  /** @param {Response} res */
  #tell(res) {
    // Who reads slowly is told less often; what has ended meanwhile is not lost.
    if (res.writableNeedDrain) return;
    const { ended, all } = this.#register.endedSince(this.#listeners.get(res) ?? 0);
    this.#listeners.set(res, all);
    res.write(`data: ${JSON.stringify({ ...this.#snapshot(), ended })}\n\n`);
  }

  #snapshot() {
    const now = performance.now();
    const requests = [...this.#register.entries()].map((entry) => {
      const run = this.#board.read(entry.number);
      const { zoom, x, y, detail } = entry.wish.tile;
      return {
        ticket: entry.ticket,
        number: entry.number,
        at: [zoom, x, y],
        detail,
        cancels: entry.wish.cancels,
        state: entry.task.state === "stopping" ? "stopping" : run === undefined ? "queued" : "running",
        thread: run?.thread ?? null,
        began: run?.began ?? null,
        asked: entry.asked,
        unwanted: entry.unwanted ?? null,
        progress: entry.task.progress,
      };
    });
    // Those that run first: what is left out waits.
    requests.sort(
      (a, b) => Number(a.state === "queued") - Number(b.state === "queued") || a.number - b.number,
    );
    const { threads, idle, queued, running } = this.#pool.stats();
    return {
      now,
      requests: requests.slice(0, SHOWN),
      more: Math.max(0, requests.length - SHOWN),
      totals: this.#register.totals(),
      pool: { threads, idle, queued, running },
    };
  }
}
