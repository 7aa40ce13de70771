// @ts-check
/**
 * A task that is cut off has a second grace, of 100 ms where its own is shorter, for the cut to arrive. On a machine that has other
 * things to do its thread may not run for so long, and is ended. Where a test is about what a cut does, not about how long
 * it may take, that grace is long. Scripts in processes of their own import this, too.
 */
const SECOND_GRACE = 100;
const LONG = 60_000;

/**
 * Of all timers of 100 ms, so no deadline may be of that length.
 *
 * @returns {() => void} takes it back
 */
export function longSecondGrace() {
  const real = globalThis.setTimeout;
  globalThis.setTimeout = /** @type {typeof setTimeout} */ (
    /** @type {unknown} */ (
      (/** @type {() => void} */ fn, /** @type {number} */ ms, /** @type {[]} */ ...args) =>
        real(fn, Math.floor(ms) === SECOND_GRACE ? LONG : ms, ...args)
    )
  );
  return () => {
    globalThis.setTimeout = real;
  };
}
