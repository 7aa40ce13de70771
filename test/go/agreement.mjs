// @ts-check
/** Many programs, run by both sides: whether their traces are the same, and the smallest program where they are not. */
import { runOurs } from "./ours.mjs";
import { programOf, textOf } from "./program.mjs";
import { shrink } from "./shrink.mjs";

/** @typedef {import("./ours.mjs").Library} Library */
/** @typedef {import("./program.mjs").Program} Program */
/** @typedef {{ readonly run: (program: Program) => Promise<string> }} Reference the side of Go */
/** @typedef {{ readonly seed: number, readonly program: Program, readonly ours: string, readonly theirs: string }} Difference */

/**
 * @param {Library} lib
 * @param {Reference} theirs
 * @param {Program} program
 * @param {import("./ours.mjs").Coverage} [coverage]
 */
async function tracesOf(lib, theirs, program, coverage) {
  const [ours, go] = await Promise.all([runOurs(lib, program, coverage), theirs.run(program)]);
  return { ours, theirs: go };
}

/**
 * Runs the programs of `programs` seeds from `seed` on.
 *
 * @param {Library} lib
 * @param {Reference} theirs
 * @param {{
 *   programs: number,
 *   seed: number,
 *   isStopping?: () => boolean,
 *   onProgram?: (done: number, differences: number) => void,
 * }} options
 */
export async function compare(lib, theirs, { programs, seed, isStopping, onProgram }) {
  /** @type {import("./ours.mjs").Coverage} */
  const coverage = new Map();
  /** @type {Difference[]} */
  const differences = [];
  let steps = 0;
  let done = 0;
  while (done < programs && isStopping?.() !== true) {
    const program = programOf(seed + done);
    const traces = await tracesOf(lib, theirs, program, coverage);
    if (traces.ours !== traces.theirs) differences.push({ seed: seed + done, program, ...traces });
    steps += program.steps.length;
    done++;
    onProgram?.(done, differences.length);
  }
  return { programs: done, steps, differences, coverage };
}

/**
 * The smallest program that still differs, to read. Of several that differ, those that were the smallest before are tried.
 *
 * @param {Library} lib
 * @param {Reference} theirs
 * @param {readonly Difference[]} differences at least one
 * @returns {Promise<{ text: string, program: Program }>}
 */
export async function smallestOf(lib, theirs, differences) {
  const differs = async (/** @type {Program} */ program) => {
    const traces = await tracesOf(lib, theirs, program);
    return traces.ours !== traces.theirs;
  };
  /** @type {{ seed: number, program: Program } | undefined} */
  let smallest;
  const first = differences.toSorted((a, b) => a.program.steps.length - b.program.steps.length).slice(0, 5);
  for (const { seed, program } of first) {
    const small = await shrink(program, differs);
    if (smallest === undefined || small.steps.length < smallest.program.steps.length)
      smallest = { seed, program: small };
  }
  if (smallest === undefined) throw new Error("smallestOf: expected a difference");
  const { seed, program } = smallest;
  const traces = await tracesOf(lib, theirs, program);
  return {
    program,
    text: `The program of seed ${seed}, made smaller:\n\n${textOf(program)}\n\n${whereTheyPart(traces)}\n`,
  };
}

/** The first step whose traces differ. @param {{ ours: string, theirs: string }} traces */
function whereTheyPart({ ours, theirs }) {
  const [a, b] = [ours.split("\t"), theirs.split("\t")];
  const at = a.findIndex((line, i) => line !== b[i]);
  const i = at < 0 ? a.length : at;
  return `ours: ${a[i] ?? "nothing more"}\ngo:   ${b[i] ?? "nothing more"}`;
}
