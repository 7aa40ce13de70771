/** `lifeguard/bench`: how fast does a task stop? The command `lifeguard bench` asks the same. */
export { MeasurementError, type MeasurementErrorCode } from "./errors.js";
export { measureCancellation } from "./measure.js";
export type { MeasureOptions } from "./options.js";
export type { CancellationReport, Distribution, Polls, Timeline } from "./report.js";
