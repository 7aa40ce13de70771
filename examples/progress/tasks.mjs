// @ts-check
/** What runs on the pool's threads. */

/** Numbers in a block: it takes some tenths of a millisecond. */
export const BLOCK = 100;

/**
 * The number of a block that takes the most steps to reach 1, where a step halves an even number, and turns an odd n into
 * 3n + 1: the Collatz conjecture says that all of them get there.
 *
 * @param {import("lifeguard").Context} ctx
 * @param {number} block - 0 is 1 to 100, 1 is 101 to 200, and so on
 */
export function longestChain(ctx, block) {
  let longest = { start: 1, steps: 0 };
  for (let start = block * BLOCK + 1; start <= (block + 1) * BLOCK; start++) {
    ctx.throwIfDone(); // a poll for each number: that is, every hundred steps or so
    let steps = 0;
    for (let n = start; n !== 1; steps++) n = n % 2 === 0 ? n / 2 : 3 * n + 1;
    if (steps > longest.steps) longest = { start, steps };
  }
  return longest;
}
