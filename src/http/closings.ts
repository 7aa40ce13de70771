/** Connections that close: one listener for each, however many requests a client has pipelined on it. */
import type { EventEmitter } from "node:events";

class Closings {
  readonly #socket: EventEmitter;
  readonly #fns = new Set<() => void>();

  constructor(socket: EventEmitter) {
    this.#socket = socket;
  }

  add(fn: () => void): void {
    if (this.#fns.size === 0) this.#socket.on("close", this.#onClose);
    this.#fns.add(fn);
  }

  /** The last one to go takes the listener along: the connection may live for long, and serve others. */
  delete(fn: () => void): void {
    if (this.#fns.delete(fn) && this.#fns.size === 0) this.#socket.off("close", this.#onClose);
  }

  readonly #onClose = (): void => {
    for (const fn of [...this.#fns]) fn();
  };
}

const all = new WeakMap<EventEmitter, Closings>();

/** Calls `fn` when `socket` closes, until what is returned is called. Repeated calls of that do nothing. */
export function whenClosed(socket: EventEmitter, fn: () => void): () => void {
  let closings = all.get(socket);
  if (closings === undefined) {
    closings = new Closings(socket);
    all.set(socket, closings);
  }
  const own = (): void => fn();
  closings.add(own);
  return () => {
    closings.delete(own);
  };
}
