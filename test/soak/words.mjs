// @ts-check
/** The shared words in which tasks write down themselves that they run: what the library says about them is held against these. */

/** Words of a pool: tasks that run now, the most there ever were, tasks that have begun, stray work that saw a live context. */
export const POOL = { now: 0, most: 1, begun: 2, strays: 3, size: 16 };

/** Words of a task: how often it has begun, whether it is in, which of its pool's it was. */
export const SLOT = { begun: 0, state: 1, order: 2, size: 3 };

/** States: a task that was stopped hard stays in, until the main thread sees that it has settled. */
export const IN = 1;
export const OUT = 2;

export const POOLS = 256;
export const SLOTS = 2 ** 19;

/** Pool 0 is that of tasks that nobody counts by the pool: those of pools within threads. */
export const UNCOUNTED = 0;

/** @param {number} pool */
export const poolAt = (pool) => pool * POOL.size;

/** @param {number} slot */
export const slotAt = (slot) => POOLS * POOL.size + slot * SLOT.size;

export const WORDS = slotAt(SLOTS);
