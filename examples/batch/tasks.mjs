// @ts-check

/**
 * How many steps it takes from `n` to 1: half of it when it is even, three times as much and one more when it is odd.
 *
 * @param {import("lifeguard/worker").Context} ctx
 * @param {number} n
 */
export function collatzSteps(ctx, n) {
  if (n < 1) throw new RangeError(`${n} never gets to 1`);
  let steps = 0;
  for (let at = n; at !== 1; steps++) {
    ctx.throwIfDone();
    at = at % 2 === 0 ? at / 2 : 3 * at + 1;
  }
  return steps;
}
