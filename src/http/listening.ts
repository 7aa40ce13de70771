/** Listening to streams and connections: one listener for each event, however many contexts hang on it. */
import type { EventEmitter } from "node:events";

/** Those who want to know of one event of one emitter. Node warns of more than ten listeners, and a client may pipeline any number of requests. */
class Hub {
  readonly #emitter: EventEmitter;
  readonly #event: string;
  readonly #fns = new Set<() => void>();

  constructor(emitter: EventEmitter, event: string) {
    this.#emitter = emitter;
    this.#event = event;
  }

  add(fn: () => void): void {
    if (this.#fns.size === 0) this.#emitter.on(this.#event, this.#onEvent);
    this.#fns.add(fn);
  }

  /** The last one to go takes the listener along: a connection may live for long, and serve others. */
  delete(fn: () => void): void {
    if (this.#fns.delete(fn) && this.#fns.size === 0) this.#emitter.off(this.#event, this.#onEvent);
  }

  readonly #onEvent = (): void => {
    for (const fn of [...this.#fns]) fn();
  };
}

/**
 * Where an emitter has its hubs. Not in a WeakMap: one whose keys live as briefly as responses do costs the garbage collector
 * more than all the rest of a request.
 */
const hubsKey = Symbol("lifeguard.http.hubs");

/** Calls `fn` at each `event` of `emitter`, until what is returned is called. Repeated calls of that do nothing. */
export function listen(emitter: EventEmitter, event: string, fn: () => void): () => void {
  const events = hubsOf(emitter);
  let hub = events.get(event);
  if (hub === undefined) {
    hub = new Hub(emitter, event);
    events.set(event, hub);
  }
  const all = hub;
  const own = (): void => fn();
  all.add(own);
  return () => {
    all.delete(own);
  };
}

function hubsOf(emitter: EventEmitter & { [hubsKey]?: Map<string, Hub> }): Map<string, Hub> {
  const known = emitter[hubsKey];
  if (known !== undefined) return known;
  const hubs = new Map<string, Hub>();
  // Nobody gets to see it who prints or copies a response.
  Object.defineProperty(emitter, hubsKey, { value: hubs });
  return hubs;
}
