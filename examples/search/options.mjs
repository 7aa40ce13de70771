// @ts-check
/** The command line. */
import { parseArgs } from "node:util";

const usage = `Usage: node examples/search/main.mjs [options] [words...]

Builds an index of the licences and readmes in node_modules, on a thread of its
own, and asks it for the words; where no text has them all, for what comes
closest to them. Without words it shows what can be asked: from the index, as
you type, and with a deadline. Ctrl-C stops whatever is under way.

  --texts <n>      different texts to read at most (default: 1000)
  --every <ms>     time between two keystrokes (default: 20)
  --deadline <ms>  for what comes closest (default: 50)
  -h, --help       this text
`;

/**
 * Ends the process when there is something wrong with the options, or when help is wanted.
 *
 * @param {string[]} args
 * @returns {{ texts: number, every: number, deadline: number, words: string[] }}
 */
export function parse(args) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        texts: { type: "string" },
        every: { type: "string" },
        deadline: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help === true) {
      process.stdout.write(usage);
      process.exit(0);
    }
    return {
      texts: whole("--texts", values.texts, 1000, 1, 100_000),
      every: whole("--every", values.every, 20, 0, 10_000),
      deadline: whole("--deadline", values.deadline, 50, 1, 86_400_000),
      words: positionals,
    };
  } catch (error) {
    // The first sentence says what is wrong; those of `parseArgs` go on about itself.
    const [sentence] = /** @type {Error} */ (error).message.split(/\.\s|\n/, 1);
    process.stderr.write(`search: ${sentence}\nTry: node examples/search/main.mjs --help\n`);
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
