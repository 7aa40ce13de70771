// @ts-check
/** `npm run bench`: runs the suites one after another, prints what they measure and what of that was asked. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { printAgreement } from "./support/agreement.mjs";
import { goVersion } from "./support/go.mjs";
import { printRow, printSummary } from "./support/print.mjs";
import {
  checkWritable,
  commandOf,
  Recording,
  readResults,
  versionOf,
  writeResults,
} from "./support/results.mjs";

/** @typedef {{ readonly about: string, readonly flags?: readonly string[], readonly long?: boolean }} Suite */

/** Each is the file of that name beside this one. */
const suites = new Map(
  Object.entries(
    /** @type {Record<string, Suite>} */ ({
      harness: {
        about: "what the measuring itself costs, and how far a thing differs from itself",
        flags: ["--expose-gc"],
      },
      polling: { about: "what ctx.err() costs in a loop" },
      seen: { about: "cancel() to the loop seeing it" },
      settled: { about: "cancel() to the promise settled, cooperative tasks" },
      latency: {
        about:
          "cancel() to seen, stopped, settled and the next task, by what the task is at and how busy the machine is",
      },
      capacity: { about: "cancel() or hard stop to the threads usable again, against piscina's abort()" },
      queue: {
        about: "tasks under one context: submit, cancel, settle; 1,000 to 1,000,000",
        flags: ["--expose-gc", "--max-old-space-size=4096"],
      },
      throughput: { about: "100,000 tasks that do nothing, against piscina alone", flags: ["--expose-gc"] },
      roundtrip: { about: "one task at a time, against piscina alone" },
      comlink: { about: "what a context adds to a comlink call; cancelling over comlink, against a pool" },
      http: {
        about: "requests whose clients leave: the answers to those who stay, with cancellation on and off",
        flags: ["--expose-gc"],
      },
      context: {
        about: "the operations of the context tree, against AbortController and Go",
        flags: ["--expose-gc"],
      },
      memory: { about: "bytes of a context and of a queued task", flags: ["--expose-gc"] },
      blocked: { about: "deadlines while the main thread is blocked" },
      interrupt: {
        about: "onOverrun: interrupt and watchdogs: what they cost, how late they are",
        flags: ["--expose-gc"],
      },
      cases: { about: "what a task can be at when it is cut off, and what becomes of it", long: true },
      halves: { about: "two halves of a computation on two threads" },
      start: { about: "import and first result in a fresh process, against piscina alone" },
      idle: { about: "processor time of a pool with nothing to do" },
      "soak-stops": {
        about: "10,000 hard stops, and what they leave behind; BENCH_STOPS sets the number",
        flags: ["--expose-gc"],
        long: true,
      },
      "soak-interrupts": {
        about: "100,000 interrupts, and what they leave behind; BENCH_STOPS sets the number",
        long: true,
      },
      "soak-http": {
        about: "100 clients that connect and leave at once, for a minute; BENCH_SECONDS sets that",
        flags: ["--expose-gc"],
        long: true,
      },
    }),
  ),
);

const list = [...suites]
  .map(
    ([name, { about, long }]) =>
      `  ${name.padEnd(17)}${about}${long === true ? " (only by name: takes long)" : ""}`,
  )
  .join("\n");

const help = `npm run bench [-- [options] [suite…]]

Measures lifeguard beside its peers; without a suite named, all of these but the long ones, in about six minutes.
Absolute times mean little; what counts is the ratio to the peer in the same run, on a machine that does nothing else.
Go's contexts are measured too when \`go\` is on the PATH.

${list}

  --json FILE   writes all rows to FILE too: p50 to p99.9 and spread of each side, ratios, what was asked, the machine
                and the versions
  --compare     two files that --json has written: whether the ratios of two runs agree
  --list        the suites
  --help        this
BENCH_SCALE=0.05 in the environment takes that part of the samples: to try a suite, not to measure.
Ctrl-C prints, and writes, what was measured so far.`;

process.stdout.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
  // Whoever was reading has read enough: `npm run bench | head`.
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
    options = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        json: { type: "string" },
        compare: { type: "boolean" },
        list: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${help}\n`);
    return 2;
  }
  const { values, positionals } = options;
  if (values.help === true || values.list === true) {
    process.stdout.write(`${values.help === true ? help : list}\n`);
    return 0;
  }
  if (values.compare === true) return compare(positionals);
  const unknown = positionals.filter((name) => !suites.has(name));
  if (unknown.length > 0) {
    process.stderr.write(`no such suite: ${unknown.join(", ")}; there are\n${list}\n`);
    return 2;
  }
  const names =
    positionals.length > 0
      ? positionals
      : [...suites].filter(([, { long }]) => long !== true).map(([name]) => name);
  const { json } = values;
  if (json !== undefined) {
    try {
      checkWritable(json);
    } catch (error) {
      process.stderr.write(`${messageOf(error)}\n`);
      return 2;
    }
  }
  const recording = new Recording(commandOf("bench", argv), {
    lifeguard: versionOf(new URL("../", import.meta.url)),
    piscina: versionOf(new URL("../node_modules/piscina/", import.meta.url)),
    go: await goVersion(),
  });
  return await runAll([...new Set(names)], recording, json);
}

/** @param {readonly string[]} files */
function compare([before, after, ...more]) {
  if (before === undefined || after === undefined || more.length > 0) {
    process.stderr.write("--compare: expected two files\n");
    return 2;
  }
  try {
    process.stdout.write(`${printAgreement(readResults(before), readResults(after))}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return 1;
  }
}

/**
 * @param {readonly string[]} names
 * @param {Recording} recording
 * @param {string | undefined} json
 * @returns {Promise<number>}
 */
async function runAll(names, recording, json) {
  const stop = new AbortController();
  const isStopping = () => stop.signal.aborted;
  process.on("SIGINT", () => {
    // The first one ends the sampling, the second one everything.
    if (isStopping()) process.exit(130);
    process.stderr.write("\nstopping after the sample that is under way; again to stop at once\n");
    stop.abort();
  });
  process.stdout.write(`${recording.head()}\n`);

  /** @type {string[]} */
  const broken = [];
  for (const [at, name] of names.entries()) {
    if (isStopping()) break;
    const { about = "" } = suites.get(name) ?? {};
    process.stderr.write(`[${String(at + 1)}/${String(names.length)}] ${name}\n`);
    process.stdout.write(`\n== ${name}: ${about}\n`);
    const suite = recording.begin(name, about);
    const from = performance.now();
    const code = await runOne(name, stop.signal, (message) => {
      if (message.type === "row") suite.rows.push(message.row);
      process.stdout.write(message.type === "row" ? `${printRow(message.row)}\n` : `${message.text}\n`);
    });
    suite.seconds = Math.round((performance.now() - from) / 1000);
    if (isStopping()) break;
    suite.status = code === 0 ? "completed" : "broken";
    if (code !== 0) {
      broken.push(name);
      process.stdout.write(`the suite ended with ${String(code)}\n`);
    }
  }
  process.stdout.write(`\n${printSummary(recording.rows())}\n`);
  if (broken.length > 0) process.stdout.write(`Broken: ${broken.join(", ")}\n`);
  if (json !== undefined) writeResults(json, recording.results(names.length));
  if (isStopping()) return 130;
  return broken.length > 0 ? 1 : 0;
}

/**
 * @param {string} name
 * @param {AbortSignal} signal
 * @param {(message: import("./support/report.mjs").Message) => void} onMessage
 * @returns {Promise<number | NodeJS.Signals>} its exit code
 */
function runOne(name, signal, onMessage) {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL("support/child.mjs", import.meta.url)), [name], {
      execArgv: [...(suites.get(name)?.flags ?? [])],
    });
    const stop = () => {
      if (child.connected) child.send("stop");
    };
    signal.addEventListener("abort", stop);
    child.on("message", (message) => {
      onMessage(/** @type {import("./support/report.mjs").Message} */ (message));
    });
    child.on("error", reject);
    child.on("exit", (code, killedBy) => {
      signal.removeEventListener("abort", stop);
      resolve(code ?? killedBy ?? 1);
    });
  });
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
