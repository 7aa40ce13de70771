// @ts-check
/** `npm run compare`: lifeguard beside other pools, in one run; prints what they take, how it grows, what was asked. */
import { availableParallelism, cpus, loadavg } from "node:os";
import { printRow, printSummary, Report } from "../support/report.mjs";
import { suites } from "./suites/index.mjs";
import { installPeers } from "./support/install.mjs";
import { measureScene } from "./support/measure.mjs";
import { parse } from "./support/options.mjs";

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
  --list         the suites
  --help         this
The other pools are installed on the first run, into bench/compare. Ctrl-C prints what was measured so far.`;

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
  return await runAll(options, stop.signal);
}

/**
 * @param {import("./support/options.mjs").Parsed} options
 * @param {AbortSignal} stop
 * @returns {Promise<number>}
 */
async function runAll({ suites: chosen, sizes, rounds, limit }, stop) {
  const isStopping = () => stop.aborted;
  const [load = 0] = loadavg();
  process.stdout.write(
    `Node ${process.version}, ${String(availableParallelism())} × ${cpus()[0]?.model ?? "an unknown processor"}, load ${load.toFixed(2)}\n`,
  );
  if (load > 0.5) process.stdout.write("The machine is not quiet: take the figures with care.\n");

  /** @type {{ suite: string, row: import("../support/report.mjs").Row }[]} */
  const rows = [];
  /** @type {Set<string>} */
  const broken = new Set();
  const names = chosen.length > 0 ? chosen : [...suites.keys()];
  for (const [at, name] of names.entries()) {
    const suite = suites.get(name);
    if (suite === undefined || isStopping()) continue;
    process.stderr.write(`[${String(at + 1)}/${String(names.length)}] ${name}\n`);
    process.stdout.write(`\n== ${name}: ${suite.about}\n`);
    const report = new Report(name, (message) => {
      if (message.type === "row") rows.push({ suite: name, row: message.row });
      process.stdout.write(message.type === "row" ? `${printRow(message.row)}\n` : `${message.text}\n`);
    });
    for (const scene of suite.scenes) {
      if (isStopping()) break;
      if (!(await measureScene(name, scene, report, { sizes, rounds, limit, stop }))) broken.add(name);
    }
  }
  process.stdout.write(`\n${printSummary(rows)}\n`);
  if (isStopping()) return 130;
  if (broken.size > 0)
    process.stdout.write(`lifeguard was not measured to the end in: ${[...broken].join(", ")}\n`);
  return broken.size > 0 ? 1 : 0;
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
