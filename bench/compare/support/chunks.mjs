// @ts-check
/** A batch as one makes it by hand where a pool has none: chunks of inputs, a task for each of them. */

/** Inputs a task: of piscina's price for a task, some 30 µs, an input then bears little. */
export const CHUNK = 256;

const taskOfChunk = /** @type {const} */ ({ nothing: "nothings", spin: "spins" });

/**
 * @param {import("./pool.mjs").AnyPool} pool
 * @param {keyof typeof taskOfChunk} task
 * @param {readonly unknown[]} inputs
 * @returns {import("./pool.mjs").Mapped}
 */
export function inChunks(pool, task, inputs) {
  const { run, cancel } = pool.together();
  return mapWith(run, cancel, task, inputs);
}

/**
 * The same where nobody will cancel: a pool whose signals cost something is spared them.
 *
 * @param {import("./pool.mjs").AnyPool} pool
 * @param {keyof typeof taskOfChunk} task
 * @param {readonly unknown[]} inputs
 * @returns {import("./pool.mjs").Mapped}
 */
export function inPlainChunks(pool, task, inputs) {
  return mapWith(pool.run, () => {}, task, inputs);
}

/**
 * @param {import("./pool.mjs").Cancellable["run"]} run
 * @param {import("./pool.mjs").Cancellable["cancel"]} cancel
 * @param {keyof typeof taskOfChunk} task
 * @param {readonly unknown[]} inputs
 * @returns {import("./pool.mjs").Mapped}
 */
function mapWith(run, cancel, task, inputs) {
  let done = 0;
  /** @type {PromiseLike<unknown>[]} */
  const promises = [];
  /** @type {PromiseLike<unknown>[]} */
  const settled = [];
  for (let from = 0; from < inputs.length; from += CHUNK) {
    const chunk = inputs.slice(from, from + CHUNK);
    const promise = run(taskOfChunk[task], chunk);
    promises.push(promise);
    settled.push(
      promise.then((results) => {
        done += chunk.length;
        return results;
      }),
    );
  }
  return {
    // Of hand-made chunks nobody makes an iterator.
    each: () => {
      throw new Error("chunks made by hand have no iterator");
    },
    results: async () => {
      const outcomes = await Promise.allSettled(settled);
      return outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? outcome.value : []));
    },
    done: () => done,
    cancel: () => {
      cancel(promises);
    },
  };
}
