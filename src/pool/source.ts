/** The inputs of a batch, whatever kind of iterable they come from. Owns the iterator: it is opened late and closed once. */

import { invalidArg } from "../context/invalid.js";

/** What an iterator says of its next value, read once: steps are objects of the user's. */
export interface Step {
  readonly isDone: boolean;
  readonly value: unknown;
}

interface AnyIterator {
  next(): unknown;
  return?(): unknown;
}

export type Inputs = Iterable<unknown> | AsyncIterable<unknown>;

/** @throws TypeError ERR_INVALID_ARG */
export function checkInputs(where: string, value: unknown): asserts value is Inputs {
  if (!isInputs(value)) throw invalidArg(where, "an iterable or async iterable", value);
}

function isInputs(value: unknown): value is Inputs {
  if (typeof value === "string") return true;
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const { [Symbol.asyncIterator]: asynchronous, [Symbol.iterator]: synchronous } = value as Partial<
    AsyncIterable<unknown> & Iterable<unknown>
  >;
  return typeof asynchronous === "function" || typeof synchronous === "function";
}

/** How many there are, where that can be known without looking at them. */
function countOf(inputs: Inputs): number | undefined {
  if (Array.isArray(inputs)) return inputs.length;
  if (ArrayBuffer.isView(inputs)) return (inputs as unknown as Uint8Array).length;
  return inputs instanceof Set || inputs instanceof Map ? inputs.size : undefined;
}

export class Source {
  /** Of all inputs; undefined while unknown. */
  total: number | undefined;
  /** There is nothing more to come. */
  isExhausted = false;
  /** Let go of when there is nothing more to come: the batch's handle may be kept for long. */
  #inputs: Inputs | undefined;
  #iterator: AnyIterator | undefined;
  #isAsking = false;

  constructor(inputs: Inputs) {
    this.#inputs = inputs;
    this.total = countOf(inputs);
  }

  /** The next step has been asked for, and has not come. */
  get isAsking(): boolean {
    return this.#isAsking;
  }

  /**
   * The next step, or a promise for it, since a promise for each input would cost more than the rest of it. Throws, and
   * rejects, what the iterable does, which is exhausted then. Not to be called again before it has come.
   */
  next(): Step | Promise<Step> {
    try {
      this.#iterator ??= open(this.#inputs as Inputs);
      this.#isAsking = true;
      const step = this.#iterator.next();
      if (!isThenable(step)) return this.#took(step);
      return Promise.resolve(step).then(
        (late) => this.#took(late),
        (error: unknown) => {
          this.#failed();
          throw error;
        },
      );
    } catch (error) {
      this.#failed();
      throw error;
    }
  }

  #took(step: unknown): Step {
    try {
      if (typeof step !== "object" || step === null)
        throw new TypeError("the inputs' iterator returned something that is no iterator result");
      const { done, value } = step as { done?: unknown; value?: unknown };
      const isDone = Boolean(done);
      this.#isAsking = false;
      if (isDone) this.#exhausted();
      return { isDone, value };
    } catch (error) {
      this.#failed();
      throw error;
    }
  }

  #failed(): void {
    this.#isAsking = false;
    this.#exhausted();
  }

  #exhausted(): void {
    this.isExhausted = true;
    this.#inputs = undefined;
    this.#iterator = undefined;
  }

  /**
   * Tells the iterator that no more is wanted, so that its `finally` blocks run. Waits for them, but not when a step is
   * under way, since that may never come. What they throw is nobody's: the batch is over.
   */
  async close(): Promise<void> {
    const iterator = this.#iterator;
    this.#exhausted();
    if (iterator === undefined) return;
    try {
      const closed = iterator.return?.();
      if (this.#isAsking) Promise.resolve(closed).catch(() => {});
      else await closed;
    } catch {
      // As said above.
    }
  }
}

function isThenable(step: unknown): step is PromiseLike<unknown> {
  return typeof step === "object" && step !== null && typeof (step as { then?: unknown }).then === "function";
}

function open(inputs: Inputs): AnyIterator {
  const { [Symbol.asyncIterator]: asynchronous } = inputs as Partial<AsyncIterable<unknown>>;
  if (typeof asynchronous === "function") return (inputs as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  return (inputs as Iterable<unknown>)[Symbol.iterator]() as AnyIterator;
}
