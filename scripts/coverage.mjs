// @ts-check
/**
 * `npm run coverage`: which lines and branches of src the tests reach, on every thread and in every process.
 *
 * Vitest sees what runs in its own processes. What runs in worker threads and in programs that tests start is written
 * by V8 itself, as each of them ends (NODE_V8_COVERAGE). Both are laid over the sources here, and added up: a branch
 * is reached if anybody reached it. A thread that is ended from outside still writes; a process that is killed does not.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { mergeScriptCovs } from "@bcoe/v8-coverage";
import { convert } from "ast-v8-to-istanbul";
import coverage from "istanbul-lib-coverage";
import { createContext } from "istanbul-lib-report";
import reports from "istanbul-reports";
import { parseAstAsync } from "rolldown/parseAst";

/** @import { ScriptCov } from "@bcoe/v8-coverage" */
/** @import { FileCoverageData } from "istanbul-lib-coverage" */

const root = fileURLToPath(new URL("../", import.meta.url));
const folder = `${root}coverage`;
const raw = `${folder}/raw`;
const ofVitests = `${folder}/coverage-final.json`;

/** Less than that of the branches of src, in percent, is a failure. */
const ASKED = 95;

const help = `npm run coverage [-- options] [-- test files]

Runs the tests, some ten minutes, and tells which lines and branches of src they reach, in all threads and processes.
The report lies in coverage/, as pages for a browser and as lcov.info.

  --report   runs nothing: tells anew what the last run has left
  --help     this
Fails when a test fails, or when all the tests reach less than ${ASKED} % of the branches.`;

process.exitCode = await main(process.argv.slice(2));

/** @param {string[]} args */
async function main(args) {
  /** @type {{ values: { report?: boolean; help?: boolean }; positionals: string[] }} */
  let parsed;
  try {
    parsed = parseArgs({
      args,
      options: { report: { type: "boolean" }, help: { type: "boolean", short: "h" } },
      allowPositionals: true,
    });
  } catch (error) {
    console.error(`${/** @type {Error} */ (error).message}\n\n${help}`);
    return 2;
  }
  const { values, positionals } = parsed;
  if (values.help) {
    console.log(help);
    return 0;
  }
  if (values.report) {
    if (existsSync(ofVitests)) return await report(true);
    console.error("there is no run to tell of: npm run coverage makes one");
    return 1;
  }
  rmSync(folder, { recursive: true, force: true });
  const status = await runTests(positionals);
  if (!existsSync(ofVitests)) return status;
  const reported = await report(positionals.length === 0);
  if (status !== 0) console.error("not all of the tests have passed: see above");
  return status === 0 ? reported : status;
}

/**
 * @param {string[]} files
 * @returns {Promise<number>}
 */
function runTests(files) {
  const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
  // `clean` would take away what the threads have written meanwhile.
  const options = [
    "--coverage",
    "--coverage.reporter=json",
    "--coverage.clean=false",
    "--coverage.reportOnFailure",
  ];
  const child = spawn(process.execPath, [vitest, "run", ...options, ...files], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, NODE_V8_COVERAGE: raw },
  });
  // Ctrl-C reaches the whole group: vitest ends what it has begun, and this follows.
  process.on("SIGINT", () => {});
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve(signal === null ? (code ?? 1) : 130));
  });
}

/** @param {boolean} isWhole - all tests have run, so that all of src can be asked for */
async function report(isWhole) {
  const map = coverage.createCoverageMap();
  const { scripts, unreadable } = ofThreads();
  for (const script of scripts) map.merge(await onSources(script));
  for (const file of Object.values(ofVitest())) {
    // Of a file that it has not run, vitest has another idea than the bundle: counted only if nobody else has run it.
    const isRun = coverage.createFileCoverage(file).toSummary().statements.covered > 0;
    if (isRun || !map.files().includes(file.path)) map.addFileCoverage(file);
  }
  // Files of types alone have nothing to reach.
  map.filter(
    (path) => path.startsWith(`${root}src/`) && map.fileCoverageFor(path).toSummary().lines.total > 0,
  );
  const context = createContext({ dir: folder, coverageMap: map });
  for (const kind of /** @type {const} */ (["text", "html", "lcovonly", "json-summary"]))
    reports.create(kind).execute(context);

  const { branches } = map.getCoverageSummary();
  console.log(`${branches.covered} of ${branches.total} branches of src reached: ${branches.pct} %`);
  if (unreadable > 0)
    console.log(`${unreadable} threads or processes ended while they wrote theirs: not counted`);
  if (!isWhole || branches.pct >= ASKED) return 0;
  console.error(`at least ${ASKED} % are asked`);
  return 1;
}

/** What vitest has seen. */
function ofVitest() {
  return fromJson(readFileSync(ofVitests, "utf8"));
}

/** What threads and programs have seen of dist, one for each of its files. */
function ofThreads() {
  const dist = new URL("../dist/", import.meta.url).href;
  /** @type {Map<string, ScriptCov>} */
  const merged = new Map();
  let unreadable = 0;
  for (const name of readdirSync(raw)) {
    /** @type {{ result: ScriptCov[] }} */
    let content;
    try {
      content = JSON.parse(readFileSync(`${raw}/${name}`, "utf8"));
    } catch {
      unreadable++;
      continue;
    }
    for (const script of content.result) {
      // Without a map it is a list of names that others export.
      if (!script.url.startsWith(dist) || !existsSync(new URL(`${script.url}.map`))) continue;
      const before = merged.get(script.url);
      merged.set(script.url, (before && mergeScriptCovs([before, script])) ?? script);
    }
  }
  return { scripts: [...merged.values()], unreadable };
}

/** @param {ScriptCov} script */
async function onSources(script) {
  const path = fileURLToPath(script.url);
  const code = readFileSync(path, "utf8");
  const converted = await convert({
    ast: parseAstAsync(code),
    code,
    wrapperLength: 0,
    coverage: script,
    sourceMap: JSON.parse(readFileSync(`${path}.map`, "utf8")),
  });
  // As vitest's lies in its file, where the end of a line is null and no Infinity: they are told apart when added up.
  return fromJson(JSON.stringify(converted));
}

/** @param {string} text */
function fromJson(text) {
  /** @type {unknown} */
  const value = JSON.parse(text);
  return /** @type {Record<string, FileCoverageData>} */ (value);
}
