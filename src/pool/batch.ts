/**
 * One task over many inputs: reads them as fast as they are used, puts them into chunks, hands on what comes back. Which
 * thread runs a chunk, and what becomes of it there, is the dispatcher's; delivery to the reader is delivery.ts.
 */
import type { Context } from "../context/context.js";
import { Ending } from "../context/ending.js";
import { inspectCustom, Node } from "../context/node.js";
import { PLACES } from "../workers/lane.js";
import { transfersOf } from "../workers/transfer.js";
import { BatchItem } from "./batch-item.js";
import { Delivery, type Failure } from "./delivery.js";
import type { Job, JobHost } from "./job.js";
import type { ResolvedMapOptions } from "./options.js";
import { SMALL } from "./pace.js";
import { type Inputs, Source, type Step } from "./source.js";
import { Turn } from "./turn.js";
import type { Batch } from "./types.js";

/** What a batch needs of its pool. */
export interface BatchHost {
  readonly jobs: JobHost;
  /** The pool is closing: what there is is to be finished, whether its reader comes or not. */
  isClosing(): boolean;
  /** What share of an envelope a task of that name fills. */
  share(name: string): number;
  lineUp(turn: Turn): void;
  leaveLine(turn: Turn): void;
  /** One more input has been taken in. */
  tookIn(): void;
  /** Inputs taken in before will not be run. */
  droppedInputs(count: number): void;
  /** An item that came back unbegun will not be run. */
  drop(item: Job): void;
  /** Nothing of it is left but what its reader has not fetched. */
  over(batch: PoolBatch): void;
}

/** Inputs that are read ahead of the reader, for each thread, at least: so many may be done before a slow one. */
const AHEAD = 16;

/** The context of a batch, which those of its items are derived from. */
class BatchScope extends Node {
  readonly #batch: PoolBatch;

  constructor(parent: Context, owner: Node | null, batch: PoolBatch) {
    super(parent, owner, owner === null ? null : owner.watch);
    this.#batch = batch;
  }
  override get listens(): boolean {
    return true;
  }
  protected override ended(): void {
    super.ended();
    this.#batch.ended();
  }
  override get label(): string {
    return `batch(${this.#batch.name})`;
  }
}

/** How the context of a batch ends that is over. One for all. */
const over = new Ending(false, undefined);

export class PoolBatch implements Batch<unknown> {
  readonly name: string;
  readonly scope: Node;
  readonly #host: BatchHost;
  readonly #options: ResolvedMapOptions;
  /** Threads it may use at a time. */
  readonly #lanes: number;
  readonly #source: Source;
  readonly #delivery: Delivery;
  /** Inputs that wait for their chunk, from `#first` on. */
  #inputs: unknown[] = [];
  #first = 0;
  /** Items that were handed over and came back unbegun: they go first. */
  #returned: BatchItem[] = [];
  /** Inputs read, and items made of them. */
  #pulled = 0;
  #made = 0;
  /** Items by how they ended; `#dropped` never began, and includes inputs that no item was made of. */
  #succeeded = 0;
  #failed = 0;
  #dropped = 0;
  /** Results so far: where the next one goes that does not wait for its turn. */
  #arrived = 0;
  /** Chunks that threads have. */
  #active = 0;
  /** In the queue. */
  readonly #turns = new Set<Turn>();
  /** Items in the next chunk. */
  #chunk = 1;
  #isPulling = false;
  #failure: Failure | undefined;
  #isOver = false;
  readonly #whenOver: Promise<void>;
  #resolveOver: () => void = () => {};

  /** @param threads of the pool */
  constructor(
    host: BatchHost,
    ctx: Context,
    owner: Node | null,
    name: string,
    inputs: Inputs,
    options: ResolvedMapOptions,
    threads: number,
  ) {
    this.#host = host;
    this.name = name;
    this.#options = options;
    this.#lanes = Math.min(options.concurrency, threads);
    this.#source = new Source(inputs);
    this.#whenOver = new Promise((resolve) => {
      this.#resolveOver = resolve;
    });
    this.#delivery = new Delivery({
      taken: () => {
        this.advance();
      },
      left: () => {
        this.cancel();
        return this.#whenOver;
      },
    });
    this.scope = new BatchScope(ctx, owner, this);
  }

  // ---- the public side

  get progress(): { done: number; total: number | undefined } {
    return { done: this.#succeeded + this.#failed, total: this.#source.total };
  }

  results(): Promise<unknown[]> {
    return this.#delivery.all();
  }

  cancel(cause?: unknown): void {
    if (!this.#isOver && this.scope.poll() === null) this.scope.end(new Ending(false, cause));
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return this.#delivery[Symbol.asyncIterator]();
  }

  [inspectCustom](): object {
    const { name, progress } = this;
    return { name, ...progress, isOver: this.#isOver };
  }

  // ---- inputs

  /** Does whatever can be done now: reads inputs, lines up for threads, comes to its end. May run code of the user's, the inputs'. */
  advance(): void {
    if (this.#isOver || this.#isPulling) return;
    this.#resize();
    // A thread that was free has taken its chunk by the time lineUp returns: then there may be room for more.
    do {
      this.#isPulling = true;
      try {
        this.#pull();
      } catch (error) {
        this.#inputFailed(error);
      } finally {
        this.#isPulling = false;
      }
    } while (this.lineUp());
    this.#endIfDone();
  }

  get #buffered(): number {
    return this.#inputs.length - this.#first;
  }

  /** Whether one more input is to be read now: neither too far ahead of the reader nor more than the next chunks need. */
  get #hasRoom(): boolean {
    if (this.#buffered >= this.#lanes * this.#chunk) return false;
    const ahead = this.#lanes * Math.max(AHEAD, 2 * this.#chunk);
    return this.#pulled - this.#delivery.delivered < ahead || this.#host.isClosing();
  }

  /** Whether there will be more inputs without any of those on threads coming to an end. */
  get #mayReadMore(): boolean {
    return this.#active + this.#turns.size > 0 && (this.#hasRoom || this.#delivery.isReady);
  }

  #pull(): void {
    const source = this.#source;
    while (!source.isExhausted && !source.isAsking && this.scope.ending === null && this.#hasRoom) {
      const step = source.next();
      if (!(step instanceof Promise)) {
        this.#take(step);
        continue;
      }
      step.then(
        (late) => {
          this.#take(late);
          this.advance();
        },
        (error: unknown) => {
          this.#inputFailed(error);
          this.advance();
        },
      );
    }
  }

  #take(step: Step): void {
    // One that comes after the end is not wanted any more.
    if (this.scope.ending !== null) return;
    if (step.isDone) {
      this.#source.total = this.#pulled;
      return;
    }
    this.#inputs.push(step.value);
    this.#pulled++;
    this.#host.tookIn();
  }

  #inputFailed(error: unknown): void {
    if (this.#options.onError === "cancel") this.fail(error);
    // What has been read gets its record, and then the reader hears of it.
    else this.#failure ??= { error, isCancellation: false };
  }

  // ---- chunks

  /** Lines up for as many threads as there are chunks for. Whether it did. */
  lineUp(): boolean {
    if (this.scope.ending !== null) return false;
    this.#resize();
    const before = this.#active + this.#turns.size;
    const { isExhausted, isAsking } = this.#source;
    let ready = this.#buffered + this.#returned.length - this.#turns.size * this.#chunk;
    while (ready > 0 && this.#active + this.#turns.size < this.#lanes) {
      // Less than a chunk goes only if there is nothing to wait for.
      if (ready < this.#chunk && !isExhausted && !isAsking && this.#mayReadMore) break;
      const turn = new Turn(this);
      this.#turns.add(turn);
      ready -= this.#chunk;
      this.#host.lineUp(turn);
    }
    return this.#active + this.#turns.size > before;
  }

  #resize(): void {
    const { chunk } = this.#options;
    if (chunk === "auto") {
      const share = this.#host.share(this.name);
      const byPace = share >= 1 ? 1 : Math.min(PLACES, Math.floor(1 / share));
      // No more than has been read already: who takes ten and leaves has not had a thousand computed. Who takes all does not leave.
      const { delivered, takesAll } = this.#delivery;
      const byReader = takesAll ? PLACES : Math.max(AHEAD / 2, Math.floor(delivered / this.#lanes));
      this.#chunk = Math.min(byPace, byReader);
    } else {
      this.#chunk = Math.min(chunk, PLACES);
    }
  }

  /** Its turn has come. Possibly none: it has ended in the same moment. `freed` is to follow. */
  chunk(turn: Turn): BatchItem[] {
    this.#turns.delete(turn);
    this.#active++;
    const size = this.#chunkNow();
    const items = this.#takeReturned(size);
    // One that may be what kills threads goes alone.
    if (items[0] !== undefined && items[0].retries > 0) return items;
    while (items.length < size && this.#buffered > 0) {
      const input = this.#inputs[this.#first];
      // What moves away with its message cannot go twice: it goes alone, so that nothing else is in the way.
      const moves = transfersOf(input) !== undefined;
      if (moves && items.length > 0) break;
      this.#inputs[this.#first++] = undefined;
      items.push(new BatchItem(this.#host.jobs, this, this.#made++, input));
      if (moves) break;
    }
    if (this.#first >= 1024 && this.#first * 2 >= this.#inputs.length) {
      this.#inputs = this.#inputs.slice(this.#first);
      this.#first = 0;
    }
    return items;
  }

  #takeReturned(size: number): BatchItem[] {
    const returned = this.#returned;
    const suspect = returned.findIndex(({ retries }) => retries > 0);
    return returned.splice(0, suspect < 0 ? size : Math.min(size, Math.max(1, suspect)));
  }

  /** Towards the end, each thread gets its part. */
  #chunkNow(): number {
    const { total, isExhausted } = this.#source;
    const waiting = this.#buffered + this.#returned.length;
    const left = isExhausted || total === undefined ? waiting : total - this.#made + this.#returned.length;
    const isLast = isExhausted || total !== undefined;
    if (this.#options.chunk !== "auto" || !isLast) return this.#chunk;
    // Not less than what takes as long as a hand-over: sharing that would cost more than it saves.
    const least = Math.max(1, Math.floor(SMALL / this.#host.share(this.name)));
    return Math.min(this.#chunk, Math.max(least, Math.ceil(left / this.#lanes)));
  }

  /** A thread is through with a chunk. `advance` is to follow, when its items have been settled. */
  freed(): void {
    this.#active--;
    this.lineUp();
  }

  /** These have not begun, and are to be handed over again. */
  takeBack(items: readonly BatchItem[]): void {
    this.#returned = [...items, ...this.#returned].sort((a, b) => a.index - b.index);
  }

  // ---- results

  succeeded(index: number, value: unknown): void {
    this.#succeeded++;
    this.#put(index, this.#options.onError === "settle" ? { status: "fulfilled", value } : value);
  }

  failed(item: BatchItem, error: unknown): void {
    if (item.outcome === "dropped") this.#dropped++;
    else this.#failed++;
    const isFailure = item.outcome === "failed" || item.outcome === "crashed";
    if (this.#options.onError === "settle") this.#put(item.index, { status: "rejected", reason: error });
    else if (isFailure) this.fail(error);
    // Below a custom context, whose end may be seen to come at a different time on each thread, an item may know of it first.
    const { ending } = item.scope;
    if (!isFailure && ending !== null && this.scope.ending === null) this.scope.end(ending);
  }

  #put(index: number, result: unknown): void {
    this.#delivery.put(this.#options.ordered ? index : this.#arrived++, result);
  }

  /** The first failure cancels the rest, and is what the reader gets. */
  fail(error: unknown): void {
    if (this.#isOver || this.scope.poll() !== null) return;
    this.#failure = { error, isCancellation: false };
    this.scope.end(new Ending(false, error));
  }

  // ---- the end

  /** Its context has ended; called inside the `cancel()` that did it. */
  ended(): void {
    for (const turn of this.#turns) this.#host.leaveLine(turn);
    this.#turns.clear();
    const returned = this.#returned;
    this.#returned = [];
    for (const item of returned) this.#host.drop(item);
    const waiting = this.#buffered;
    this.#inputs = [];
    this.#first = 0;
    this.#dropped += waiting;
    this.#host.droppedInputs(waiting);
    if (this.#options.onError === "settle") {
      for (let i = 0; i < waiting; i++)
        this.#put(this.#made + i, { status: "rejected", reason: this.scope.err() });
    }
    this.#made += waiting;
    // Not in here: closing the inputs runs code of the user's.
    queueMicrotask(() => {
      this.advance();
    });
  }

  get #isDone(): boolean {
    if (this.#active > 0 || this.#succeeded + this.#failed + this.#dropped < this.#made) return false;
    if (this.scope.ending !== null) return true;
    return this.#source.isExhausted && this.#buffered === 0;
  }

  #endIfDone(): void {
    if (!this.#isDone) return;
    this.#isOver = true;
    const failure = this.#failureNow();
    // For the pool it is over now, whatever the clean-up of the inputs does; its reader waits for that.
    this.scope.end(over);
    this.#host.over(this);
    if (this.#source.isExhausted) this.#finish(failure);
    else
      void this.#source.close().then(() => {
        this.#finish(failure);
      });
  }

  #failureNow(): Failure | undefined {
    if (this.#failure !== undefined) return this.#failure;
    if (this.scope.ending === null) return undefined;
    // It ended when there was nothing left to cancel.
    const { isExhausted, total } = this.#source;
    const isComplete = isExhausted || this.#pulled === total;
    const hasAll = this.#options.onError === "settle" || this.#succeeded === this.#pulled;
    return isComplete && hasAll ? undefined : { error: this.scope.err(), isCancellation: true };
  }

  #finish(failure: Failure | undefined): void {
    this.#delivery.finish(failure);
    this.#resolveOver();
  }
}
