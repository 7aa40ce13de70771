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

const hubs = new WeakMap<EventEmitter, Map<string, Hub>>();

/** Calls `fn` at each `event` of `emitter`, until what is returned is called. Repeated calls of that do nothing. */
export function listen(emitter: EventEmitter, event: string, fn: () => void): () => void {
  let events = hubs.get(emitter);
  if (events === undefined) {
    events = new Map();
    hubs.set(emitter, events);
  }
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
