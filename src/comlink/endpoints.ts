/** Comlink's two ends over endpoints of ours. */
import { Calls, type CallsOptions } from "./calls.js";
import { type Connection, connect } from "./connection.js";
import { type Facade, facade } from "./facade.js";
import type { ComlinkModule } from "./module.js";
import { Service } from "./service.js";

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
  const another = (): object => {
    const { port1, port2 } = new MessageChannel();
    const opened = connect("endpoint", port1);
    serve(comlink, value, opened);
    return port2;
  };
  // Which origins are allowed is the service's to say: comlink gets to see no others.
  const service = new Service(connection, value, another, allowedOrigins);
  comlink.expose(value, service as never);
  return service;
}
