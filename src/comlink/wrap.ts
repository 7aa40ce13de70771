/** Comlink's two functions, with calls that settle and contexts that are given back. */
import * as Comlink from "comlink";
import { invalidArg } from "../context/invalid.js";
import { checkGrace, DEFAULT_GRACE } from "../workers/grace.js";
import { type AnyEndpoint, connect, kept } from "./connection.js";
import { call, serve } from "./endpoints.js";
import { ensureRegistered } from "./handlers.js";
import { type ComlinkModule, checkComlink } from "./module.js";
import { builtin } from "./platform.js";

export interface WrapOptions {
  /**
   * ms that a call has, after a context of its has ended, to settle with what the other side makes of that: mostly it throws, or
   * returns its best so far. Then it rejects with the context's `err()`, and the work behind it may go on. 0: in the same
   * instant; Infinity: never. @default 250
   */
  grace?: number;
  /** The copy of comlink that is used. @default the one that `import "comlink"` finds */
  comlink?: ComlinkModule;
}

export interface ExposeOptions {
  /** As comlink's: of which origins messages are answered. @default all */
  allowedOrigins?: (string | RegExp)[];
  /** The copy of comlink that is used. @default the one that `import "comlink"` finds */
  comlink?: ComlinkModule;
}

/**
 * Comlink's `wrap`, and `register()`. A call made through what it returns settles, whatever happens: it
 * - rejects with `ctx.err()`, and is not even made, when a context among its arguments is done;
 * - has `grace` to settle by itself once one of them ends, and rejects with that one's `err()` then. What the other side throws
 *   because of that end is that very `err()` here;
 * - rejects with CallError ERR_WORKER_CRASHED or ERR_PEER_CLOSED when the other side dies, or is dead, ERR_PROXY_RELEASED when the
 *   proxy is released meanwhile, ERR_NOT_CLONEABLE for what cannot be cloned, and with what the other side throws.
 *
 * Only of an answer that cannot be read on this side (`messageerror`) nobody knows which call it was for: that one waits for its context. With
 * the call its contexts are over on the other side.
 *
 * @param endpoint a Worker of Node or of a browser itself, so that its end is noticed; a MessagePort; any endpoint of comlink's, of
 * which nobody can know that the other side is gone. A browser tells of a Worker only that its script could not be loaded, not that
 * it was terminated, and mostly nothing of a port: there a call without a context may wait for ever
 * @typeParam T what is exposed there
 * @throws TypeError ERR_INVALID_ARG
 */
export function wrap<T>(endpoint: AnyEndpoint, options: WrapOptions = {}): Comlink.Remote<T> {
  if (typeof options !== "object" || (options as unknown) === null)
    throw invalidArg("wrap: options", "an object", options);
  const { grace = DEFAULT_GRACE, comlink = Comlink } = options;
  checkGrace("wrap: options.grace", grace);
  ensureRegistered(checkComlink("wrap: options.comlink", comlink));
  const connection = connect("wrap: endpoint", endpoint);
  return call(comlink, connection, { grace, isOwned: false }).remote as Comlink.Remote<T>;
}

/**
 * Comlink's `expose`, and `register()`. A call whose context has ended on its way is not made; when a call has been answered, or
 * the endpoint closes, its contexts are over, for whatever it has left behind.
 *
 * @param value an object, a function or a class
 * @param endpoint @default the thread that started this one
 * @throws TypeError ERR_INVALID_ARG
 */
export function expose(value: unknown, endpoint?: AnyEndpoint, options: ExposeOptions = {}): void {
  if ((typeof value !== "object" && typeof value !== "function") || value === null)
    throw invalidArg("expose: value", "an object, a function or a class", value);
  if (typeof options !== "object" || (options as unknown) === null)
    throw invalidArg("expose: options", "an object", options);
  const { allowedOrigins, comlink = Comlink } = options;
  ensureRegistered(checkComlink("expose: options.comlink", comlink));
  const connection = connect("expose: endpoint", endpoint ?? parentEndpoint());
  serve(comlink, value, isParent(endpoint) ? kept(connection) : connection, allowedOrigins);
}

/** Where this thread's creator is; in a browser's window what comlink takes, the window itself. */
function parentEndpoint(): unknown {
  const threads = builtin("node:worker_threads") as { readonly parentPort: unknown } | undefined;
  return threads === undefined ? globalThis : threads.parentPort;
}

/** The way to a thread's creator is not ours to close when a proxy is released: other proxies may go over it, too. */
function isParent(endpoint: AnyEndpoint | undefined): boolean {
  return endpoint === undefined || (endpoint as unknown) === parentEndpoint();
}
