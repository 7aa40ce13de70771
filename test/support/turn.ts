/** Lets what has been queued happen, without a clock. */

// Taken at import, so that a test's fake timers do not stop it.
const { setImmediate } = globalThis;

/** A whole turn of the event loop: every microtask queued so far has run, and those they queued. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** One microtask: what was queued before the call has run. */
export function microtask(): Promise<void> {
  return Promise.resolve();
}

/** Whether `promise` has been fulfilled or rejected, or is so within a turn. */
export async function settles(promise: PromiseLike<unknown>): Promise<boolean> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  await turn();
  return settled;
}
