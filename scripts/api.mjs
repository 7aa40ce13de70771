// @ts-check
/**
 * `npm run api`: writes what the package exports, entry by entry with every declared type, into docs/api.
 *
 * It is read from the built declarations, so from what users compile against. No change of it goes unseen: a test
 * compares the files with what dist declares.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CompilerState, Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { flagsOf } from "./flags.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const folder = join(root, "docs/api");

const help = `npm run api [-- --check]

Writes what each entry of the package exports into docs/api/*.api.md.

  --check  writes nothing, and fails when those files are not what the built declarations say (wants a build first)
  --help   this`;

const none = { logLevel: ExtractorLogLevel.None };
const error = { logLevel: ExtractorLogLevel.Error };

/**
 * What is not said in the reports: that nothing is marked @public, because all of it is, and how comments are laid out.
 * What is said: types that are used by what is exported and cannot be named by who uses it.
 *
 * @type {import("@microsoft/api-extractor").IExtractorMessagesConfig}
 */
const messages = {
  compilerMessageReporting: { default: error },
  extractorMessageReporting: {
    default: { ...error, addToApiReportFile: true },
    "ae-missing-release-tag": none,
    "ae-undocumented": none,
    "ae-unresolved-link": none,
    "ae-forgotten-export": { ...none, addToApiReportFile: true },
  },
  tsdocMessageReporting: { default: none },
};

process.exitCode = main(process.argv.slice(2));

/**
 * @param {string[]} argv
 * @returns {number}
 */
function main(argv) {
  const values = flagsOf(argv, help, ["check"]);
  if (typeof values === "number") return values;
  const entries = declaredEntries();
  const missing = [...entries.values()].filter((file) => !existsSync(file));
  if (missing.length > 0) {
    process.stderr.write(`there is no ${missing.join(", no ")}: run \`npm run build\` first\n`);
    return 1;
  }
  const reports = reportsOf(entries);
  return values.check ? check(reports) : update(reports);
}

/**
 * The declarations of every entry in `exports`, by the name of their report: "lifeguard", "lifeguard.http". A condition
 * that has types of its own has a report of its own: "lifeguard.comlink.browser".
 *
 * @returns {Map<string, string>}
 */
function declaredEntries() {
  /** @type {Map<string, string>} */
  const found = new Map();
  /** @param {string} name @param {unknown} target */
  const visit = (name, target) => {
    if (typeof target !== "object" || target === null) return;
    for (const [condition, below] of Object.entries(target)) {
      if (condition === "types") found.set(name, join(root, String(below)));
      else visit(`${name}.${condition}`, below);
    }
  };
  const { exports } = /** @type {{ exports: object }} */ (
    JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  );
  for (const [path, target] of Object.entries(exports))
    visit(path.replace(/^\./, "lifeguard").replaceAll("/", "."), target);
  return found;
}

/**
 * @param {Map<string, string>} entries
 * @returns {Map<string, string>} texts by the names of their files
 */
function reportsOf(entries) {
  const temporary = mkdtempSync(join(tmpdir(), "lifeguard-api-"));
  try {
    mkdirSync(join(temporary, "reports"));
    const configs = [...entries].map(([name, file]) =>
      ExtractorConfig.prepare({
        configObject: {
          projectFolder: root,
          mainEntryPointFilePath: file,
          compiler: { tsconfigFilePath: join(root, "tsconfig.package.json") },
          apiReport: {
            enabled: true,
            reportFileName: name,
            reportFolder: join(temporary, "reports"),
            reportTempFolder: join(temporary, "compared"),
            // With what they say: a change of `ThreadSettings` is one of `PoolOptions`, which extends it.
            includeForgottenExports: true,
          },
          docModel: { enabled: false },
          dtsRollup: { enabled: false },
          tsdocMetadata: { enabled: false },
          newlineKind: "lf",
          messages,
        },
        configObjectFullPath: undefined,
        packageJsonFullPath: join(root, "package.json"),
      }),
    );
    const [first] = configs;
    if (first === undefined) throw new Error("package.json: no entry of `exports` has types");
    // Read and checked once for all of them: half the time.
    const compilerState = CompilerState.create(first, { additionalEntryPoints: [...entries.values()] });
    for (const config of configs) {
      const { succeeded } = Extractor.invoke(config, {
        compilerState,
        localBuild: true,
        messageCallback(message) {
          if (message.logLevel === ExtractorLogLevel.Error)
            process.stderr.write(`${message.formatMessageWithLocation(root)}\n`);
          message.handled = true;
        },
      });
      if (!succeeded) throw new Error(`${config.mainEntryPointFilePath}: the extractor has failed`);
    }
    const reports = readdirSync(join(temporary, "reports")).sort();
    return new Map(reports.map((file) => [file, readFileSync(join(temporary, "reports", file), "utf8")]));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** The files there are. */
function written() {
  return existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(".api.md")) : [];
}

/** @param {Map<string, string>} reports */
function update(reports) {
  mkdirSync(folder, { recursive: true });
  for (const file of written()) if (!reports.has(file)) rmSync(join(folder, file));
  for (const [file, text] of reports) writeFileSync(join(folder, file), text);
  process.stdout.write(`docs/api: ${reports.size} entries\n`);
  return 0;
}

/** @param {Map<string, string>} reports */
function check(reports) {
  const differences = written()
    .filter((file) => !reports.has(file))
    .map((file) => `docs/api/${file}: no entry of this name is left`);
  for (const [file, text] of reports) {
    const path = join(folder, file);
    const before = existsSync(path) ? readFileSync(path, "utf8") : "";
    if (before !== text) differences.push(`docs/api/${file}:`, ...changedLines(before, text));
  }
  if (differences.length === 0) return 0;
  process.stderr.write(
    `The API has changed. If it was meant to, run \`npm run api\` and commit docs/api.\n\n${differences.join("\n")}\n`,
  );
  return 1;
}

/**
 * The lines between what both texts begin with and what both end with: enough to see what has changed.
 *
 * @param {string} before
 * @param {string} after
 */
function changedLines(before, after) {
  const old = before.split("\n");
  const now = after.split("\n");
  let start = 0;
  while (start < old.length && old[start] === now[start]) start++;
  let end = 0;
  while (end < Math.min(old.length, now.length) - start && old.at(-1 - end) === now.at(-1 - end)) end++;
  return [
    ...old.slice(start, old.length - end).map((line) => `- ${line}`),
    ...now.slice(start, now.length - end).map((line) => `+ ${line}`),
  ];
}
