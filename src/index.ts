/** `lifeguard`: everything for the main thread. */
export * from "./context/index.js";
export { PoolError, type PoolErrorCode } from "./pool/errors.js";
export type { PoolOptions } from "./pool/options.js";
export { Pool } from "./pool/pool.js";
export { withProcessSignal } from "./pool/process-signal.js";
export type {
  AnyTasks,
  Batch,
  Input,
  MapOptions,
  Outcome,
  PoolEstimate,
  PoolStats,
  PoolTasks,
  Result,
  SubmitOptions,
  Task,
  TaskArgs,
  TaskName,
  TaskState,
} from "./pool/types.js";
export { transfer } from "./workers/transfer.js";
