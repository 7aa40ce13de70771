/** Proxies of comlink's behind one of ours, which has a few names of its own. */

/** Comlink's proxy takes any name, symbols too, for a property of what is exposed; printing it would be a call. */
export interface Facade {
  /** What a name is here. `undefined`: whatever `remote` has under it. */
  readonly own: (name: string | symbol) => { readonly value: unknown } | undefined;
  /** What becomes of a property of the other side's. */
  readonly property?: (value: unknown) => unknown;
  /** What becomes of an answer. */
  readonly answer?: (value: unknown) => unknown;
}

/** `remote`, as comlink has made it, with names of ours. A symbol that is not among them is nothing. */
export function facade(remote: object, { own, property = same, answer = same }: Facade): object {
  // Not `remote` itself: what prints a proxy looks at what is behind it.
  return new Proxy(function remoteProxy() {}, {
    get(_target, name): unknown {
      const known = own(name);
      if (known !== undefined) return known.value;
      return typeof name === "symbol" ? undefined : property(Reflect.get(remote, name));
    },
    set: (_target, name, value) => Reflect.set(remote, name, value),
    apply: (_target, self, args) => answer(Reflect.apply(remote as () => unknown, self, args)),
    construct: (_target, args) => Reflect.construct(remote as new () => object, args) as object,
  });
}

function same(value: unknown): unknown {
  return value;
}
