// @ts-check
/**
 * What a suite is made of. To add one: a file below suites/ that exports a `suite`, and a line in suites/index.mjs.
 *
 * The runner takes the samples of a scene in turn, size by size; each side of a scene has a process of its own at every
 * size, so that what one leaves in the heap and in V8's feedback slows no other one, and that one may crash or hang.
 */

/**
 * @typedef {object} Suite
 * @property {string} about one line, for the list
 * @property {readonly Scene<Side>[]} scenes
 */

/**
 * A few figures that one sample gives, of every side alike.
 *
 * @template {Side} S
 * @typedef {object} Scene
 * @property {string} name
 * @property {readonly S[]} sides lifeguard first: everything is compared with that one
 * @property {readonly Measure[]} measures
 * @property {boolean} [fresh] a new process for every sample: it leaves something behind that nobody can clear away
 * @property {{ readonly rounds: number, readonly limit: number }} [alone] about one task, so that there are no sizes;
 * limit: seconds a sample may take, where the runner's is not shorter
 * @property {(side: S) => Promise<Sampler>} open runs in the side's process
 */

/**
 * @typedef {object} Side
 * @property {string} name
 * @property {boolean} [ours] must neither crash nor be late; a peer may
 */

/**
 * One of a sample's figures.
 *
 * @typedef {object} Measure
 * @property {string} key
 * @property {string} text what it is, after "100,000 tasks: " unless the scene is about one
 * @property {"ns" | "bytes"} unit
 * @property {"task" | "batch" | "moment" | "difference"} of what the figure is of: of each task; of all of them, so that
 * it may grow with their number; something that should take the same whatever their number; or what should be nothing, so
 * that neither ratio nor growth says anything
 * @property {(n: number) => readonly import("../../support/report.mjs").Asked[]} [asked]
 */

/**
 * Takes one sample.
 *
 * @callback Sampler
 * @param {number} n the number of tasks
 * @returns {Promise<Record<string, number>>} by the measures' keys; what a side cannot tell is left out
 */

/**
 * A scene knows best what its sides have; whoever runs it only passes them back.
 *
 * @template {Side} S
 * @param {Scene<S>} scene
 * @returns {Scene<Side>}
 */
export function scene(scene) {
  return /** @type {Scene<Side>} */ (/** @type {unknown} */ (scene));
}
