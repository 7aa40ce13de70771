// @ts-check
/** The command line of scripts that take nothing but flags. */
import { parseArgs } from "node:util";

/**
 * Which of its flags a script was given. A number where it has nothing left to do but exit with it: `--help` was asked
 * for and is printed, or what came is no flag of it, which is said.
 *
 * @template {string} F
 * @param {string[]} argv
 * @param {string} help
 * @param {readonly F[]} flags
 * @returns {Record<F, boolean> | number}
 */
export function flagsOf(argv, help, flags) {
  const options = Object.fromEntries(
    [...flags, "help"].map((name) => [name, { type: /** @type {const} */ ("boolean"), default: false }]),
  );
  /** @type {Record<string, unknown>} */
  let values;
  try {
    ({ values } = parseArgs({ args: argv.map((arg) => (arg === "-h" ? "--help" : arg)), options }));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${help}\n`);
    return 2;
  }
  if (values.help === true) {
    process.stdout.write(`${help}\n`);
    return 0;
  }
  return /** @type {Record<F, boolean>} */ (values);
}
