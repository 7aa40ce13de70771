/** The public shapes of the context room. Owns no code. */
import type { ContextError } from "./errors.js";
import type { ContextKey } from "./keys.js";

/**
 * Carries a cancellation, a deadline and values to everything that works for one purpose.
 *
 * Pass it as the first argument, named `ctx`, and do not keep it in objects. Everything here may be called at any
 * time, any number of times, also after the end. The semantics are those of Go's `context.Context`.
 */
export interface Context {
  /**
   * When this context ends by itself: milliseconds since the epoch, or undefined without a deadline. A wall-clock
   * estimate fixed at creation and still reported after the end; to measure what is left, use `remaining()`.
   */
  deadline(): number | undefined;
  /**
   * Resolves once the context has ended; never rejects. The same promise at every call, except that a context that
   * can never end may hand out a fresh one that never settles, so that races leave nothing behind on it.
   */
  done(): Promise<void>;
  /** Undefined while live; afterwards a CanceledError or DeadlineExceededError, the same object at every call. */
  err(): ContextError | undefined;
  /** The value of the nearest `withValue` above with this very key, else undefined. @throws TypeError ERR_INVALID_ARG when `key` is no ContextKey */
  value<T>(key: ContextKey<T>): T | undefined;
  /** Throws `err()` once the context has ended; does nothing before. */
  throwIfDone(): void;
  /** The same ending for APIs that take an AbortSignal: made when first asked for, aborts with `err()` as its reason. */
  readonly signal: AbortSignal;
}

/**
 * Ends the context it came with, and everything below, before it returns; it does not wait for the work. Only the
 * first call counts. `cause` is what `cause(ctx)` returns afterwards; undefined stands for none, while null, 0 and ""
 * are causes. `using _ = cancel` calls it without one when the scope is left, as Go's `defer cancel()`.
 *
 * Never hand it to an emitter as it is: in `res.on("close", cancel)` the event's argument would become the cause.
 */
export type CancelFunc = ((cause?: unknown) => void) & Disposable;
