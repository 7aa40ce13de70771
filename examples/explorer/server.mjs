// @ts-check
/** The server: the page, its tiles, the live picture, and cancelling by hand. */
import { createServer } from "node:http";
import { background, cause, Pool, withCancel, withTimeout } from "lifeguard";
import { admit, requestContext, respond, serverContext } from "lifeguard/http";
import { Board } from "./board.mjs";
import { fileAt, guarded } from "./files.mjs";
import { Live } from "./live.mjs";
import { Refusal } from "./refusal.mjs";
import { byHand, Register } from "./register.mjs";
import { ticketOf, wishOf } from "./tiles.mjs";

/** @typedef {import("node:http").IncomingMessage} Request */
/** @typedef {import("node:http").ServerResponse} Response */
/** @typedef {import("lifeguard").Context} Context */

/** How long a tile may take, waiting included, ms. Also when cancellation is switched off: the work is bounded. */
const TIMEOUT = 20_000;

/** Tiles that may wait: enough to feel them, when nothing is cancelled, and not more. */
const MAX_QUEUE = 32;

/** What POST /cancel reads at most. */
const MAX_BODY = 256;

/** The paths that are no files, and the one method of each. */
const methods = new Map([
  ["/tile", "GET"],
  ["/live", "GET"],
  ["/stats", "GET"],
  ["/cancel", "POST"],
]);

/**
 * @param {{ threads: number }} options
 * @returns {{ server: import("node:http").Server, stop: (patience: Context) => Promise<void> }}
 */
export function explorer({ threads }) {
  const board = new Board();
  /** @type {Pool<typeof import("./tasks.mjs")>} */
  const pool = new Pool(new URL("./tasks.mjs", import.meta.url), {
    name: "explorer",
    threads,
    maxQueue: MAX_QUEUE,
    workerData: { board: board.memory },
  });
  const register = new Register(board);
  const live = new Live(register, board, pool);
  const server = createServer((req, res) => void answer(req, res));
  const [base, shutdown] = serverContext(background, server, { pools: [pool] });

  // A connection that breaks, or speaks no HTTP, is nobody's error but its own.
  server.on("clientError", (_error, socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    else socket.destroy();
  });

  /**
   * @param {Request} req
   * @param {Response} res
   */
  async function answer(req, res) {
    req.on("error", ignore);
    res.on("error", ignore);
    try {
      const url = urlOf(req);
      const method = methods.get(url.pathname) ?? "GET";
      if (req.method !== method && !(method === "GET" && req.method === "HEAD")) {
        res.setHeader("Allow", method);
        throw new Refusal(405, `${url.pathname.slice(0, 40)} takes ${method}`);
      }
      await routes(req, res, url);
    } catch (error) {
      if (error instanceof Refusal) refuse(res, error);
      else if (!respond(res, error)) fail(res, error);
    }
  }

  /**
   * @param {Request} req
   * @param {Response} res
   * @param {URL} url
   */
  async function routes(req, res, url) {
    switch (url.pathname) {
      case "/tile":
        await sendTile(req, res, url);
        return;
      case "/live":
        live.listen(requestContext(base, req, res), res);
        return;
      case "/stats":
        json(res, register.totals());
        return;
      case "/cancel":
        await cancelByHand(req, res);
        return;
      default:
        await sendFile(res, url.pathname);
    }
  }

  /**
   * A tile, under a context of its request's. The client's leaving ends that, and with it the task, wherever it is: in the queue,
   * or in the middle of its loop.
   *
   * @param {Request} req
   * @param {Response} res
   * @param {URL} url
   */
  async function sendTile(req, res, url) {
    const wish = wishOf(url.searchParams);
    if (wish.ticket !== undefined && register.find(wish.ticket) !== undefined)
      throw new Refusal(409, "ticket: it is in use");
    const client = requestContext(base, req, res, { timeout: TIMEOUT });
    // With the switch off, what computes is not below the request, and does not hear that its client has gone.
    const [parent, release] = wish.cancels ? [client, ignore] : withTimeout(base, TIMEOUT);
    const [ctx, cancel] = withCancel(parent);
    try {
      admitOrCount(ctx);
      const pixels = await register.follow(wish, client, ctx, cancel, (number) =>
        pool.submit(ctx, "mandelbrot", [number, wish.tile]),
      );
      // The bytes as they lie in memory; every machine that runs a browser has the lower one first.
      send(res, 200, "application/octet-stream", Buffer.from(pixels.buffer));
    } catch (error) {
      if (cause(ctx) !== byHand && !(error instanceof Error && error.cause === byHand)) throw error;
      send(res, 410, "text/plain; charset=utf-8", byHand.message);
    } finally {
      cancel();
      release();
    }
  }

  /** @param {Context} ctx */
  function admitOrCount(ctx) {
    try {
      admit(ctx, pool, "mandelbrot");
    } catch (error) {
      register.refuse();
      throw error;
    }
  }

  /**
   * Ends a request's context, or that of its task, which lies below.
   *
   * @param {Request} req
   * @param {Response} res
   */
  async function cancelByHand(req, res) {
    const { ticket, what = "request" } = await bodyOf(req);
    const name = ticketOf(ticket);
    if (name === undefined) throw new Refusal(400, "ticket: it is missing");
    if (what !== "request" && what !== "task") throw new Refusal(400, 'what: expected "request" or "task"');
    const entry = register.find(name);
    if (entry === undefined) throw new Refusal(404, "nothing of that ticket is under way");
    register.cancelByHand(entry, what);
    json(res, { cancelled: name });
  }

  return {
    server,
    async stop(patience) {
      live.end(); // or else they would be waited for
      await shutdown(patience);
    },
  };
}

/** @param {Request} req */
function urlOf(req) {
  try {
    return new URL(req.url ?? "/", "http://localhost");
  } catch {
    throw new Refusal(400, "that is no URL");
  }
}

/**
 * @param {Request} req
 * @returns {Promise<{ ticket?: unknown, what?: unknown }>}
 */
async function bodyOf(req) {
  // A page from elsewhere cannot send this type without asking first, and we never say yes.
  const [type = ""] = (req.headers["content-type"] ?? "").split(";", 1);
  if (type.trim().toLowerCase() !== "application/json") throw new Refusal(415, "expected application/json");
  let text = "";
  for await (const chunk of req.setEncoding("utf8")) {
    text += String(chunk);
    if (text.length > MAX_BODY) throw new Refusal(413, `expected ${MAX_BODY} characters at most`);
  }
  try {
    const body = /** @type {unknown} */ (JSON.parse(text));
    if (typeof body === "object" && body !== null) return body;
  } catch {}
  throw new Refusal(400, "expected a JSON object");
}

/**
 * @param {Response} res
 * @param {string} path
 */
async function sendFile(res, path) {
  const file = await fileAt(path);
  if (file === undefined) throw new Refusal(404, "there is no such page");
  send(res, 200, file.type, file.body);
}

/**
 * @param {Response} res
 * @param {unknown} value
 */
function json(res, value) {
  send(res, 200, "application/json", JSON.stringify(value));
}

/**
 * @param {Response} res
 * @param {Refusal} refusal
 */
function refuse(res, { status, message }) {
  // What is left of the body is not read: the connection cannot be used again.
  if (status === 413) res.setHeader("Connection", "close");
  send(res, status, "text/plain; charset=utf-8", message);
}

/**
 * @param {Response} res
 * @param {unknown} error
 */
function fail(res, error) {
  console.error(error);
  if (!res.headersSent) send(res, 500, "text/plain; charset=utf-8", "something went wrong here");
  else res.destroy();
}

/**
 * @param {Response} res
 * @param {number} status
 * @param {string} type
 * @param {string | Buffer} body
 */
function send(res, status, type, body) {
  if (res.destroyed || res.headersSent) return;
  res.writeHead(status, { ...guarded, "Content-Type": type, "Cache-Control": "no-store" }).end(body);
}

function ignore() {}
