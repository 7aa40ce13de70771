// @ts-check
/**
 * `npm run figures`: measures, and writes every figure of the documents from what was measured.
 *
 * The results lie in docs/figures; README.md and docs/performance.md have markers that the tables go between; what
 * docs/figures/all.md and latency.svg hold is written here altogether.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readResults } from "../bench/support/results.mjs";
import { allFigures, fill, textsOfPerformance, textsOfReadme } from "./figures/documents.mjs";
import { picture } from "./figures/picture.mjs";
import { flagsOf } from "./flags.mjs";

const root = new URL("../", import.meta.url);

const BENCH = "docs/figures/bench.json";
const COMPARE = "docs/figures/compare.json";

/** What is run, each for its file. */
const measurements = [
  { script: "bench/run.mjs", args: ["--json", BENCH] },
  {
    script: "bench/compare/run.mjs",
    args: ["--json", COMPARE, "--sizes", "1000,10000", "--limit", "15", "cancel", "throughput", "batch"],
  },
];

const help = `npm run figures [-- --render | --check]

Measures all that the documents show, some quarter of an hour on a machine that does nothing else, and writes it into
them.

  --render   only writes: from the results that lie in docs/figures
  --check    writes nothing, and fails when the documents are not what those results give
  --help     this
BENCH_SCALE=0.1 in the environment is a trial, in some minutes: the documents then say so.`;

process.exitCode = await main(process.argv.slice(2));

/**
 * @param {string[]} argv
 * @returns {Promise<number>}
 */
async function main(argv) {
  const values = flagsOf(argv, help, ["render", "check"]);
  if (typeof values === "number") return values;
  if (!values.render && !values.check) {
    for (const { script, args } of measurements) {
      const code = await run(script, args);
      if (code !== 0) {
        process.stderr.write(`${script} ended with ${String(code)}: the documents stay as they are\n`);
        return code === 130 ? 130 : 1;
      }
    }
  }
  const stale = [];
  for (const [path, content] of rendered()) {
    const file = new URL(path, root);
    if (existsSync(file) && readFileSync(file, "utf8") === content) continue;
    if (values.check) stale.push(path);
    else writeFileSync(file, content);
  }
  if (stale.length > 0)
    process.stderr.write(`not what docs/figures gives: ${stale.join(", ")}; npm run figures -- --render\n`);
  return stale.length > 0 ? 1 : 0;
}

/** @returns {readonly (readonly [path: string, content: string])[]} */
function rendered() {
  const bench = readResults(new URL(BENCH, root));
  const compare = readResults(new URL(COMPARE, root));
  const text = (/** @type {string} */ path) => readFileSync(new URL(path, root), "utf8");
  return [
    ["README.md", fill(text("README.md"), textsOfReadme(bench, compare))],
    ["docs/performance.md", fill(text("docs/performance.md"), textsOfPerformance(bench, compare))],
    ["docs/figures/all.md", allFigures(bench, compare)],
    ["docs/figures/latency.svg", picture(compare)],
  ];
}

/**
 * @param {string} script
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
function run(script, args) {
  // Ctrl-C goes to the child as well: it writes what it has, and its exit code says what it was.
  const ignore = () => {};
  process.on("SIGINT", ignore);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(new URL(script, root)), ...args], {
      cwd: fileURLToPath(root),
      stdio: "inherit",
    });
    child.on("error", reject);
    child.on("exit", (code) => {
      process.off("SIGINT", ignore);
      resolve(code ?? 1);
    });
  });
}
