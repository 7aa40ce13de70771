// @ts-check
/** A whole run as data: what was measured, on which machine, with what, and how it is written to a file. */
import { randomUUID } from "node:crypto";
import { accessSync, constants, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { arch, availableParallelism, cpus, loadavg, platform, totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";
import { scale } from "./sampling.mjs";

/**
 * @typedef {object} SuiteResult
 * @property {string} name
 * @property {string} about
 * @property {"completed" | "broken" | "stopped"} status stopped: by Ctrl-C, after some rows or none
 * @property {number} seconds
 * @property {import("./report.mjs").Row[]} rows
 */

/**
 * @typedef {object} Machine
 * @property {string} node
 * @property {string} v8
 * @property {string} system
 * @property {string} processor
 * @property {number} cores
 * @property {number} memory bytes
 */

/**
 * @typedef {object} Results
 * @property {1} format
 * @property {string} command
 * @property {string} date when it began, ISO 8601
 * @property {number} seconds
 * @property {boolean} isComplete every suite ran to its end
 * @property {number} scale BENCH_SCALE; anything but 1 is a trial
 * @property {Machine} machine
 * @property {{ readonly before: number, readonly after: number }} load of the last minute; with `after`, our own as well
 * @property {Record<string, string | null>} versions null: not there
 * @property {SuiteResult[]} suites
 */

/** @returns {Machine} */
export function machine() {
  return {
    node: process.version,
    v8: process.versions.v8,
    system: `${platform()} ${arch()}`,
    processor: cpus()[0]?.model.trim() ?? "an unknown processor",
    cores: availableParallelism(),
    memory: totalmem(),
  };
}

/**
 * @param {URL} folder where a package.json lies
 * @returns {string | null}
 */
export function versionOf(folder) {
  try {
    /** @type {unknown} */
    const content = JSON.parse(readFileSync(new URL("package.json", folder), "utf8"));
    return /** @type {{ version: string }} */ (content).version;
  } catch {
    return null;
  }
}

/** Collects a run while it goes, so that what is there when it is stopped can be written. */
export class Recording {
  #command;
  #date = new Date();
  #from = performance.now();
  #load = load();
  #versions;
  /** @type {SuiteResult[]} */
  #suites = [];

  /**
   * @param {string} command as it was typed
   * @param {Record<string, string | null>} versions
   */
  constructor(command, versions) {
    this.#command = command;
    this.#versions = versions;
  }

  /** What stands at the head of what is printed. */
  head() {
    const { node, cores, processor } = machine();
    const versions = Object.entries(this.#versions).map(
      ([name, version]) => `${name} ${version ?? "not there"}`,
    );
    const lines = [
      `Node ${node}, ${String(cores)} × ${processor}, load ${this.#load.toFixed(2)}`,
      versions.join(", "),
    ];
    if (this.#load > 0.5) lines.push("The machine is not quiet: take the figures with care.");
    if (scale !== 1) lines.push(`BENCH_SCALE=${String(scale)}: a trial, not a measurement.`);
    return lines.join("\n");
  }

  /**
   * @param {string} name
   * @param {string} about
   * @returns {SuiteResult} to be filled while the suite runs
   */
  begin(name, about) {
    /** @type {SuiteResult} */
    const suite = { name, about, status: "stopped", seconds: 0, rows: [] };
    this.#suites.push(suite);
    return suite;
  }

  rows() {
    return this.#suites.flatMap(({ name, rows }) => rows.map((row) => ({ suite: name, row })));
  }

  /**
   * @param {number} wanted how many suites were to run
   * @returns {Results}
   */
  results(wanted) {
    return {
      format: 1,
      command: this.#command,
      date: this.#date.toISOString(),
      seconds: Math.round((performance.now() - this.#from) / 1000),
      isComplete:
        this.#suites.length === wanted && this.#suites.every(({ status }) => status === "completed"),
      scale,
      machine: machine(),
      load: { before: this.#load, after: load() },
      versions: this.#versions,
      suites: this.#suites,
    };
  }
}

/**
 * Says before anything is measured what would come out only minutes later.
 *
 * @param {string} path
 * @throws {Error} a sentence for whoever typed it
 */
export function checkWritable(path) {
  const whole = resolve(path);
  try {
    if (statSync(whole, { throwIfNoEntry: false })?.isDirectory() === true)
      throw new Error("it is a directory");
    accessSync(dirname(whole), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new Error(
      `--json: cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  }
}

/**
 * Either the whole of it is there afterwards or what was there before: written beside, then renamed.
 *
 * @param {string} path
 * @param {Results} results
 */
export function writeResults(path, results) {
  const whole = resolve(path);
  const beside = join(dirname(whole), `.${randomUUID()}.json`);
  try {
    writeFileSync(beside, `${stringify(results)}\n`);
    renameSync(beside, whole);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

/**
 * Four significant digits of what was measured: more is noise, and the files are kept. What holds nothing else is a line
 * of its own, so that a difference between two runs can be read.
 *
 * @param {unknown} value
 */
export function stringify(value) {
  const rounded = (/** @type {string} */ _, /** @type {unknown} */ each) =>
    typeof each === "number" && !Number.isInteger(each) ? Number(each.toPrecision(4)) : each;
  const text = JSON.stringify(value, rounded, 1);
  return text.replaceAll(/\{[^{}[\]]*\}/g, (whole) => whole.replaceAll(/\n */g, " "));
}

/**
 * The command of a run as one would type it again.
 *
 * @param {string} script
 * @param {readonly string[]} argv
 */
export function commandOf(script, argv) {
  const quoted = argv.map((each) =>
    /^[\w./,=-]+$/.test(each) ? each : `'${each.replaceAll("'", "'\\''")}'`,
  );
  return [`npm run ${script}`, ...(quoted.length > 0 ? ["--", ...quoted] : [])].join(" ");
}

function load() {
  return loadavg()[0] ?? 0;
}

/**
 * What `--json` has written.
 *
 * @param {string | URL} path
 * @returns {Results}
 * @throws Error that says what is wrong with it
 */
export function readResults(path) {
  /** @type {unknown} */
  const content = JSON.parse(readFileSync(path, "utf8"));
  const { format, suites } = /** @type {Partial<Results>} */ (content ?? {});
  if (format !== 1 || !Array.isArray(suites))
    throw new Error(`${String(path)}: expected what this version writes with --json`);
  return /** @type {Results} */ (content);
}
