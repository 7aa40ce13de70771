// @ts-check
/** lifeguard: tasks under one context. */
import { background, Pool, withCancel } from "../../support/lifeguard.mjs";
import { THREADS } from "../support/pool.mjs";

/**
 * `pool.map`, as far as it is used here. Looked up when called: a build from before there was one can be measured too.
 *
 * @callback Map
 * @param {import("../../support/lifeguard.mjs").Context} ctx
 * @param {string} task
 * @param {Iterable<unknown>} inputs
 * @returns {AsyncIterable<unknown> & { readonly progress: { readonly done: number }, results(): Promise<unknown[]> }}
 */

/**
 * @param {import("../../support/lifeguard.mjs").PoolOptions} [options]
 * @returns {Promise<import("../support/pool.mjs").AnyPool>}
 */
export async function open(options) {
  const pool = new Pool(new URL("../tasks/lifeguard.mjs", import.meta.url), { threads: THREADS, ...options });
  await pool.ready();
  /**
   * @param {import("../../support/lifeguard.mjs").Context} ctx
   * @param {import("../support/pool.mjs").TaskName} task
   * @param {unknown} input
   */
  const run = (ctx, task, input) => (input === undefined ? pool.run(ctx, task) : pool.run(ctx, task, input));
  return {
    run: (task, input) => run(background, task, input),
    together: () => {
      const [ctx, cancel] = withCancel(background);
      return {
        run: (task, input) => run(ctx, task, input),
        cancel: () => {
          cancel();
        },
      };
    },
    map: (task, inputs) => {
      const { map } = /** @type {{ map?: Map }} */ (/** @type {unknown} */ (pool));
      if (map === undefined) throw new Error("this lifeguard has no pool.map");
      const [ctx, cancel] = withCancel(background);
      const batch = map.call(pool, ctx, task, inputs);
      return {
        each: () => batch,
        results: () => batch.results(),
        done: () => batch.progress.done,
        cancel: () => {
          cancel();
        },
      };
    },
  };
}
