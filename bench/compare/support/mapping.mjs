// @ts-check
/** The sides of a scene about batches: lifeguard's `map`, and beside it what one makes by hand with its peers. */
import { CHUNK } from "./chunks.mjs";
import { peers } from "./pool.mjs";

/**
 * @typedef {import("./suite.mjs").Side & {
 *   readonly pool: import("./pool.mjs").PoolName,
 *   readonly how: "each" | "results" | "chunks",
 * }} MappingSide
 */

/** @type {MappingSide} */
export const mapWithResults = {
  name: "lifeguard map, results()",
  ours: true,
  pool: "lifeguard",
  how: "results",
};

/** @type {MappingSide} */
export const mapWithEach = { name: "lifeguard map, for await", ours: true, pool: "lifeguard", how: "each" };

/** @type {readonly MappingSide[]} */
export const chunksOfPeers = peers.map((pool) => ({
  name: `${pool}, ${CHUNK} a task`,
  pool,
  how: "chunks",
}));

/**
 * @param {import("./pool.mjs").AnyPool} pool
 * @returns {NonNullable<import("./pool.mjs").AnyPool["map"]>}
 */
export function mapOf(pool) {
  if (pool.map === undefined) throw new Error("this pool has no map");
  return pool.map;
}
