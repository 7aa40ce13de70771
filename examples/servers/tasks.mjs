// @ts-check
/** What the servers have done on their threads. */
import { writeSync } from "node:fs";
import { traceId } from "lifeguard/http";
import { cause } from "lifeguard/worker";

/** @typedef {import("lifeguard/worker").Context} Context */

/**
 * How many primes there are below a number.
 *
 * @param {Context} ctx - of the request
 * @param {number} below
 */
export function countPrimes(ctx, below) {
  log(ctx, `counting the primes below ${below}`);
  try {
    let count = 0;
    for (let n = 2; n < below; n++) {
      ctx.throwIfDone();
      if (isPrime(n)) count++;
    }
    log(ctx, `there are ${count}`);
    return count;
  } catch (error) {
    log(ctx, `stopped: ${/** @type {Error} */ (cause(ctx) ?? error).message}`);
    throw error;
  }
}

/** @param {number} n */
function isPrime(n) {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return true;
}

/**
 * A line of the log, with the trace id of the request that it is about: it has come to this thread with the context.
 *
 * @param {Context} ctx
 * @param {string} text
 */
function log(ctx, text) {
  // At once, from here: what a thread gives to `console.log` is printed by the main thread, and may wait for the end of the task.
  writeSync(1, `${traceId(ctx)} ${text}\n`);
}
