// @ts-check
/** What runs in the worker. */
import { expose } from "lifeguard/comlink";

export const tasks = {
  /**
   * How many primes there are below `below`.
   *
   * @param {import("lifeguard/context").Context} ctx
   * @param {number} below
   */
  countPrimes(ctx, below) {
    let count = 0;
    for (let n = 2; n < below; n++) {
      ctx.throwIfDone(); // a poll: costs a nanosecond or two, and gives up by throwing
      if (isPrime(n)) count++;
    }
    return count;
  },

  /** Is answered when the worker has nothing else to do. */
  idle() {},
};

expose(tasks);

/** @param {number} n */
function isPrime(n) {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return true;
}
