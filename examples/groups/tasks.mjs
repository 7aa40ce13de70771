// @ts-check
/** What runs on the pool's threads. */

/** @typedef {import("lifeguard").Context} Context */

/**
 * How many primes there are from `from` up to `to`.
 *
 * @param {Context} ctx
 * @param {number} from
 * @param {number} to
 */
export function countPrimes(ctx, from, to) {
  if (from > to) throw new RangeError(`${from} to ${to} is no range`);
  let count = 0;
  for (let n = from; n < to; n++) {
    ctx.throwIfDone();
    if (isPrime(n)) count++;
  }
  return count;
}

/** @param {number} n */
function isPrime(n) {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return n > 1;
}

/*
 * Three ways to find a factor of an odd number that has more than one. Each is quick with some numbers and hopeless with
 * others, and by looking at the number one cannot tell which.
 */

/**
 * Fermat: quick when the two factors are close together, as n = a² - b² = (a - b)(a + b) has a small b then.
 *
 * @param {Context} ctx
 * @param {bigint} n
 */
export function fermat(ctx, n) {
  let a = squareRoot(n);
  if (a * a < n) a++;
  for (; ; a++) {
    ctx.throwIfDone();
    const b = squareRoot(a * a - n);
    if (b * b === a * a - n) return a - b;
  }
}

/**
 * Pollard's rho: quick when one factor is small, as x → x² + 1 runs in a small circle then, modulo that factor.
 *
 * @param {Context} ctx
 * @param {bigint} n
 */
export function rho(ctx, n) {
  /** @param {bigint} x */
  const next = (x) => (x * x + 1n) % n;
  for (let slow = 2n, fast = next(2n); ; slow = next(slow), fast = next(next(fast))) {
    ctx.throwIfDone();
    const factor = gcd(slow - fast, n);
    if (factor === n) throw new Error("the circle closed without a factor");
    if (factor > 1n) return factor;
  }
}

/**
 * Pollard's p - 1: quick when p - 1, for one of the factors p, has small factors only, as p divides 2^k! - 1 then for a
 * small k.
 *
 * @param {Context} ctx
 * @param {bigint} n
 */
export function pMinusOne(ctx, n) {
  for (let k = 2n, x = 2n; ; k++) {
    ctx.throwIfDone();
    x = power(x, k, n);
    const factor = gcd(x - 1n, n);
    if (factor === n) throw new Error("all factors at once");
    if (factor > 1n) return factor;
  }
}

/**
 * @param {bigint} a
 * @param {bigint} b
 */
function gcd(a, b) {
  while (b !== 0n) [a, b] = [b, a % b];
  return a < 0n ? -a : a;
}

/**
 * x^k modulo n.
 *
 * @param {bigint} x
 * @param {bigint} k
 * @param {bigint} n
 */
function power(x, k, n) {
  let result = 1n;
  for (; k > 0n; k >>= 1n, x = (x * x) % n) if (k & 1n) result = (result * x) % n;
  return result;
}

/**
 * The largest whole number whose square is at most n, by Newton's method.
 *
 * @param {bigint} n
 */
function squareRoot(n) {
  if (n < 2n) return n;
  let root = BigInt(Math.ceil(Math.sqrt(Number(n)) * 1.0000001));
  for (;;) {
    const better = (root + n / root) >> 1n;
    if (better >= root) return root;
    root = better;
  }
}
