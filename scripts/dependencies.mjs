// @ts-check
/**
 * `npm run provenance`: where every dependency comes from and under which licence, as docs/dependencies.md.
 *
 * All of it is read from package-lock.json and from what is installed; nothing is asked of a registry, so that a check
 * needs none. `--registry` asks it, for advisories and signatures, and says so where it does not answer.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { flagsOf } from "./flags.mjs";

const root = new URL("../", import.meta.url);
const DOCUMENT = "docs/dependencies.md";

/** Licences that anything may be installed under: they ask of those who use it for nothing but a notice. */
const allowed = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BlueOak-1.0.0", "ISC", "MIT", "Zlib"];

/** Licences of single tools, with the reason. Nothing of them is in the package. */
const tolerated = /** @type {Record<string, RegExp>} */ ({
  "MPL-2.0": /^(?:lightningcss(?:-.*)?)$/, // Its files stay as they are, and vitest brings it.
  "CC-BY-4.0": /^caniuse-lite$/, // Data about browsers, which Stryker's parser brings.
});

const help = `npm run provenance [-- --check | --registry]

Writes ${DOCUMENT}: name, version, licence and source of every dependency.

  --check     writes nothing; fails when the page is not what the lock file gives, when a licence is not on the list,
              or when an entry of the lock file has no integrity hash
  --registry  asks the registry for known advisories and for signatures (npm audit): fails when it knows of some;
              where it does not answer, says that nothing was looked at, and ends with code 3
  --help      this`;

/**
 * @typedef {object} Entry - of package-lock.json
 * @property {string} version
 * @property {string} [integrity]
 * @property {string} [license]
 * @property {boolean} [dev]
 * @property {boolean} [optional]
 * @property {string[]} [os]
 */

process.exitCode = main(process.argv.slice(2));

/** @param {string[]} argv */
function main(argv) {
  const values = flagsOf(argv, help, ["check", "registry"]);
  if (typeof values === "number") return values;
  if (values.registry) return askRegistry();

  const lock = /** @type {{ packages: Record<string, Entry> }} */ (JSON.parse(read("package-lock.json")));
  const entries = Object.entries(lock.packages).filter(([path]) => path !== "");
  const wrong = entries.flatMap(([path, entry]) => faultsOf(nameOf(path), entry));
  const page = pageOf(entries);
  if (!values.check) writeFileSync(new URL(DOCUMENT, root), page);
  else if (!existsSync(new URL(DOCUMENT, root)) || read(DOCUMENT) !== page)
    wrong.push(`${DOCUMENT} is not what package-lock.json gives: npm run provenance`);
  if (wrong.length > 0) process.stderr.write(`${wrong.join("\n")}\n`);
  return wrong.length > 0 ? 1 : 0;
}

/** @param {string} path */
function read(path) {
  return readFileSync(new URL(path, root), "utf8");
}

/** @param {string} path - a key of the lock file */
function nameOf(path) {
  return path.replace(/^.*node_modules\//, "");
}

/** @param {Entry} entry - whether it is a build of a tool for another machine, which is not installed on this one */
function isElsewhere({ dev, optional, os }) {
  return dev === true && optional === true && os !== undefined;
}

/**
 * @param {string} name
 * @param {Entry} entry
 */
function faultsOf(name, entry) {
  const faults = [];
  const { version, license, integrity } = entry;
  if (!isAllowed(name, license))
    faults.push(`${name} ${version}: its licence, ${license ?? "none told"}, is not on the list`);
  if (integrity === undefined && !isElsewhere(entry))
    faults.push(`${name} ${version}: package-lock.json has no integrity hash for it`);
  return faults;
}

/**
 * @param {string} name
 * @param {string | undefined} license - an SPDX expression
 */
function isAllowed(name, license) {
  if (license === undefined) return false;
  const each = license.replace(/[()]/g, "").split(/ AND /);
  return each.every((part) =>
    part.split(/ OR /).some((one) => allowed.includes(one) || (tolerated[one]?.test(name) ?? false)),
  );
}

/** @param {[path: string, entry: Entry][]} entries */
function pageOf(entries) {
  const runtime = entries.filter(([, { dev }]) => dev !== true);
  const tools = entries.filter(([, { dev }]) => dev === true);
  /** @type {Record<string, number>} */
  const licences = {};
  for (const [, { license = "none" }] of tools) licences[license] = (licences[license] ?? 0) + 1;
  const direct =
    /** @type {{ devDependencies: Record<string, string>, peerDependencies: Record<string, string> }} */ (
      JSON.parse(read("package.json"))
    );
  const bundled = [...read("dist/bench/page/licenses.txt").matchAll(/^(\S+ \d\S*)\n+=+$/gm)].map(
    ([, title = ""]) => {
      const [name = "", version = ""] = title.split(" ");
      return (
        entries.find(([path, entry]) => nameOf(path) === name && entry.version === version) ?? [
          name,
          { version },
        ]
      );
    },
  );
  const unhashed = entries.filter(([, { integrity }]) => integrity === undefined);
  return `# Where the dependencies come from

Written by \`npm run provenance\` from package-lock.json; a test checks that it still is so, that every licence is one of
${allowed.join(", ")}, or ${Object.keys(tolerated).join(", ")} for a single tool, and that the lock file has an integrity hash for what is installed.

## Installed with lifeguard

${table(runtime)}

\`@napi-rs/nice\` is optional; piscina sets the priority of threads by it. Of its builds npm installs the one for the machine. \`comlink\` is a peer (${direct.peerDependencies.comlink}) that
\`lifeguard/comlink\` wants.

## Contained in dist

The page of \`lifeguard bench --html\`, and nothing else, has these inside; their licences lie beside it, in dist/bench/page/licenses.txt.

${table(/** @type {[string, Entry][]} */ (bundled))}

## Tools

${table(entries.filter(([path]) => Object.hasOwn(direct.devDependencies, path.replace("node_modules/", ""))))}

With what they bring, ${tools.length} packages, by licence: ${Object.entries(licences)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([license, count]) => `${license} ${count}`)
    .join(", ")}.

${unhashed.length} entries of the lock file have no integrity hash: builds of tools (${[...new Set(unhashed.map(([path]) => nameOf(path).split("/")[0]))].sort().join(", ")}) for other machines,
which the registry did not have where the lock file was written. What is published does not depend on them.

## Advisories and signatures

\`npm run audit\` asks the registry for advisories and for the signatures of what is installed. Where it offers neither, the command says so, and ends with
code 3: nothing was looked at then. So it was when this page was written: the registry there answered 405 to \`npm audit\`, and the keys for \`npm audit signatures\` were out of reach.
`;
}

/** @param {[path: string, entry: Entry][]} entries */
function table(entries) {
  const rows = entries.map(([path, { version, license = "?", integrity }]) => {
    const hash = integrity === undefined ? "none" : (integrity.split("-")[0] ?? "");
    return `| ${nameOf(path)} | ${version} | ${license} | ${sourceOf(path)} | ${hash} |`;
  });
  return ["| name | version | licence | source | hash |", "|---|---|---|---|---|", ...rows].join("\n");
}

/** Where its package.json says that it comes from. A build for another machine is not installed: its parent's. @param {string} path */
function sourceOf(path) {
  const candidates = [path, path.replace(/^(node_modules\/@napi-rs\/nice)-.*$/, "$1")];
  const found = candidates
    .map((each) => new URL(`${each}/package.json`, root))
    .find((url) => existsSync(url));
  if (found === undefined) return "?";
  const { repository } = /** @type {{ repository?: string | { url?: string } }} */ (
    JSON.parse(readFileSync(found, "utf8"))
  );
  const url = (typeof repository === "string" ? repository : repository?.url) ?? "?";
  return url
    .replace(/^git\+|\.git$/g, "")
    .replace(/^(?:git|ssh):\/\/(?:git@)?/, "https://")
    .replace(/^git@([^:]+):/, "https://$1/")
    .replace(/^(?:github:)?([\w.-]+\/[\w.-]+)$/, "https://github.com/$1");
}

/** What npm says of the packages that are installed. 0: looked at and clean, 1: something is known, 3: no answer. */
function askRegistry() {
  let code = 0;
  for (const args of [
    ["audit", "--json"],
    ["audit", "signatures", "--json"],
  ]) {
    const name = `npm ${args.slice(0, -1).join(" ")}`;
    const { status, output } = npm(args);
    /** @type {{ message?: string, error?: { summary?: string, code?: string }, metadata?: unknown, invalid?: unknown[] }} */
    let told = {};
    try {
      told = JSON.parse(output);
    } catch {
      // No answer.
    }
    const isAnswer = told.metadata !== undefined || told.invalid !== undefined;
    if (isAnswer && status === 0) process.stdout.write(`${name}: clean\n`);
    else if (isAnswer) {
      process.stdout.write(`${output}\n${name}: something is known\n`);
      code = 1;
    } else {
      const reason = told.message ?? told.error?.summary ?? "no answer";
      process.stdout.write(
        `${name}: nothing was looked at, as the registry does not offer what it takes (${reason.split("\n")[0]})\n`,
      );
      if (code === 0) code = 3;
    }
  }
  return code;
}

/** @param {string[]} args */
function npm(args) {
  try {
    const options = /** @type {import("node:child_process").ExecFileSyncOptionsWithStringEncoding} */ ({
      cwd: fileURLToPath(root),
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const output = execFileSync("npm", args, {
      ...options,
      timeout: 120_000,
      shell: process.platform === "win32",
    });
    return { status: 0, output };
  } catch (error) {
    const { status, stdout } = /** @type {{ status: number | null, stdout?: string }} */ (error);
    return { status: status ?? 1, output: stdout ?? "" };
  }
}
