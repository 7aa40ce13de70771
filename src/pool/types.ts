/** The public types of the pool, and how they follow from a task module. Types only. */
import type { Context } from "../context/context.js";

/** What a pool without a type argument is taken to run: any name, any arguments, results to be looked at. */
export type AnyTasks = Record<string, (ctx: Context, ...args: unknown[]) => unknown>;

/** The exports of a task module that can be tasks: its functions. */
export type TaskName<M> = {
  [K in keyof M & string]: M[K] extends (...args: never) => unknown ? K : never;
}[keyof M & string];

/** The arguments of a task after its context. */
export type TaskArgs<F> = F extends (...args: infer P) => unknown
  ? P extends readonly []
    ? []
    : P extends readonly [ctx?: infer C, ...args: infer A]
      ? Context extends C
        ? A
        : [error: "not a task: its first parameter must be a Context"]
      : never
  : never;

/** What `run` resolves with. */
export type Result<M, K extends keyof M> = M[K] extends (...args: never) => infer R ? Awaited<R> : never;

/** The tasks of a module as functions that run in the pool. */
export type PoolTasks<M> = {
  readonly [K in Exclude<TaskName<M>, "then">]: M[K] extends (
    ctx: Context,
    ...args: never
  ) => Promise<unknown>
    ? M[K]
    : (ctx: Context, ...args: TaskArgs<M[K]>) => Promise<Result<M, K>>;
};

/**
 * How a task ended.
 * - `completed`: the function returned, even after its context had ended.
 * - `failed`: it threw something of its own.
 * - `dropped`: its context ended before it began; it never ran, and never will.
 * - `stopped`: its context had ended, and it gave up because of that.
 * - `interrupted`: it overran its grace and was stopped, its thread kept.
 * - `terminated`: it overran its grace, and its thread was ended and replaced.
 * - `crashed`: its thread died under it.
 */
export type Outcome =
  | "completed"
  | "failed"
  | "dropped"
  | "stopped"
  | "interrupted"
  | "terminated"
  | "crashed";

/** `queued`: waiting; `running`: its thread is at it, or about to be; `stopping`: its context has ended, it has not; `settled`: over. */
export type TaskState = "queued" | "running" | "stopping" | "settled";

/** One submitted task. */
export interface Task<R> {
  /** Counts up from 1 in each pool. */
  readonly id: number;
  readonly name: string;
  /** The task's own context, a child of the one it was submitted with. */
  readonly ctx: Context;
  readonly state: TaskState;
  /**
   * Settles only when the task, the function and the promise it returned, has really stopped. It may resolve after a
   * cancellation: see Outcome. One that a cancellation rejects never becomes an unhandled rejection.
   */
  readonly result: Promise<R>;
  /** Undefined until settled. */
  readonly outcome: Outcome | undefined;
  /** 0 to 1, what the task last told with `progress`; kept when it has settled. */
  readonly progress: number;
  /** Ends the task's own context, with `cause`. It does not wait. Repeated calls change nothing. */
  cancel(cause?: unknown): void;
}

export interface SubmitOptions {
  /** What moves to the thread instead of being copied: ArrayBuffers and the like, reachable from the arguments. */
  transfer?: readonly object[];
  /** As PoolOptions.grace, for this task. */
  grace?: number;
  /** Higher goes first; any number. @default 0 */
  priority?: number;
  /** As PoolOptions.onOverrun, for this task. */
  onOverrun?: "terminate" | "interrupt";
}

/** Whether a task can be called without these arguments: all of them optional, or a rest. */
type Optional<R extends readonly unknown[]> = [] extends R ? true : false;

/** What `map` hands to a task: the one argument after its context. */
export type Input<M, K extends keyof M> =
  TaskArgs<M[K]> extends infer A extends readonly unknown[]
    ? A extends readonly []
      ? unknown
      : A extends readonly [input?: infer I, ...rest: infer R]
        ? Optional<R> extends true
          ? I
          : [error: "not a task for map: it needs more than one argument"]
        : A[number]
    : never;

export interface MapOptions {
  /** Inputs worked on at a time, at most; never more than the pool has threads. 1 or more. @default Infinity */
  concurrency?: number;
  /**
   * Inputs that go to a thread together, to be worked on one after the other; 1 to 1024, more counts as 1024. With
   * `"auto"` so many as take half a millisecond together, as far as has been measured: one, if it takes longer. @default "auto"
   */
  chunk?: number | "auto";
  /** Results come in the order of the inputs, or else as they are ready. @default true */
  ordered?: boolean;
  /**
   * `"cancel"`: the first failure cancels the rest, with itself as the cause, and is what the reader gets. `"settle"`: each
   * input has its record, as of Promise.allSettled. @default "cancel"
   */
  onError?: "cancel" | "settle";
}

/**
 * One task over many inputs, and its results, to be read once: with `for await`, or `results()`. Asking for an iterator a
 * second time throws TypeError ERR_INVALID_ARG.
 *
 * Inputs are read as fast as results are: at most 16 per thread, or twice what the threads have in their chunks, are ahead
 * of the reader, unless the pool is closing. Leaving the loop early cancels what is left, and waits until that has stopped.
 *
 * When the context ends first, the results that are there are delivered, up to the first that is missing, and then the
 * reader gets its `err()`; nothing of the batch runs on by then.
 */
export interface Batch<R> extends AsyncIterable<R> {
  /** `done`: inputs whose task has run to an end, whatever end; `total`: undefined while that cannot be known. */
  readonly progress: { done: number; total: number | undefined };
  /**
   * All results that have not been read yet. Rejects with the failure, if there is one, also after a loop that has thrown it.
   * Repeated calls return the same promise.
   */
  results(): Promise<R[]>;
  /** Ends the batch's own context, with `cause`. It does not wait. Repeated calls change nothing. */
  cancel(cause?: unknown): void;
}

/** A snapshot. `submitted` is the sum of `queued`, `running`, `stuck` and all `outcomes`. */
export interface PoolStats {
  /** Threads that can run tasks now: the `threads` of the options when the pool is whole. Spares do not count. */
  threads: number;
  /** Of these, the ones without a task. */
  idle: number;
  /** Tasks that were stopped hard and whose thread has not gone yet: for milliseconds, or until native code returns. */
  stuck: number;
  /** Tasks waiting for a thread, and inputs that `map` has read. */
  queued: number;
  /** Tasks that threads are at. */
  running: number;
  /** Tasks ever accepted, and inputs read. */
  submitted: number;
  /** Tasks ever begun, as far as this thread knows: `dropped` ones are not among them. */
  started: number;
  /** Tasks settled, by outcome. */
  outcomes: Record<Outcome, number>;
}

/** What is to be expected of a task that is submitted now, by how long tasks have taken lately. A guess, not a promise. */
export interface PoolEstimate {
  /** How long it would wait for a thread, ms: 0 when one is free, and before the first task of the pool has ended. */
  wait: number;
  /**
   * How long a task of that name runs to complete, ms. 0 before the first has, and when the last one was too long ago to tell: ten
   * times as long as it took, and more than a second.
   */
  run: number;
  /** How many tasks `maxQueue` leaves room for; Infinity without it. */
  room: number;
}
