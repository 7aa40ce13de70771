/** `lifeguard/context`: Go's context, for any JavaScript runtime. Imports nothing from Node. */
export { afterFunc } from "./after-func.js";
export type { CancelFunc, Context } from "./context.js";
export { recordCancelStacks } from "./ending.js";
export { CanceledError, ContextError, DeadlineExceededError, isContextError } from "./errors.js";
export { first } from "./first.js";
export { Group, type GroupOptions } from "./group.js";
export { type ContextKey, contextKey, sharedKey } from "./keys.js";
export { race, sleep } from "./race.js";
export { background, todo, withoutCancel } from "./roots.js";
export { cause, withCancel } from "./with-cancel.js";
export { remaining, withDeadline, withTimeout } from "./with-deadline.js";
export { withSignal } from "./with-signal.js";
export { withValue } from "./with-value.js";
