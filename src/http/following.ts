/**
 * Listening to a server without changing what it does. To some events a listener says that somebody sees to them, and Node does
 * not: to these it listens only while somebody else does.
 */
import type { EventEmitter } from "node:events";

type Listener = (...args: never[]) => void;
type Listeners = Readonly<Record<string, Listener>>;

/** Listeners that are nobody else's: a server may have more than one who follows it. */
const ours = new WeakSet<object>();

export class Following {
  readonly #emitter: EventEmitter;
  readonly #always: Listeners;
  readonly #along: Listeners;
  /** The events that it listens to. */
  readonly #on = new Set<string>();

  /**
   * @param always listeners for events to which one more makes no difference
   * @param along those for the others
   */
  constructor(emitter: EventEmitter, always: Listeners, along: Listeners) {
    this.#emitter = emitter;
    this.#always = always;
    this.#along = along;
    for (const listener of [...Object.values(always), ...Object.values(along)]) ours.add(listener);
    for (const name of Object.keys(always)) this.#start(name, always);
    for (const name of Object.keys(along)) if (this.#hasOthers(name)) this.#start(name, along);
    emitter.on("newListener", this.#onNewListener);
    emitter.on("removeListener", this.#onRemoveListener);
  }

  #start(name: string, { [name]: listener }: Listeners): void {
    // Before it is on, since whoever else follows hears of it, and may do the same.
    if (listener === undefined || this.#on.has(name)) return;
    this.#on.add(name);
    this.#emitter.on(name, listener as (...args: unknown[]) => void);
  }

  #end(name: string, { [name]: listener }: Listeners): void {
    if (listener === undefined || !this.#on.delete(name)) return;
    this.#emitter.off(name, listener as (...args: unknown[]) => void);
  }

  #hasOthers(name: string): boolean {
    return this.#emitter.rawListeners(name).some((listener) => !ours.has(listener));
  }

  /** Is told before it is added. */
  readonly #onNewListener = (name: string | symbol, added: Listener): void => {
    if (typeof name === "string" && !ours.has(added)) this.#start(name, this.#along);
  };

  /** Is told after it has been removed. */
  readonly #onRemoveListener = (name: string | symbol): void => {
    if (typeof name === "string" && !this.#hasOthers(name)) this.#end(name, this.#along);
  };

  stop(): void {
    this.#emitter.off("newListener", this.#onNewListener);
    this.#emitter.off("removeListener", this.#onRemoveListener);
    for (const listeners of [this.#always, this.#along])
      for (const name of Object.keys(listeners)) this.#end(name, listeners);
  }
}
