// @ts-check
/** The command line. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

const usage = `Usage: node examples/progress/main.mjs [options]

Looks for the longest Collatz chain, block by block, on all cores, with a
progress bar. Ctrl-C cancels the batch and tells what there is so far; a second
Ctrl-C ends the process at once.

  --threads <n>    threads of the pool (default: as many as there are cores)
  --items <n>      blocks of 100 numbers (default: 40000)
  --deadline <ms>  take what is there after this time (default: no deadline)
  -h, --help       this text
`;

/**
 * Ends the process when there is something wrong with the options, or when help is wanted.
 *
 * @param {string[]} args
 * @returns {{ threads: number, items: number, deadline: number }}
 */
export function parse(args) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        threads: { type: "string" },
        items: { type: "string" },
        deadline: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help === true) {
      process.stdout.write(usage);
      process.exit(0);
    }
    return {
      threads: whole("--threads", values.threads, availableParallelism(), 256),
      items: whole("--items", values.items, 40_000, 1_000_000), // chains of more would leave the safe integers
      deadline: whole("--deadline", values.deadline, Number.POSITIVE_INFINITY, 86_400_000),
    };
  } catch (error) {
    // The first sentence says what is wrong; those of `parseArgs` go on about itself.
    const [sentence] = /** @type {Error} */ (error).message.split(/\.\s|\n/, 1);
    process.stderr.write(`progress: ${sentence}\nTry: node examples/progress/main.mjs --help\n`);
    process.exit(2);
  }
}

/**
 * @param {string} option
 * @param {string | undefined} given
 * @param {number} otherwise
 * @param {number} most
 */
function whole(option, given, otherwise, most) {
  if (given === undefined) return otherwise;
  const value = Number(given);
  if (/^\d+$/.test(given) && value >= 1 && value <= most) return value;
  throw new Error(`${option}: expected a whole number from 1 to ${most}, got "${given}"`);
}
