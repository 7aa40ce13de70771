// @ts-check
/** The command line. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

const usage = `Usage: node examples/patterns/main.mjs [options]

Searches a text for patterns that strangers send, some of which would take for
ever. Each has a deadline; one that overruns it is cut off, and its thread goes
on with the next. Ctrl-C cancels what is left and tells what there is so far.

  --threads <n>    threads of the pool (default: as many as there are cores)
  --requests <n>   patterns in all (default: 1000)
  --hostile <n>    of a hundred, those that run away; 0 to 90 (default: 5)
  --deadline <ms>  for each (default: 50)
  --pattern <p>    only this one, once
  -h, --help       this text
`;

/**
 * Ends the process when there is something wrong with the options, or when help is wanted.
 *
 * @param {string[]} args
 * @returns {{ threads: number, requests: number, hostile: number, deadline: number, pattern: string | undefined }}
 */
export function parse(args) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        threads: { type: "string" },
        requests: { type: "string" },
        hostile: { type: "string" },
        deadline: { type: "string" },
        pattern: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help === true) {
      process.stdout.write(usage);
      process.exit(0);
    }
    return {
      threads: whole("--threads", values.threads, availableParallelism(), 1, 256),
      requests: whole("--requests", values.requests, 1000, 1, 1_000_000),
      hostile: whole("--hostile", values.hostile, 5, 0, 90),
      deadline: whole("--deadline", values.deadline, 50, 1, 86_400_000),
      pattern: values.pattern,
    };
  } catch (error) {
    // The first sentence says what is wrong; those of `parseArgs` go on about itself.
    const [sentence] = /** @type {Error} */ (error).message.split(/\.\s|\n/, 1);
    process.stderr.write(`patterns: ${sentence}\nTry: node examples/patterns/main.mjs --help\n`);
    process.exit(2);
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
  throw new Error(`${option}: expected a whole number from ${least} to ${most}, got "${given}"`);
}
