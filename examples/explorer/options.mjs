// @ts-check
/** The command line. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

// A browser opens six connections to a server. One brings the live picture, one is for cancelling by hand.
const threads = Math.min(4, availableParallelism());

const usage = `Usage: node examples/explorer/main.mjs [options]

Serves a page, on this machine only, to fly over the Mandelbrot set. Its tiles
are computed by a pool of threads, each under the context of its request: what
leaves the view is cancelled. Ctrl-C ends the server.

  --port <n>       where it listens; 0 is any port that is free (default: 8080)
  --threads <n>    that compute (default here: ${threads})
  -h, --help       this text
`;

/**
 * Ends the process when there is something wrong with the options, or when help is wanted.
 *
 * @param {string[]} args
 * @returns {{ port: number, threads: number }}
 */
export function parse(args) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        port: { type: "string" },
        threads: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help === true) {
      process.stdout.write(usage);
      process.exit(0);
    }
    return {
      port: whole("--port", values.port, 8080, 0, 65_535),
      threads: whole("--threads", values.threads, threads, 1, 64),
    };
  } catch (error) {
    // The first sentence says what is wrong; those of `parseArgs` go on about itself.
    const [sentence] = /** @type {Error} */ (error).message.split(/\.\s|\n/, 1);
    refuse(String(sentence));
  }
}

/**
 * Ends the process: as it was called, it cannot do anything.
 *
 * @param {string} why
 * @returns {never}
 */
export function refuse(why) {
  process.stderr.write(`explorer: ${why}\nTry: node examples/explorer/main.mjs --help\n`);
  process.exit(2);
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
