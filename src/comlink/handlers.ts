/** Registering with a copy of comlink: its table of transfer handlers gets ours. */
import * as Comlink from "comlink";
import { isContext } from "../context/derive.js";
import { invalidArg } from "../context/invalid.js";
import { DEFAULT_GRACE } from "../workers/grace.js";
import { ReturnedProxy, returned } from "./by-reference.js";
import { type AnyEndpoint, connect } from "./connection.js";
import { call, serve } from "./endpoints.js";
import { type ComlinkModule, checkComlink } from "./module.js";
import { Received, receive } from "./received.js";
import { type Sent, serializeContext } from "./sending.js";
import { deserializeThrown, type LocalThrow, serializeThrown } from "./throwing.js";
import { CONTEXT, type ContextWire, PROXY, THROW, type ThrownWire } from "./wire.js";

export interface RegisterOptions {
  /**
   * Whether contexts go over by shared memory where there is any. Without it, their end comes as a message, which a loop does not
   * see until it returns to its event loop. For endpoints that lead out of the process, or the page's own agent cluster, such as
   * another window, a service worker. @default true
   */
  sharedMemory?: boolean;
}

interface Handler {
  canHandle(value: unknown): boolean;
  serialize(value: never): [unknown, unknown[]];
  deserialize(value: never): unknown;
}

type Handlers = Map<string, Handler>;

/** What each table had before, and how contexts go from it. */
const tables = new WeakMap<object, { readonly way: { sharedMemory: boolean } }>();

/**
 * Makes contexts ordinary arguments of comlink's calls: from now on `await remote.render(ctx, scene)` works over any endpoint, in
 * both directions, if the other side has called this too. A context goes as an argument itself, or is returned itself, not within
 * another value, as with all of comlink's transfer handlers.
 *
 * What is thrown keeps its class name, `code`, `cause` and own cloneable properties, and calls of functions passed with
 * `Comlink.proxy` settle when the other side has gone. A context ends there in the instant in which it ends here; its deadline
 * holds while this thread is blocked; its shared values come along. It is given back when it ends, and with `wrap` when the call is
 * over. Repeated calls change the options only.
 *
 * @param comlink the copy of comlink that is used: the one `import "comlink"` finds, if it is not given. There may be two in a
 * program, with a table each
 * @throws TypeError ERR_INVALID_ARG
 */
export function register(comlink: ComlinkModule = Comlink, options: RegisterOptions = {}): void {
  const handlers = checkComlink("register: comlink", comlink).transferHandlers as unknown as Handlers;
  if (typeof options !== "object" || (options as unknown) === null)
    throw invalidArg("register: options", "an object", options);
  const { sharedMemory = true } = options;
  if (typeof sharedMemory !== "boolean")
    throw invalidArg("register: options.sharedMemory", "a boolean", sharedMemory);
  const known = tables.get(handlers);
  if (known !== undefined) {
    known.way.sharedMemory = sharedMemory;
    return;
  }
  const way = { sharedMemory };
  tables.set(handlers, { way });
  handlers.set(
    CONTEXT,
    contextHandler((ctx) => serializeContext(ctx as never, way)),
  );
  const stockThrow = handlers.get(THROW);
  if (stockThrow !== undefined) handlers.set(THROW, throwHandler(stockThrow));
  const stockProxy = handlers.get(PROXY);
  if (stockProxy !== undefined) handlers.set(PROXY, proxyHandler(stockProxy, comlink));
}

/** The same, unless that has been done before: leaves the options as they are. */
export function ensureRegistered(comlink: ComlinkModule): void {
  if (!tables.has(comlink.transferHandlers)) register(comlink);
}

function contextHandler(send: (ctx: unknown) => Sent): Handler {
  return {
    canHandle: isContext,
    serialize(ctx: unknown) {
      const { wire, transfers } = send(ctx);
      return [wire, [...transfers]];
    },
    // A service has received it already.
    deserialize: (wire: ContextWire | Received) => (wire instanceof Received ? wire : receive(wire)).ctx,
  };
}

function throwHandler(stock: Handler): Handler {
  return {
    canHandle: (value) => stock.canHandle(value),
    serialize: ({ value }: { readonly value: unknown }) => [serializeThrown(value), []],
    deserialize: (wire: ThrownWire | LocalThrow) =>
      deserializeThrown(wire, (unread) => stock.deserialize(unread as never)),
  };
}

/** Functions and objects that comlink passes by reference, over a port of their own. */
function proxyHandler(stock: Handler, comlink: ComlinkModule): Handler {
  return {
    canHandle: (value) => stock.canHandle(value),
    serialize(value: object) {
      const { port1, port2 } = new MessageChannel();
      const connection = connect("proxy", port1);
      returned.set(port2, serve(comlink, value, connection));
      // Who holds the proxy keeps his own process alive, not this one.
      connection.hold(false);
      return [port2, [port2]];
    },
    deserialize(value: AnyEndpoint | ReturnedProxy) {
      if (!(value instanceof ReturnedProxy))
        return call(comlink, connect("proxy", value), { grace: DEFAULT_GRACE, isOwned: true }).remote;
      const parent = value.calls;
      const { calls, remote } = call(comlink, connect("proxy", value.port), parent.childOptions());
      parent.addChild(calls);
      return remote;
    },
  };
}
