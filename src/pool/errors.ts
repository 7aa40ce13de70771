/** What goes wrong with a pool rather than with a task. */

/**
 * - `ERR_POOL_CLOSED`: the pool takes no more tasks, or was destroyed under this one.
 * - `ERR_QUEUE_FULL`: `maxQueue` tasks are waiting already.
 * - `ERR_UNKNOWN_TASK`: the task module exports no function of this name.
 * - `ERR_TASK_MODULE`: the task module could not be loaded; `cause` says why.
 * - `ERR_WORKER_CRASHED`: the task's thread died under it; `cause` says of what.
 * - `ERR_NOT_CLONEABLE`: an argument, a shared value or a result cannot be cloned to the other thread; `cause` is the reason.
 */
export type PoolErrorCode =
  | "ERR_POOL_CLOSED"
  | "ERR_QUEUE_FULL"
  | "ERR_UNKNOWN_TASK"
  | "ERR_TASK_MODULE"
  | "ERR_WORKER_CRASHED"
  | "ERR_NOT_CLONEABLE";

/** An error of the pool's own; `code` says which. */
export class PoolError extends Error {
  readonly code: PoolErrorCode;

  constructor(code: PoolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

Object.defineProperty(PoolError.prototype, "name", {
  value: "PoolError",
  writable: true,
  configurable: true,
});
