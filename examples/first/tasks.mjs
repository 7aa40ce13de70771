// @ts-check
import { progress } from "lifeguard/worker";

/**
 * How many primes there are from `from` up to `to`.
 *
 * @param {import("lifeguard/worker").Context} ctx
 * @param {number} from
 * @param {number} to
 */
export function countPrimes(ctx, from, to) {
  let count = 0;
  for (let n = from; n < to; n++) {
    ctx.throwIfDone(); // a poll: costs a nanosecond or two, and gives up by throwing
    progress(ctx, (n - from) / (to - from));
    if (isPrime(n)) count++;
  }
  return count;
}

/** @param {number} n */
function isPrime(n) {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return n > 1;
}
