/** One submitted task on the main thread's side: the public handle, its place in the queue, its promise. */
import type { Context } from "../context/context.js";
import { inspectCustom, type Node } from "../context/node.js";
import { Job, type JobHost } from "./job.js";
import type { Queued } from "./queue.js";
import type { Thread } from "./thread.js";
import type { Waiting } from "./turn.js";
import type { Outcome, SubmitOptions, Task, TaskState } from "./types.js";

type Settled =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "error"; readonly error: unknown };

export class PoolTask extends Job implements Task<unknown>, Queued<Waiting> {
  readonly id: number;
  readonly priority: number;
  readonly deadline: number;
  next: Waiting | undefined = undefined;
  prev: Waiting | undefined = undefined;
  slot = -1;
  order = 0;
  #progress = 0;
  /** Whether the context had ended before the task was over. */
  #cancelled = false;
  #settled: Settled | undefined = undefined;
  #promise: Promise<unknown> | undefined = undefined;
  #resolve: ((value: unknown) => void) | undefined = undefined;
  #reject: ((error: unknown) => void) | undefined = undefined;

  constructor(
    host: JobHost,
    id: number,
    parent: Context,
    owner: Node | null,
    name: string,
    args: readonly unknown[],
    options?: SubmitOptions,
  ) {
    super(host, parent, owner, name, args, options);
    this.id = id;
    this.priority = this.options.priority ?? 0;
    this.deadline = owner?.watch?.due() ?? Number.POSITIVE_INFINITY;
  }

  get state(): TaskState {
    if (this.outcome !== undefined) return "settled";
    // The look may drop it, when its deadline has passed in the queue.
    if (this.scope.poll() !== null) return this.#afterEnd();
    const { thread } = this;
    return thread === undefined || thread.isWaiting(this.place) ? "queued" : "running";
  }

  #afterEnd(): TaskState {
    return this.outcome === undefined ? "stopping" : "settled";
  }

  get progress(): number {
    return this.thread === undefined ? this.#progress : this.thread.lane.progress(this.place);
  }

  override off(): void {
    // The last it told, before its place goes to another one.
    this.#progress = this.progress;
    super.off();
  }

  override on(thread: Thread, place: number): void {
    super.on(thread, place);
    this.#progress = 0;
  }

  get result(): Promise<unknown> {
    if (this.#promise === undefined) {
      this.#promise = new Promise((resolve, reject) => {
        this.#resolve = resolve;
        this.#reject = reject;
      });
      if (this.#settled !== undefined) this.#pass(this.#settled);
    }
    return this.#promise;
  }

  override end(outcome: Outcome): void {
    this.#cancelled = this.scope.ending !== null;
    super.end(outcome);
  }

  /** What Node prints: not the tree behind the context. */
  [inspectCustom](): object {
    const { id, name, state, outcome, progress } = this;
    return { id, name, state, outcome, progress };
  }

  override resolveWith(value: unknown): void {
    this.#deliver({ kind: "value", value });
  }

  override rejectWith(error: unknown): void {
    this.#deliver({ kind: "error", error });
  }

  #deliver(settled: Settled): void {
    this.#settled = settled;
    if (this.#promise !== undefined) this.#pass(settled);
    // A failure of its own that nobody asked for shall not go unseen.
    else if (settled.kind === "error" && !this.#cancelled) void this.result;
  }

  #pass(settled: Settled): void {
    if (settled.kind === "value") {
      this.#resolve?.(settled.value);
    } else {
      this.#reject?.(settled.error);
      // By way of a cancellation a result that nobody listens to is no unhandled rejection.
      if (this.#cancelled) this.#promise?.catch(() => {});
    }
    this.#resolve = undefined;
    this.#reject = undefined;
  }
}
