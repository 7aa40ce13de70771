// @ts-check
/** The command line. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

export const usage = `Usage: node examples/tour/main.mjs [options]

Looks for near copies among the licences and readmes in node_modules: every two
of them are compared, on all cores, under contexts. Ctrl-C cancels what is under
way and still prints the report; a second Ctrl-C ends the process.

  --threads <n>    threads of the pool (default: as many as there are cores)
  --files <n>      different texts to compare (default: 120)
  --deadline <ms>  time for each comparison (default: 40)
  -h, --help       this text
`;

/** What the user got wrong. */
export class UsageError extends Error {}

/**
 * @param {string[]} args
 * @returns {{ help: boolean, threads: number, files: number, deadline: number }}
 * @throws UsageError
 */
export function parse(args) {
  const { help, threads, files, deadline } = parsed(args);
  return {
    help: help === true,
    threads: whole("--threads", threads, availableParallelism(), 1, 256),
    files: whole("--files", files, 120, 4, 1000),
    deadline: whole("--deadline", deadline, 40, 1, 10_000),
  };
}

/** @param {string[]} args */
function parsed(args) {
  try {
    return parseArgs({
      args,
      options: {
        threads: { type: "string" },
        files: { type: "string" },
        deadline: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    // The first sentence says what is wrong; the others are about `parseArgs`.
    const [sentence] = /** @type {Error} */ (error).message.split(/\.\s|\n/, 1);
    throw new UsageError(sentence, { cause: error });
  }
}

/**
 * @param {string} option
 * @param {string | undefined} given
 * @param {number} otherwise
 * @param {number} least
 * @param {number} most
 */
function whole(option, given, otherwise, least, most) {
  if (given === undefined) return otherwise;
  const value = Number(given);
  if (/^\d+$/.test(given) && value >= least && value <= most) return value;
  throw new UsageError(`${option}: expected a whole number from ${least} to ${most}, got "${given}"`);
}
