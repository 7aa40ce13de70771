// @ts-check
/** tinybench in passes: it measures one contestant after the other, and what counts here is that they take turns. */
import { Bench } from "tinybench";
import { isStopping } from "./sampling.mjs";

/**
 * @typedef {object} Contestant
 * @property {string} name
 * @property {number} batch how many operations a call of `work` does
 * @property {() => void | Promise<void>} work
 * @property {() => void} [before] not measured
 */

/**
 * @typedef {object} Options
 * @property {number} [passes] over all contestants, so that each meets the machine as the others do
 * @property {number} [time] ms a contestant has in each pass; with 0, `iterations` alone counts
 * @property {number} [iterations] samples of a contestant in each pass, at least
 * @property {boolean} [isAsync] `work` returns promises
 * @property {() => void} [betweenPasses]
 */

/**
 * Samples in ns per operation, all that were taken. Batches, because a clock that takes 40 ns cannot see an operation
 * of 50.
 *
 * @param {readonly Contestant[]} contestants
 * @param {Options} [options]
 * @returns {Promise<{ name: string, samples: number[] }[]>}
 */
export async function inPasses(
  contestants,
  { passes = 5, time = 60, iterations = 10, isAsync = false, betweenPasses } = {},
) {
  const sides = contestants.map(({ name }) => ({ name, samples: /** @type {number[]} */ ([]) }));
  for (let pass = 0; pass < passes && !isStopping(); pass++) {
    betweenPasses?.();
    const bench = new Bench({
      time,
      iterations,
      // A single sample that takes a second is not worth another one before it.
      warmup: pass === 0 || iterations > 1,
      warmupTime: pass === 0 ? time : 0,
      warmupIterations: time === 0 ? 1 : 2,
      retainSamples: true,
      throws: true,
    });
    const order = pass % 2 === 0 ? contestants : contestants.toReversed();
    for (const { name, work, before } of order) {
      bench.add(name, work, { async: isAsync, ...(before !== undefined && { beforeEach: before }) });
    }
    await bench.run();
    for (const [at, { name, batch }] of contestants.entries()) {
      const result = bench.getTask(name)?.result;
      if (result?.state !== "completed") continue;
      for (const ms of result.latency.samples ?? []) sides[at]?.samples.push((ms * 1e6) / batch);
    }
  }
  return sides;
}
