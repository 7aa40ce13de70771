// @ts-check
/** `npm run compare`: lifeguard beside other pools, in one run; prints what they take, how it grows, what was asked. */
import { printRow, printSummary } from "../support/print.mjs";
import { Report } from "../support/report.mjs";
import { checkWritable, commandOf, Recording, versionOf, writeResults } from "../support/results.mjs";
import { suites } from "./suites/index.mjs";
import { installPeers } from "./support/install.mjs";
import { measureScene } from "./support/measure.mjs";
import { parse } from "./support/options.mjs";
import { peers } from "./support/pool.mjs";

const list = [...suites].map(([name, { about }]) => `  ${name.padEnd(12)}${about}`).join("\n");

const help = `npm run compare [-- [options] [suite…]]

Measures lifeguard beside piscina, tinypool, workerpool and poolifier, in turn, each in a process of its own; without a
suite named, all of these, in an hour or so. Absolute times mean little; what counts is the ratio to the others in the
same run, on a machine that does nothing else, and the growth from one size to the next.

${list}

  --sizes N,…    how many tasks: 1000,10000,100000,1000000 unless given
  --rounds N     samples of each side at each size; unless given, fewer the larger the size
  --limit S      seconds a sample may take, 60 unless given. Whoever takes longer, or would by its growth so far, is
                 left out of the larger sizes, and it is said so
  --json FILE    writes all rows to FILE too: percentiles and spread of each side, ratios, what was asked, the machine
                 and the versions
  --list         the suites
  --help         this
BENCH_SCALE=0.1 in the environment takes that part of the usual rounds: to try it, not to measure.
The other pools are installed on the first run, into bench/compare. Ctrl-C prints, and writes, what was measured so far.`;

process.stdout.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
  // Whoever was reading has read enough: `npm run compare | head`.
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});
process.exitCode = await main(process.argv.slice(2));

/**
 * @param {string[]} argv
 * @returns {Promise<number>}
 */
async function main(argv) {
  let options;
  try {
    options = parse(argv, [...suites.keys()]);
    if (options.json !== undefined) checkWritable(options.json);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${help}\n`);
    return 2;
  }
  if (options.help || options.list) {
    process.stdout.write(`${options.help ? help : list}\n`);
    return 0;
  }

  const stop = new AbortController();
  const isStopping = () => stop.signal.aborted;
  process.on("SIGINT", () => {
    // The first one reports, the second one does not.
    if (isStopping()) process.exit(130);
    process.stderr.write("\nstopped; what was measured so far:\n");
    stop.abort();
  });
  // Leaves by process.exit, so that the processes under measurement go as well.
  process.on("SIGTERM", () => process.exit(143));

  try {
    await installPeers((text) => process.stderr.write(`${text}\n`), stop.signal);
  } catch (error) {
    if (isStopping()) return 130;
    process.stderr.write(`${messageOf(error)}\n`);
    return 1;
  }
  const recording = new Recording(commandOf("compare", argv), {
    lifeguard: versionOf(new URL("../../", import.meta.url)),
    piscina: versionOf(new URL("../../node_modules/piscina/", import.meta.url)),
    ...Object.fromEntries(
      peers.slice(1).map((name) => [name, versionOf(new URL(`node_modules/${name}/`, import.meta.url))]),
    ),
  });
  return await runAll(options, recording, stop.signal);
}

/**
 * @param {import("./support/options.mjs").Parsed} options
 * @param {Recording} recording
 * @param {AbortSignal} stop
 * @returns {Promise<number>}
 */
async function runAll({ suites: chosen, sizes, rounds, limit, json }, recording, stop) {
  const isStopping = () => stop.aborted;
  process.stdout.write(`${recording.head()}\n`);

  /** @type {string[]} */
  const broken = [];
  const names = chosen.length > 0 ? chosen : [...suites.keys()];
  for (const [at, name] of names.entries()) {
    const suite = suites.get(name);
    if (suite === undefined || isStopping()) continue;
    process.stderr.write(`[${String(at + 1)}/${String(names.length)}] ${name}\n`);
    process.stdout.write(`\n== ${name}: ${suite.about}\n`);
    const result = recording.begin(name, suite.about);
    const from = performance.now();
    const report = new Report(name, (message) => {
      if (message.type === "row") result.rows.push(message.row);
      process.stdout.write(message.type === "row" ? `${printRow(message.row)}\n` : `${message.text}\n`);
    });
    let isWhole = true;
    for (const scene of suite.scenes) {
      if (isStopping()) break;
      isWhole = (await measureScene(name, scene, report, { sizes, rounds, limit, stop })) && isWhole;
    }
    result.seconds = Math.round((performance.now() - from) / 1000);
    if (isStopping()) break;
    result.status = isWhole ? "completed" : "broken";
    if (!isWhole) broken.push(name);
  }
  process.stdout.write(`\n${printSummary(recording.rows())}\n`);
  if (broken.length > 0)
    process.stdout.write(`lifeguard was not measured to the end in: ${broken.join(", ")}\n`);
  if (json !== undefined) writeResults(json, recording.results(names.length));
  if (isStopping()) return 130;
  return broken.length > 0 ? 1 : 0;
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
