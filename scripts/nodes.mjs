// @ts-check
/**
 * `npm run test:nodes`: the whole test suite on every supported Node, one after the other.
 *
 * A Node comes from the npm package `node` and stays in node_modules/.cache; of the version that runs this script, that
 * one is taken. It is first in the PATH of its run, so that children of tests run on it, too.
 */
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";

const root = fileURLToPath(new URL("../", import.meta.url));
const supported = [20, 22, 24, 26];
const own = Number(process.versions.node.split(".")[0]);

const help = `npm run test:nodes [-- [options] [versions…] [files…]]

Runs the test suite on Node ${supported.join(", ")}, or on the versions given, and counts. What is no number is for vitest:
the test files whose paths contain it.

  --others          all but the version that runs this (${own})
  --minutes <n>     a run that takes longer is killed, and has failed [18]
  --report <file>   writes what was counted as JSON
  --cache <folder>  where the Nodes lie [node_modules/.cache/nodes]
  --help            this`;

/**
 * @typedef {object} Count - one Node's
 * @property {number} major
 * @property {string} version - "?" where there is none
 * @property {number} passed
 * @property {number} failed - a file that could not be loaded counts as one, and so does a run without a report
 * @property {{ test: string, reason: string }[]} skipped
 * @property {number} seconds
 * @property {string | undefined} problem - of the run as a whole
 */

/**
 * What vitest's JSON reporter writes, as far as it is read here.
 *
 * @typedef {{ fullName: string, status: string, meta?: { skipped?: string } }} Assertion
 * @typedef {{ name: string, status: string, assertionResults: Assertion[] }} TestFile
 * @typedef {{ numPassedTests: number, numFailedTests: number, testResults: TestFile[] }} Report
 */

/** Set by the first SIGINT or SIGTERM: no other run is begun. @type {NodeJS.Signals | undefined} */
let stopped;
/** Ends the run under way. @type {((signal: NodeJS.Signals) => void) | undefined} */
let stop;

process.exitCode = await main(process.argv.slice(2));

/**
 * @param {string[]} argv
 * @returns {Promise<number>}
 */
async function main(argv) {
  let asked;
  try {
    asked = options(argv);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${help}\n`);
    return 2;
  }
  if (asked === "help") {
    process.stdout.write(`${help}\n`);
    return 0;
  }
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"]))
    process.on(signal, () => {
      stopped ??= signal;
      stop?.(signal);
    });

  /** @type {Count[]} */
  const counts = [];
  for (const major of asked.majors) {
    if (stopped !== undefined) break;
    counts.push(await countOf(major, asked));
  }
  if (asked.report !== undefined) writeFileSync(asked.report, `${JSON.stringify(counts, undefined, 2)}\n`);
  process.stdout.write(summary(counts));
  if (stopped !== undefined) return 128 + constants.signals[stopped];
  return counts.some(({ failed }) => failed > 0) ? 1 : 0;
}

/**
 * @param {string[]} argv
 * @returns {"help" | { majors: number[], files: string[], minutes: number, report: string | undefined, cache: string }}
 */
function options(argv) {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      others: { type: "boolean", default: false },
      minutes: { type: "string", default: "18" },
      report: { type: "string" },
      cache: { type: "string", default: join(root, "node_modules/.cache/nodes") },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return "help";
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes: expected more than 0, got ${values.minutes}`);
  const versions = positionals.filter((word) => /^v?[\d.]+$/.test(word));
  const unknown = versions.filter((word) => !supported.includes(Number(word)));
  if (unknown.length > 0)
    throw new Error(`expected versions among ${supported.join(", ")}, got ${unknown.join(", ")}`);
  const majors = versions.length > 0 ? versions.map(Number) : supported;
  return {
    majors: values.others ? majors.filter((major) => major !== own) : majors,
    files: positionals.filter((word) => !versions.includes(word)),
    minutes,
    report: values.report,
    cache: resolve(values.cache),
  };
}

/**
 * @param {number} major
 * @param {{ files: string[], minutes: number, cache: string }} asked
 * @returns {Promise<Count>}
 */
async function countOf(major, asked) {
  process.stdout.write(`\nNode ${major}\n`);
  const started = performance.now();
  const seconds = () => Math.round((performance.now() - started) / 1000);
  /** @param {string} problem @param {string} [version] @returns {Count} */
  const none = (problem, version = "?") => {
    process.stdout.write(`Node ${major}: ${problem}\n`);
    return { major, version, passed: 0, failed: 1, skipped: [], seconds: seconds(), problem };
  };

  let node;
  try {
    node = await nodeOf(major, asked.cache);
  } catch (error) {
    return none(`cannot be fetched: ${messageOf(error)}`);
  }
  const folder = mkdtempSync(join(tmpdir(), "lifeguard-nodes-"));
  try {
    const file = join(folder, "report.json");
    const ended = await run(node.path, asked, file);
    if (!existsSync(file)) return none(`${ended ?? "it ended"}, without a report`, node.version);
    const count = { major, version: node.version, seconds: seconds(), ...counted(file) };
    if (ended === undefined || count.failed > 0) return { ...count, problem: ended };
    return { ...count, failed: 1, problem: ended }; // such as an error that vitest could not blame on a test
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {number} major
 * @param {string} cache
 * @returns {Promise<{ path: string, version: string }>}
 */
async function nodeOf(major, cache) {
  if (major === own) return { path: process.execPath, version: process.versions.node };
  const folder = join(cache, String(major));
  const path = join(folder, "node_modules/node/bin", process.platform === "win32" ? "node.exe" : "node");
  const there = await versionOf(path).catch(() => undefined);
  if (there?.startsWith(`${major}.`)) return { path, version: there };

  process.stdout.write(`fetching node@${major} …\n`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n'); // else npm looks for one further up
  // Its install script fetches what fits the machine: wanted, whatever the user's settings say of scripts.
  const args = ["install", `node@${major}`, "--ignore-scripts=false", "--no-audit", "--no-fund", "--no-save"];
  await promisify(execFile)("npm", args, {
    cwd: folder,
    timeout: 300_000,
    shell: process.platform === "win32",
  });
  const version = await versionOf(path);
  if (!version.startsWith(`${major}.`)) throw new Error(`${path} is Node ${version}`);
  return { path, version };
}

/** @param {string} path */
async function versionOf(path) {
  const { stdout } = await promisify(execFile)(path, ["-p", "process.versions.node"], { timeout: 60_000 });
  return stdout.trim();
}

/**
 * Runs the suite.
 *
 * @param {string} node
 * @param {{ files: string[], minutes: number }} asked
 * @param {string} report
 * @returns {Promise<string | undefined>} why it has not gone well
 */
function run(node, { files, minutes }, report) {
  const child = spawn(node, [join(root, "node_modules/vitest/vitest.mjs"), "run", ...files], {
    cwd: root,
    // A group of its own: what its tests have started goes with it when it is killed.
    detached: process.platform !== "win32",
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      PATH: [dirname(node), process.env.PATH].join(delimiter),
      NODE: node,
      npm_node_execpath: node,
      VITEST_REPORT: report,
    },
  });
  /** @type {string | undefined} */
  let reason;
  /** @param {NodeJS.Signals} signal */
  const kill = (signal) => {
    try {
      if (child.pid === undefined || process.platform === "win32") child.kill(signal);
      else process.kill(-child.pid, signal);
    } catch {
      // It has gone.
    }
  };
  /** @param {NodeJS.Signals} signal @param {string} why */
  const end = (signal, why) => {
    reason ??= why;
    kill(signal);
    insistence ??= setTimeout(kill, 10_000, "SIGKILL");
  };
  /** @type {NodeJS.Timeout | undefined} */
  let insistence;
  const bound = setTimeout(end, minutes * 60_000, "SIGTERM", `killed after ${minutes} minutes`);
  stop = (signal) => end(signal, signal);
  if (stopped !== undefined) stop(stopped);

  return new Promise((resolve, reject) => {
    /** @param {() => void} settle */
    const over = (settle) => {
      clearTimeout(bound);
      clearTimeout(insistence);
      stop = undefined;
      if (reason !== undefined) kill("SIGKILL"); // what the group has left
      settle();
    };
    child.on("error", (error) => over(() => reject(error)));
    child.on("exit", (code, signal) => {
      if (code !== 0) reason ??= `vitest ended with ${signal ?? `code ${code}`}`;
      over(() => resolve(reason));
    });
  });
}

/**
 * @param {string} file - vitest's report
 * @returns {Pick<Count, "passed" | "failed" | "skipped">}
 */
function counted(file) {
  const { numPassedTests, numFailedTests, testResults } = /** @type {Report} */ (
    JSON.parse(readFileSync(file, "utf8"))
  );
  const unloaded = testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((test) => test.status === "failed"),
  );
  const skipped = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status !== "passed" && status !== "failed")
      .map(({ fullName, meta }) => ({
        test: `${name.slice(root.length)}: ${fullName}`,
        reason: meta?.skipped ?? "no reason given",
      })),
  );
  return { passed: numPassedTests, failed: numFailedTests + unloaded.length, skipped };
}

/** @param {Count[]} counts */
function summary(counts) {
  const lines = ["", "Node        passed  failed  skipped  seconds"];
  for (const { major, version, passed, failed, skipped, seconds, problem } of counts) {
    const numbers = [
      String(passed).padStart(6),
      String(failed).padStart(6),
      String(skipped.length).padStart(7),
    ];
    const name = (version === "?" ? String(major) : version).padEnd(10);
    lines.push(
      `${[name, ...numbers, String(seconds).padStart(7)].join("  ")}${problem ? `  ${problem}` : ""}`,
    );
  }
  for (const { version, skipped } of counts) {
    if (skipped.length === 0) continue;
    lines.push("", `skipped on ${version}`, ...skipped.map(({ test, reason }) => `  ${test} (${reason})`));
  }
  const total = (/** @type {"passed" | "failed"} */ key) =>
    counts.reduce((sum, count) => sum + count[key], 0);
  lines.push("", `${total("passed")} passed, ${total("failed")} failed`, "");
  return lines.join("\n");
}

/** @param {unknown} error */
function messageOf(error) {
  if (!(error instanceof Error)) return String(error);
  const { stderr } = /** @type {{ stderr?: string }} */ (error);
  const last = stderr?.split("\n").filter((line) => /^npm (?:error|ERR!) (?!A complete log)/.test(line));
  return last?.length ? `${error.message.split("\n")[0]}: ${last.slice(0, 3).join("; ")}` : error.message;
}
