/** Registering with a copy of comlink: its table of transfer handlers gets ours. */
import * as Comlink from "comlink";
import { isContext } from "../context/derive.js";
import { invalidArg } from "../context/invalid.js";
import { DEFAULT_GRACE } from "../workers/grace.js";
import { Calls, type CallsOptions, ReturnedProxy } from "./calls.js";
import { type AnyEndpoint, type Connection, connect } from "./connection.js";
import { type Facade, facade } from "./facade.js";
import { Received, receive } from "./received.js";
import { type Sent, serializeContext } from "./sending.js";
import { returned, Service } from "./service.js";
import { deserializeThrown, type LocalThrow, serializeThrown } from "./throwing.js";
import { CONTEXT, type ContextWire, PROXY, THROW, type ThrownWire } from "./wire.js";

/** What is needed of a copy of comlink: its module, as `import * as Comlink from "comlink"` gives it. */
export type ComlinkModule = Pick<
  typeof Comlink,
  "transferHandlers" | "wrap" | "expose" | "proxyMarker" | "releaseProxy" | "createEndpoint"
>;

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

/** @throws TypeError ERR_INVALID_ARG, naming `where` */
export function checkComlink(where: string, comlink: unknown): ComlinkModule {
  const { transferHandlers, wrap, expose } = (comlink ?? {}) as Partial<ComlinkModule>;
  if (!(transferHandlers instanceof Map) || typeof wrap !== "function" || typeof expose !== "function")
    throw invalidArg(
      where,
      'the module of comlink, as `import * as Comlink from "comlink"` gives it',
      comlink,
    );
  return comlink as ComlinkModule;
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

/**
 * Comlink's proxy over calls that settle.
 *
 * @param own names that are not the other side's
 */
export function call(
  comlink: ComlinkModule,
  connection: Connection,
  options: Omit<CallsOptions, "anchor">,
  own?: Facade["own"],
): { readonly calls: Calls; readonly remote: object } {
  const proxy = (): object => comlink.wrap(calls as never);
  const made: { root?: WeakRef<object> } = {};
  const calls = new Calls(connection, { ...options, anchor: () => made.root?.deref() ?? proxy() });
  const root = proxy();
  made.root = new WeakRef(root);
  return { calls, remote: faced(comlink, calls, root, own) };
}

/** A function of its own, so that no function that the calls hold is made beside one that holds the proxy: comlink's finalizers hold the calls. */
function faced(comlink: ComlinkModule, calls: Calls, root: object, own: Facade["own"] | undefined): object {
  return facade(root, {
    own(name) {
      const known = own?.(name);
      if (known !== undefined) return known;
      // It may be passed on, by reference.
      if (name === comlink.proxyMarker) return { value: true };
      const isComlinks = name === comlink.releaseProxy || name === comlink.createEndpoint;
      return isComlinks ? { value: Reflect.get(root, name) as unknown } : undefined;
    },
    answered: (answer) => {
      calls.answered(answer);
    },
  });
}

/** Comlink's `expose` over a service. */
export function serve(
  comlink: ComlinkModule,
  value: unknown,
  connection: Connection,
  allowedOrigins?: (string | RegExp)[],
): Service {
  const service = new Service(connection, value, allowedOrigins);
  comlink.expose(value, service as never, allowedOrigins);
  return service;
}
