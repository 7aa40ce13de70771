/** What a batch has for its reader, and the reader: results in their order, then the end. Owns no inputs and no threads. */
import { invalid } from "../context/invalid.js";

/** What a batch is told of its reader. */
export interface DeliveryHost {
  /** Something has been taken: there is room for more. */
  taken(): void;
  /** The reader has left. Resolves when nothing of the batch goes on. */
  left(): Promise<void>;
}

export interface Failure {
  readonly error: unknown;
  /** It came by way of a cancellation: nobody has to have listened. */
  readonly isCancellation: boolean;
}

interface Reader {
  readonly promise: Promise<IteratorResult<unknown>>;
  readonly resolve: (step: IteratorResult<unknown>) => void;
  readonly reject: (error: unknown) => void;
}

type End = { readonly failure: Failure | undefined };

/** In place of a result that is not there yet. */
const missing = Symbol("missing");

const finished: IteratorResult<unknown> = { done: true, value: undefined };

export class Delivery implements AsyncIterableIterator<unknown> {
  /** How many the reader has got. */
  delivered = 0;
  readonly #host: DeliveryHost;
  /** From `#first` on: the next to be delivered and what comes after it, with gaps. */
  #results: unknown[] = [];
  #first = 0;
  #readers: Reader[] = [];
  #end: End | undefined;
  /** What the reader has been told. */
  #failure: Failure | undefined;
  #isIterated = false;
  #hasLeft = false;
  #all: { readonly promise: Promise<unknown[]>; readonly into: unknown[] } | undefined;
  #settleAll: { resolve: (results: unknown[]) => void; reject: (error: unknown) => void } | undefined;

  constructor(host: DeliveryHost) {
    this.#host = host;
  }

  /** @param at its turn, from 0 */
  put(at: number, result: unknown): void {
    if (this.#hasLeft) return;
    const results = this.#results;
    const index = at - this.delivered + this.#first;
    while (results.length < index) results.push(missing);
    results[index] = result;
    while (this.#readers.length > 0 && this.isReady) this.#readers.shift()?.resolve(this.#step());
    if (this.#all !== undefined) this.#pour(this.#all.into);
  }

  /** Nothing more comes: after what is there, up to the first gap, the failure, once, or the end. */
  finish(failure: Failure | undefined): void {
    this.#end = { failure };
    if (this.#all !== undefined) {
      if (failure === undefined) this.#settleAll?.resolve(this.#all.into);
      else this.#settleAll?.reject(failure.error);
      if (failure?.isCancellation === true) this.#all.promise.catch(() => {});
      this.#told();
    }
    const readers = this.#readers;
    this.#readers = [];
    for (const { promise, resolve, reject } of readers) {
      const { failure: mine } = this.#end;
      if (mine === undefined || this.#hasLeft) {
        resolve(finished);
        continue;
      }
      this.#told();
      reject(mine.error);
      if (mine.isCancellation) promise.catch(() => {});
    }
  }

  /** The reader knows of the failure. What lies behind a gap is not delivered. */
  #told(): void {
    this.#failure = this.#end?.failure;
    this.#end = { failure: undefined };
    this.#results = [];
    this.#first = 0;
  }

  /** Whether the reader has asked for all there are. */
  get takesAll(): boolean {
    return this.#all !== undefined;
  }

  /** Whether the reader could have one. */
  get isReady(): boolean {
    return this.#first < this.#results.length && this.#results[this.#first] !== missing;
  }

  #step(): IteratorResult<unknown> {
    const value = this.#results[this.#first];
    this.#results[this.#first++] = undefined;
    this.delivered++;
    this.#compact();
    return { done: false, value };
  }

  #pour(into: unknown[]): void {
    for (; this.isReady; this.#first++) {
      into.push(this.#results[this.#first]);
      this.delivered++;
    }
    this.#compact();
  }

  #compact(): void {
    if (this.#first === this.#results.length) {
      this.#results.length = 0;
      this.#first = 0;
    } else if (this.#first >= 1024 && this.#first * 2 >= this.#results.length) {
      this.#results = this.#results.slice(this.#first);
      this.#first = 0;
    }
  }

  // ---- the reader's side

  next(): Promise<IteratorResult<unknown>> {
    if (this.isReady) {
      const step = this.#step();
      this.#host.taken();
      return Promise.resolve(step);
    }
    if (this.#end === undefined) {
      let reader!: Omit<Reader, "promise">;
      const promise = new Promise<IteratorResult<unknown>>((resolve, reject) => {
        reader = { resolve, reject };
      });
      this.#readers.push({ promise, ...reader });
      return promise;
    }
    const { failure } = this.#end;
    if (failure === undefined) return Promise.resolve(finished);
    this.#told();
    return Promise.reject(failure.error);
  }

  async return(value?: unknown): Promise<IteratorResult<unknown>> {
    this.#hasLeft = true;
    this.#results = [];
    this.#first = 0;
    await this.#host.left();
    this.#end = { failure: undefined };
    return { done: true, value };
  }

  /** All that has not been read yet. */
  all(): Promise<unknown[]> {
    if (this.#all === undefined) {
      const into: unknown[] = [];
      const promise = new Promise<unknown[]>((resolve, reject) => {
        this.#settleAll = { resolve, reject };
      });
      this.#all = { promise, into };
      this.#pour(into);
      if (this.#end === undefined) this.#host.taken();
      else this.finish(this.#end.failure ?? this.#failure);
    }
    return this.#all.promise;
  }

  [Symbol.asyncIterator](): this {
    if (this.#all !== undefined)
      throw invalid("Batch: it cannot be iterated: results() has been called, and takes all there are");
    if (this.#isIterated)
      throw invalid(
        "Batch: it cannot be iterated again: a batch is read once, and its iterator has been asked for",
      );
    this.#isIterated = true;
    return this;
  }
}
