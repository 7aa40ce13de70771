/** How a context ended: one record for all that ended with it. Makes the error when somebody asks. */
import { CanceledError, type ContextError, DeadlineExceededError } from "./errors.js";

/** V8's knob for how many frames an error records; other engines do not look at it. */
const V8Error = Error as { stackTraceLimit?: number | undefined };

/** `undefined` means "no cause given": the error itself is the cause then. */
type Cause = unknown;

let recording = false;

/**
 * For debugging: whether the errors of contexts cancelled from now on carry the stack of the call of `cancel`. Off by
 * default, since such an error is then made at every cancellation, which costs some microseconds.
 */
export function recordCancelStacks(on: boolean): void {
  recording = on;
}

/** Shared by a context and every descendant it took along, so that all return the very same error and cause. */
export class Ending {
  readonly expired: boolean;
  /** Itself: the state of a node, an Ending or what waits for one, is asked in the same way. */
  readonly ending: Ending = this;
  readonly #cause: Cause;
  #error: ContextError | undefined;

  /** @param error the error where it exists already, as below a custom parent */
  constructor(expired: boolean, cause: Cause, error?: ContextError) {
    this.expired = expired;
    this.#cause = cause;
    this.#error = error;
    if (recording && error === undefined) this.#error = make(expired, cause);
  }

  /** Made at the first call, without stack frames: they would point at whoever happened to ask first. */
  error(): ContextError {
    this.#error ??= withoutFrames(() => make(this.expired, this.#cause));
    return this.#error;
  }

  cause(): unknown {
    return this.#cause === undefined ? this.error() : this.#cause;
  }

  /** The cause that was given, undefined for none: what crosses a thread, since the other side makes its own error. */
  given(): Cause {
    return this.#cause;
  }
}

/** How a context ends whose work is over, for whatever that has left behind. One for all. */
export const over = new Ending(false, undefined);

/** Made beforehand, because making an error takes longer than all else between a `cancel()` and the loop that sees it. */
let spare: Ending | undefined;

/** Sees to it that the next plain cancellation finds its error ready: a microsecond, at a time when nobody waits. */
export function prepareEnding(): void {
  if (spare !== undefined) return;
  spare = new Ending(false, undefined);
  spare.error();
}

/** A cancellation without a cause: the one prepared, where there is one. */
export function plainEnding(): Ending {
  const ending = spare ?? new Ending(false, undefined);
  spare = undefined;
  return ending;
}

/** For errors that are made where nobody is to blame. */
export function withoutFrames<T>(create: () => T): T {
  const { stackTraceLimit } = V8Error;
  try {
    V8Error.stackTraceLimit = 0;
  } catch {
    // Somebody has frozen `Error`, against code that means harm: it may have its frames.
    return create();
  }
  try {
    return create();
  } finally {
    V8Error.stackTraceLimit = stackTraceLimit;
  }
}

function make(expired: boolean, cause: Cause): ContextError {
  const options = cause === undefined ? undefined : { cause };
  return expired ? new DeadlineExceededError(options) : new CanceledError(options);
}
