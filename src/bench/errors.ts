/** Why a task could not be measured. */

/**
 * - `ERR_TASK_FAILED`: it threw, or its thread died, before it was cancelled; the reason is the `cause`.
 * - `ERR_TASK_NOT_STARTED`: it did not begin in time, or the pool did not load its module.
 * - `ERR_TASK_TOO_SHORT`: it was over before it could be cancelled.
 * - `ERR_TASK_NOT_STOPPED`: it was cancelled, and went on.
 */
export type MeasurementErrorCode =
  | "ERR_TASK_FAILED"
  | "ERR_TASK_NOT_STARTED"
  | "ERR_TASK_TOO_SHORT"
  | "ERR_TASK_NOT_STOPPED";

/** What `measureCancellation` rejects with when the task is such that nothing can be said of it. */
export class MeasurementError extends Error {
  readonly code: MeasurementErrorCode;

  /** For the library's own use. */
  constructor(code: MeasurementErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

Object.defineProperty(MeasurementError.prototype, "name", {
  value: "MeasurementError",
  writable: true,
  configurable: true,
});

export function failed(name: string, reason: unknown): MeasurementError {
  const said = reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason);
  return new MeasurementError(
    "ERR_TASK_FAILED",
    `measureCancellation: the task ${JSON.stringify(name)} failed before it was cancelled: ${said}; make it run to its end with these arguments first`,
    { cause: reason },
  );
}

/** @param ns how long it takes */
export function tooShort(name: string, ns: number): MeasurementError {
  return new MeasurementError(
    "ERR_TASK_TOO_SHORT",
    `measureCancellation: the task ${JSON.stringify(name)} takes ${(ns / 1e6).toFixed(3)} ms: it is over before it can be cancelled; give it arguments that keep it busy for 10 ms or more`,
  );
}

/** @param threads that the pool has */
export function tooMany(
  { name, tasks }: { readonly name: string; readonly tasks: number },
  threads: number,
): MeasurementError {
  return new MeasurementError(
    "ERR_TASK_NOT_STARTED",
    `measureCancellation: the task ${JSON.stringify(name)} cannot run ${tasks} times at once: the pool has ${threads} threads`,
  );
}
