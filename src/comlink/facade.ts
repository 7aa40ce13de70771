/** What `wrap` and `spawn` return: comlink's proxy behind one of ours, which sees each call's promise. */

export interface Facade {
  /** Names that are ours, or comlink's own: `undefined` for all others. */
  readonly own: (name: string | symbol) => { readonly value: unknown } | undefined;
  /** Told of what a call has returned. */
  readonly answered: (answer: unknown) => void;
}

/**
 * Comlink's proxy takes any name, symbols too, for a property of what is exposed: printing it, or making JSON of it, would be a
 * call that fails. Here a symbol that nobody knows is nothing.
 */
export function facade(remote: object, { own, answered }: Facade, isRoot = true): object {
  // Not over `remote` itself: what prints a proxy looks at what is behind it.
  return new Proxy(function remoteProxy() {}, {
    get(_target, name): unknown {
      const known = own(name);
      if (known !== undefined) return known.value;
      // At the top it is no promise; below it is: `await remote.property`.
      if (name === "then") return isRoot ? undefined : Reflect.get(remote, name);
      if (typeof name === "symbol" || name === "toJSON") return undefined;
      return below(Reflect.get(remote, name));
    },
    set: (_target, name, value) => Reflect.set(remote, name, value),
    apply(_target, self, args): unknown {
      const answer = attempt(() => Reflect.apply(remote as () => unknown, self, args));
      answered(answer);
      return below(answer);
    },
    construct(_target, args): object {
      const answer = Reflect.construct(remote as new () => object, args) as object;
      answered(answer);
      return answer;
    },
  });

  /** A call never throws: what comlink, or a custom context, throws while it makes it ready, the promise rejects with. */
  function attempt(make: () => unknown): unknown {
    try {
      return make();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  function below(value: unknown): unknown {
    return typeof value === "function" ? facade(value, { own: symbols, answered }, false) : value;
  }

  /** Symbols are for all levels, names of ours for the top. */
  function symbols(name: string | symbol): { readonly value: unknown } | undefined {
    return typeof name === "symbol" ? own(name) : undefined;
  }
}
