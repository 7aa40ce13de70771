/**
 * Listening to a server without changing what it does. For some events a listener says that somebody sees to them, and Node does
 * not: to these it listens only while the server has a listener of somebody else's.
 */
import type { EventEmitter } from "node:events";

type Listener = (...args: never[]) => void;
type Listeners = Readonly<Record<string, Listener | undefined>>;

export class Following {
  readonly #emitter: EventEmitter;
  readonly #always: Listeners;
  readonly #along: Listeners;

  constructor(emitter: EventEmitter, always: Listeners, along: Listeners) {
    this.#emitter = emitter;
    this.#always = always;
    this.#along = along;
    for (const [name, listener] of Object.entries(always)) if (listener) this.#on(name, listener);
    for (const [name, listener] of Object.entries(along)) {
      if (listener && emitter.listenerCount(name) > 0) this.#on(name, listener);
    }
    emitter.on("newListener", this.#onNewListener);
    emitter.on("removeListener", this.#onRemoveListener);
  }

  #on(name: string, listener: Listener): void {
    this.#emitter.on(name, listener as (...args: unknown[]) => void);
  }

  #off(name: string, listener: Listener): void {
    this.#emitter.off(name, listener as (...args: unknown[]) => void);
  }

  /** Before it is added. */
  readonly #onNewListener = (name: string | symbol, added: Listener): void => {
    const ours = this.#of(name);
    if (ours !== undefined && ours !== added && this.#emitter.listenerCount(name) === 0)
      this.#on(String(name), ours);
  };

  /** After it has been removed. */
  readonly #onRemoveListener = (name: string | symbol, removed: Listener): void => {
    const ours = this.#of(name);
    if (ours !== undefined && ours !== removed && this.#emitter.listenerCount(name) === 1)
      this.#off(String(name), ours);
  };

  #of(name: string | symbol): Listener | undefined {
    return typeof name === "string" && Object.hasOwn(this.#along, name) ? this.#along[name] : undefined;
  }

  stop(): void {
    this.#emitter.off("newListener", this.#onNewListener);
    this.#emitter.off("removeListener", this.#onRemoveListener);
    for (const listeners of [this.#always, this.#along])
      for (const [name, listener] of Object.entries(listeners)) if (listener) this.#off(name, listener);
  }
}
