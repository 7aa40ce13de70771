// @ts-check
/** The command line, the same for all of the servers. */
import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { parseArgs } from "node:util";

const file = basename(process.argv[1] ?? "");

const usage = `Usage: node examples/servers/${file} [options]

Counts primes for whoever asks, on this machine only: GET /primes?below=100000
A request whose client leaves, or whose time is over, stops counting. Ctrl-C and
SIGTERM shut the server down: what is under way gets its answer first.

  --port <n>      where it listens; 0 is any port that is free (default: 8080)
  --timeout <ms>  for each request (default: 2000)
  --threads <n>   requests that are counted for at once (default: one per core)
  --queue <n>     requests that may wait for a thread (default: 16)
  --drain <ms>    for what is under way when it shuts down (default: 5000)
  -h, --help      this text
`;

/**
 * Ends the process when there is something wrong with the options, or when help is wanted.
 *
 * @param {string[]} args
 * @returns {{ port: number, timeout: number, threads: number, queue: number, drain: number }}
 */
export function parse(args) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        port: { type: "string" },
        timeout: { type: "string" },
        threads: { type: "string" },
        queue: { type: "string" },
        drain: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help === true) {
      process.stdout.write(usage);
      process.exit(0);
    }
    return {
      port: whole("--port", values.port, 8080, 0, 65_535),
      timeout: whole("--timeout", values.timeout, 2000, 1, 86_400_000),
      threads: whole("--threads", values.threads, availableParallelism(), 1, 1000),
      queue: whole("--queue", values.queue, 16, 0, 1_000_000),
      drain: whole("--drain", values.drain, 5000, 0, 86_400_000),
    };
  } catch (error) {
    return refuse(error);
  }
}

/**
 * Ends the process: as it was called, it cannot do anything.
 *
 * @param {unknown} error
 * @returns {never}
 */
export function refuse(error) {
  // The first sentence says what is wrong; those of `parseArgs` go on about itself.
  const [sentence] = /** @type {Error} */ (error).message.split(/\.\s|\n/, 1);
  process.stderr.write(`${file}: ${sentence}\nTry: node examples/servers/${file} --help\n`);
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
