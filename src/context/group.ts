/** Go's errgroup: functions that work for one purpose, and fail as one. */
import type { CancelFunc, Context } from "./context.js";
import { checkContext } from "./derive.js";
import { invalidArg } from "./invalid.js";
import { withCancel } from "./with-cancel.js";

export interface GroupOptions {
  /** How many functions may be active at once; negative or absent: any number; 0 lets nothing start. */
  limit?: number;
}

/**
 * Runs functions under one context: the first failure cancels it, with itself as the cause, and `wait` reports it.
 *
 * The functions are not stopped from outside: they watch the context they are handed. As an `AsyncDisposable`
 * (`await using`) it cancels and waits when its scope is left.
 */
export class Group {
  /** Ends with the parent, at the first failure, when `wait` is over, and on dispose. */
  readonly ctx: Context;
  readonly #cancel: CancelFunc;
  readonly #limit: number;
  /** Waiting for a place, from `#next` on: a long array's own `shift` takes time in proportion to its length. */
  #queue: (() => void)[] = [];
  #next = 0;
  #active = 0;
  #failure: { readonly error: unknown } | undefined;
  #idle: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  /** @throws TypeError ERR_INVALID_ARG for no parent, or a limit that is no integer (Infinity is fine) */
  constructor(parent: Context, options: GroupOptions = {}) {
    checkContext("Group: parent", parent);
    if (typeof options !== "object" || (options as unknown) === null)
      throw invalidArg("Group: options", "an object", options);
    const limit = options.limit === undefined ? -1 : options.limit;
    if (
      typeof limit !== "number" ||
      !(Number.isInteger(limit) || Math.abs(limit) === Number.POSITIVE_INFINITY)
    ) {
      throw invalidArg("Group: options.limit", "an integer", limit);
    }
    this.#limit = limit < 0 ? Number.POSITIVE_INFINITY : limit;
    [this.ctx, this.#cancel] = withCancel(parent);
  }

  /**
   * Calls `fn` with the group's context: now, or, at the limit, when its turn comes, first in first out. It starts
   * also after a cancellation, and is handed a context that is done.
   *
   * @returns what `fn` returns or throws. Already handled: ignoring it is safe, the failure reaches `wait` anyway.
   * Rejects with TypeError ERR_INVALID_ARG, and fails the group, when `fn` is no function.
   */
  go<T>(fn: (ctx: Context) => T | PromiseLike<T>): Promise<T> {
    if (typeof fn !== "function") {
      const error = invalidArg("Group.go: fn", "a function", fn);
      this.#fail(error);
      const refused = Promise.reject<T>(error);
      refused.catch(() => {});
      return refused;
    }
    const promise = new Promise<T>((resolve) => {
      const start = (): void => {
        resolve(this.#run(fn));
      };
      if (this.#active < this.#limit) start();
      else this.#queue.push(start);
    });
    promise.catch(() => {});
    return promise;
  }

  /**
   * Calls `fn` now, unless the group is at its limit; never queues.
   *
   * @returns whether it started
   * @throws TypeError ERR_INVALID_ARG when `fn` is no function
   */
  tryGo(fn: (ctx: Context) => unknown): boolean {
    if (typeof fn !== "function") throw invalidArg("Group.tryGo: fn", "a function", fn);
    if (this.#active >= this.#limit) return false;
    this.#run(fn).catch(() => {});
    return true;
  }

  /**
   * Waits for every function, then cancels the group's context. Functions that a limit of 0 keeps from starting do
   * not count. May be called again, with the same answer.
   *
   * @returns rejects with the first failure by time, whatever it is; later ones are dropped
   */
  async wait(): Promise<void> {
    await this.#settled();
    this.#cancel();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Cancels, waits for every function; never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancel();
    await this.#settled();
  }

  async #run<T>(fn: (ctx: Context) => T | PromiseLike<T>): Promise<T> {
    this.#active++;
    try {
      return await fn(this.ctx);
    } catch (error) {
      this.#fail(error);
      throw error;
    } finally {
      this.#active--;
      this.#startNext();
      if (this.#active === 0) {
        this.#idle?.resolve();
        this.#idle = undefined;
      }
    }
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#cancel(error);
  }

  #startNext(): void {
    const start = this.#queue[this.#next++];
    if (this.#next >= this.#queue.length) {
      this.#queue = [];
      this.#next = 0;
    }
    start?.();
  }

  async #settled(): Promise<void> {
    while (this.#active > 0) {
      if (this.#idle === undefined) {
        let resolve = (): void => {};
        const promise = new Promise<void>((r) => {
          resolve = r;
        });
        this.#idle = { promise, resolve };
      }
      await this.#idle.promise;
    }
  }
}
