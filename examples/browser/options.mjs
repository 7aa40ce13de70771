// @ts-check
/** The command line. */
import { parseArgs } from "node:util";

const usage = `Usage: node examples/browser/server.mjs [options]

Serves a page, on this machine only, whose worker counts primes in a loop that
a button cancels. Ctrl-C ends the server.

  --port <n>       where it listens; 0 is any port that is free (default: 8080)
  --no-isolation   without the two headers that let a page share memory with
                   its workers, to see what is lost
  -h, --help       this text
`;

/**
 * Ends the process when there is something wrong with the options, or when help is wanted.
 *
 * @param {string[]} args
 * @returns {{ port: number, isolated: boolean }}
 */
export function parse(args) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        port: { type: "string" },
        "no-isolation": { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help === true) {
      process.stdout.write(usage);
      process.exit(0);
    }
    return { port: portOf(values.port ?? "8080"), isolated: values["no-isolation"] !== true };
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
  process.stderr.write(`browser: ${why}\nTry: node examples/browser/server.mjs --help\n`);
  process.exit(2);
}

/** @param {string} given */
function portOf(given) {
  const port = Number(given);
  if (/^\d+$/.test(given) && port <= 65_535) return port;
  throw new Error(`--port: expected a whole number from 0 to 65535, got "${given}"`);
}
