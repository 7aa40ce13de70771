// @ts-check
/** The process of one side of a scene, at one size: takes a sample whenever it is asked to, and nothing in between. */
import { collectGarbage } from "../../support/sampling.mjs";
import { suites } from "../suites/index.mjs";

/**
 * What it tells the runner.
 *
 * @typedef {{ readonly type: "ready" }
 *   | { readonly type: "sample", readonly values: Record<string, number> }
 *   | { readonly type: "failed", readonly why: string }} Answer
 */

/** The first samples are the compiler's: of so many tasks at most, so many times, for so long, ms. */
const WARM_UP = { tasks: 1_000, times: 20, time: 1_000 };

const [suiteName = "", sceneName = "", sideName = "", size = ""] = process.argv.slice(2);
const n = Number(size);

// Ctrl-C goes to every process of the terminal; it is the runner that ends this one.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit(1));
// Thousands of listeners on one signal are what some pools ask for.
process.removeAllListeners("warning");

/** @param {Answer} answer */
function tell(answer) {
  process.send?.(answer);
}

/**
 * What goes wrong is an answer, too; there is none after it.
 *
 * @param {() => Promise<Answer>} work
 */
async function answer(work) {
  try {
    tell(await work());
  } catch (error) {
    tell({ type: "failed", why: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
  }
}

/** @returns {Promise<import("./suite.mjs").Sampler>} */
async function open() {
  const scene = suites.get(suiteName)?.scenes.find(({ name }) => name === sceneName);
  const side = scene?.sides.find(({ name }) => name === sideName);
  if (scene === undefined || side === undefined)
    throw new Error(`no such side: ${suiteName} ${sceneName} ${sideName}`);
  const sample = await scene.open(side);
  const last = performance.now() + WARM_UP.time;
  for (let i = 0; i < WARM_UP.times && performance.now() < last; i++) {
    await sample(Math.min(n, WARM_UP.tasks));
  }
  return sample;
}

await answer(async () => {
  const sample = await open();
  process.on("message", () => {
    void answer(async () => {
      const values = await sample(n);
      // What it has used is given back before another one's turn.
      collectGarbage();
      return { type: "sample", values };
    });
  });
  return { type: "ready" };
});
