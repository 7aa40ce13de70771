/** The public face of the pool: arguments, types and promises. What happens behind it is dispatcher.ts. */
import type { Context } from "../context/context.js";
import { checkContext, ownerOf } from "../context/derive.js";
import { invalid, reasonOf } from "../context/invalid.js";
import { Listener } from "../context/listener.js";
import { race } from "../context/race.js";
import { background } from "../context/roots.js";
import { cause } from "../context/with-cancel.js";
import { workerEntry } from "../entry-url.js";
import { Dispatcher } from "./dispatcher.js";
import { missingEntry } from "./entry-file.js";
import { PoolError } from "./errors.js";
import { type PoolOptions, resolveOptions } from "./options.js";
import type {
  AnyTasks,
  Batch,
  Input,
  MapOptions,
  PoolEstimate,
  PoolStats,
  PoolTasks,
  Result,
  SubmitOptions,
  Task,
  TaskArgs,
  TaskName,
} from "./types.js";

/** The functions that the pool's module exports; empty before a thread has loaded it. For the library's own use. */
export let taskNames: (pool: Pool) => readonly string[];

/**
 * Threads that run the exported functions of one module, each under a context.
 *
 * An idle pool burns no CPU and does not keep the process alive; one with queued or running tasks does. Leave it with
 * `await using`, `close()` or `destroy()`, or let the process end by itself.
 *
 * @typeParam M the task module's type: `new Pool<typeof import("./tasks.js")>(…)`
 */
export class Pool<M = AnyTasks> implements AsyncDisposable {
  /** The module's functions, to be called as if they were here: `await pool.tasks.countPrimes(ctx, 1, 1e6)`. */
  readonly tasks: PoolTasks<M>;
  readonly #dispatcher: Dispatcher;

  static {
    taskNames = (pool: Pool) => pool.#dispatcher.taskNames();
  }

  /**
   * Starts the threads and returns without waiting for them; `ready` does.
   *
   * @param module the task module: a file URL, as URL or string, or an absolute path
   * @throws TypeError ERR_INVALID_ARG; PoolError ERR_TASK_MODULE where a bundler has made lifeguard part of another file
   */
  constructor(module: string | URL, options?: PoolOptions) {
    const resolved = resolveOptions(module, options);
    const missing = missingEntry(workerEntry);
    if (missing !== undefined) throw new PoolError("ERR_TASK_MODULE", `Pool: ${missing}`);
    try {
      this.#dispatcher = new Dispatcher(resolved);
    } catch (cause) {
      throw invalid(`Pool: options: a thread cannot be started with them: ${reasonOf(cause)}`, { cause });
    }
    this.tasks = tasksOf(this as unknown as Pool) as PoolTasks<M>;
  }

  /**
   * Resolves when all `threads` are up and have loaded the module. Not necessary before `run`, which waits by itself.
   *
   * @param ctx how long to wait; the threads start in any case
   * @returns rejects with PoolError ERR_TASK_MODULE when the module cannot be loaded, ERR_POOL_CLOSED after close, or
   * `ctx.err()`
   */
  async ready(ctx: Context = background): Promise<void> {
    checkContext("Pool.ready: ctx", ctx);
    await race(ctx, this.#dispatcher.ready());
  }

  /**
   * Runs the task `name` with a context of its own, a child of `ctx`, and `args`, which are cloned when the task is
   * handed to its thread.
   *
   * @returns the task's result, once it has really stopped: see Task.result. It may resolve after a cancellation; call
   * `ctx.throwIfDone()` where that matters. Never throws: whatever is wrong, the promise rejects.
   */
  run<K extends TaskName<M>>(ctx: Context, name: K, ...args: TaskArgs<M[K]>): Promise<Result<M, K>> {
    return this.#dispatcher.submit("Pool.run", ctx, name, args).result as Promise<Result<M, K>>;
  }

  /**
   * The same with options, and a handle instead of a promise. Never throws: whatever is wrong, `result` rejects.
   */
  submit<K extends TaskName<M>>(
    ctx: Context,
    name: K,
    args: TaskArgs<M[K]>,
    options?: SubmitOptions,
  ): Task<Result<M, K>> {
    return this.#dispatcher.submit("Pool.submit", ctx, name, args, options) as unknown as Task<Result<M, K>>;
  }

  /**
   * Runs the task `name` once for each of `inputs`, which it gets as its only argument, under a context of the batch's own,
   * a child of `ctx`.
   *
   * Begins at once, and goes on as fast as its results are read: see Batch. Inputs may be any number, also without an end;
   * they are cloned when they are handed to a thread. A failure while reading them counts as one of the batch's, and with
   * `onError: "settle"` too it is what the reader gets, after the records of what had been read. An input that could not be
   * cloned fails alone.
   *
   * @returns never rejects by itself: whatever is wrong with the pool or the task, its reader gets
   * @throws TypeError ERR_INVALID_ARG
   */
  map<K extends TaskName<M>>(
    ctx: Context,
    name: K,
    inputs: Iterable<Input<M, K>> | AsyncIterable<Input<M, K>>,
    options: MapOptions & { onError: "settle" },
  ): Batch<PromiseSettledResult<Result<M, K>>>;
  map<K extends TaskName<M>>(
    ctx: Context,
    name: K,
    inputs: Iterable<Input<M, K>> | AsyncIterable<Input<M, K>>,
    options?: MapOptions & { onError?: "cancel" },
  ): Batch<Result<M, K>>;
  map<K extends TaskName<M>>(
    ctx: Context,
    name: K,
    inputs: Iterable<Input<M, K>> | AsyncIterable<Input<M, K>>,
    options?: MapOptions,
  ): Batch<Result<M, K> | PromiseSettledResult<Result<M, K>>>;
  map(ctx: Context, name: string, inputs: unknown, options?: MapOptions): Batch<unknown> {
    return this.#dispatcher.map(ctx, name, inputs, options);
  }

  /**
   * Resolves when the queue has room for one more task: at once, with no `maxQueue`. First come, first served; the room is
   * the caller's until the event loop turns, so `await pool.waitForRoom(ctx)` and `run` right after it go together, with any
   * number of callers. Who submits without waiting may take it.
   *
   * @returns rejects with `ctx.err()` when `ctx` ends first, with PoolError ERR_POOL_CLOSED, TypeError ERR_INVALID_ARG
   */
  async waitForRoom(ctx: Context): Promise<void> {
    checkContext("Pool.waitForRoom: ctx", ctx);
    ctx.throwIfDone();
    await this.#dispatcher.waitForRoom(ctx);
  }

  /**
   * What is to be expected of `submit(ctx, name, …, options)`, by how long tasks have taken lately: for turning away at once
   * what would be late anyway. It takes the tasks that wait to be like those that ran; the pool's order, `priority` and
   * the deadline of `ctx` decide which of them go first.
   *
   * @throws TypeError ERR_INVALID_ARG
   */
  estimate(ctx: Context, name: TaskName<M>, options?: Pick<SubmitOptions, "priority">): PoolEstimate {
    return this.#dispatcher.estimate("Pool.estimate", ctx, name, options);
  }

  /** A snapshot of what the pool is doing, and has done. */
  stats(): PoolStats {
    return this.#dispatcher.stats();
  }

  /**
   * Takes no more tasks, finishes what is queued and running, then ends the threads. When `ctx` ends first, the rest
   * is cancelled, with PoolError ERR_POOL_CLOSED as the cause, and stopped hard after its grace.
   *
   * @returns resolves when all that is done, however it was done. Repeated calls wait for the same; the context of
   * each counts. Rejects with TypeError ERR_INVALID_ARG
   */
  async close(ctx: Context = background): Promise<void> {
    const owner = ownerOf("Pool.close: ctx", ctx);
    const closed = this.#dispatcher.close();
    const cancel = (): void => {
      this.#dispatcher.cancelAll(cause(ctx));
    };
    // Not inside the `cancel()` that ends `ctx`: its other contexts come first.
    const listener = owner === null ? undefined : new Listener(ctx, owner, () => queueMicrotask(cancel));
    await closed;
    listener?.detach();
  }

  /**
   * Cancels everything now, with PoolError ERR_POOL_CLOSED as the cause, and ends every thread. Running tasks get
   * their grace, but no more than a second.
   *
   * @returns resolves when the last thread has gone. Repeated calls wait for the same
   */
  async destroy(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  /** `destroy()`: leaving a scope early must not wait for work nobody wants. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy();
  }
}

/** A proxy rather than the names: they are known only once a thread has loaded the module. */
function tasksOf(pool: Pool): object {
  const functions = new Map<string, (...args: readonly unknown[]) => Promise<unknown>>();
  return new Proxy(Object.freeze(Object.create(null) as object), {
    get(_, name) {
      // What looks like a promise would be awaited by mistake, and JSON.stringify would run a task.
      if (typeof name !== "string" || name === "then" || name === "toJSON") return undefined;
      let run = functions.get(name);
      if (run === undefined) {
        run = (ctx, ...args) => pool.run(ctx as Context, name, ...args);
        functions.set(name, run);
      }
      return run;
    },
  });
}
