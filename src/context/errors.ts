/** The errors a context ends with, and how to recognize them. */

/** On the prototype of every ContextError of every copy of the library in the process. */
const brand = Symbol.for("lifeguard.ContextError");

/** Why a context is over. `code` is what to compare; `cause` is what the one who ended it gave, where he gave something. */
export class ContextError extends Error {
  declare code: string;
}

/** Someone called `cancel`: name "AbortError", code "ABORT_ERR", as the platform's own. Go's `context.Canceled`. */
export class CanceledError extends ContextError {
  /** @param options `cause`: why, where there is a reason */
  constructor(options?: ErrorOptions) {
    super("context canceled", options);
  }
}

/** The deadline passed: name "TimeoutError", code "ERR_DEADLINE_EXCEEDED". Go's `context.DeadlineExceeded`. */
export class DeadlineExceededError extends ContextError {
  /** @param options `cause`: the one given to `withTimeout` or `withDeadline` */
  constructor(options?: ErrorOptions) {
    super("context deadline exceeded", options);
  }
}

// On the prototypes, so that an error costs its message only. `name` has to be there before the constructor of Error
// runs: V8 writes it into the first line of `stack`.
const constant = (value: unknown): PropertyDescriptor => ({
  value,
  writable: true,
  configurable: true,
  enumerable: false,
});
Object.defineProperty(ContextError.prototype, brand, constant(true));
Object.defineProperties(CanceledError.prototype, {
  name: constant("AbortError"),
  code: constant("ABORT_ERR"),
});
Object.defineProperties(DeadlineExceededError.prototype, {
  name: constant("TimeoutError"),
  code: constant("ERR_DEADLINE_EXCEEDED"),
});

/** Whether `e` is a ContextError, by brand: true also for one of another copy of the library. Never throws. */
export function isContextError(e: unknown): e is ContextError {
  try {
    return typeof e === "object" && e !== null && (e as Record<symbol, unknown>)[brand] === true;
  } catch {
    return false;
  }
}
