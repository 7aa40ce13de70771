// @ts-check
/** Many tasks that wait in the queue, cancelled together. */
import { collectGarbage, ignore, timed } from "../../support/sampling.mjs";

/**
 * Submits them while the threads are busy with something else, cancels them, and waits until all have settled.
 *
 * @param {import("./pool.mjs").AnyPool} pool
 * @param {number} n
 * @returns {Promise<{ submit: number, cancel: number, settle: number }>} ns: submitting each; inside of what cancels;
 * and from just before that
 */
export async function submitAndCancel(pool, n) {
  const { run, cancel } = pool.together();
  /** @type {PromiseLike<unknown>[]} */
  const promises = new Array(n);
  collectGarbage();
  const took = timed(() => {
    for (let i = 0; i < n; i++) promises[i] = run("nothing");
  });
  // What a caller has: a handler on each.
  let left = n;
  /** @type {() => void} */
  let onLast = ignore;
  const all = new Promise((resolve) => {
    onLast = () => {
      if (--left === 0) resolve(undefined);
    };
  });
  for (const promise of promises) promise.then(onLast, onLast);
  collectGarbage();
  const from = process.hrtime.bigint();
  cancel(promises);
  const returned = process.hrtime.bigint();
  await all;
  return {
    submit: took / n,
    cancel: Number(returned - from),
    settle: Number(process.hrtime.bigint() - from),
  };
}
