// @ts-check
/** `npm run against-go`: random programs, run by lifeguard and by Go; what differs, made small. See test/go/program.mjs. */
import { parseArgs } from "node:util";
import * as lifeguard from "lifeguard/context";
import { compare, smallestOf } from "../test/go/agreement.mjs";
import { Theirs } from "../test/go/theirs.mjs";

const help = `npm run against-go [-- options]

Runs random programs of contexts and groups with lifeguard and with Go's own context package and errgroup, and compares
everything that can be seen. Prints what was run, and, where they differ, the smallest program that still does.
Wants Go 1.21 or newer, with its sources: LIFEGUARD_GO, or \`go\`, or one that Debian has installed beside it.

  --programs N   how many  (100000)
  --seed N       of the first; the next ones count on from there  (at random)
  --help         this
Ctrl-C prints what there is so far. Exits with 1 when a program differs.`;

process.stdout.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
  // Whoever was reading has read enough.
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});
process.exitCode = await main(process.argv.slice(2));

/**
 * @param {string[]} argv
 * @returns {Promise<number>}
 */
async function main(argv) {
  let programs;
  let seed;
  try {
    const { values } = parseArgs({
      args: argv,
      options: {
        programs: { type: "string", default: "100000" },
        seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      process.stdout.write(`${help}\n`);
      return 0;
    }
    programs = wholeNumber("--programs", values.programs, 1);
    seed = wholeNumber("--seed", values.seed, 0);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${help}\n`);
    return 2;
  }
  try {
    return await run(programs, seed);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return 1;
  }
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * @param {string} option
 * @param {string} text
 * @param {number} least
 */
function wholeNumber(option, text, least) {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > 2 ** 31)
    throw new Error(`${option}: expected a whole number from ${least} to ${2 ** 31}, got ${text}`);
  return value;
}

/**
 * @param {number} programs
 * @param {number} seed
 */
async function run(programs, seed) {
  const stop = new AbortController();
  const isStopping = () => stop.signal.aborted;
  const onInterrupt = () => {
    // The first one ends the loop, the second one everything.
    if (isStopping()) process.exit(130);
    stop.abort();
  };
  process.on("SIGINT", onInterrupt);
  process.stderr.write("building Go's side …\n");
  const { theirs, version } = await Theirs.start();
  try {
    const from = performance.now();
    let told = from;
    const result = await compare(lifeguard, theirs, {
      programs,
      seed,
      isStopping,
      onProgram: (done, differences) => {
        const now = performance.now();
        if (now - told < 5000) return;
        told = now;
        process.stderr.write(`${done} of ${programs}, ${differences} differ\n`);
      },
    });
    const seconds = (performance.now() - from) / 1000;
    process.stdout.write(`${summary(version, seed, seconds, result)}\n`);
    if (result.differences.length === 0) return isStopping() ? 130 : 0;
    process.stdout.write(`\nThey differ: seeds ${result.differences.map((each) => each.seed).join(", ")}\n`);
    if (!isStopping())
      process.stdout.write(`\n${(await smallestOf(lifeguard, theirs, result.differences)).text}`);
    return 1;
  } finally {
    process.off("SIGINT", onInterrupt);
    await theirs.close();
  }
}

/**
 * @param {string} version
 * @param {number} seed
 * @param {number} seconds
 * @param {Awaited<ReturnType<typeof compare>>} result
 */
function summary(version, seed, seconds, { programs, steps, differences, coverage }) {
  const states = [...new Set([...coverage.keys()].map((key) => key.split("\t")[1]))].sort().reverse();
  /** @type {Map<string, number[]>} */
  const rows = new Map();
  for (const [key, count] of [...coverage].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [name = "", state] = key.split("\t");
    const row = rows.get(name) ?? states.map(() => 0);
    row[states.indexOf(state)] = count;
    rows.set(name, row);
  }
  const line = (/** @type {readonly (string | number | undefined)[]} */ cells) => `| ${cells.join(" | ")} |`;
  return [
    `${programs} programs from seed ${seed}, ${steps} steps, ${differences.length} differences; ${version}, ${seconds.toFixed(0)} s`,
    "",
    line([
      "step, by the state of what it is taken on",
      ...states.map((state) => (state === "" ? "other" : state)),
    ]),
    line(["---", ...states.map(() => "---:")]),
    ...[...rows].map(([name, counts]) => line([name, ...counts.map((count) => (count === 0 ? "" : count))])),
  ].join("\n");
}
