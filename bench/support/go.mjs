// @ts-check
/** Go's own contexts beside ours, where `go` is on the PATH. */
import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { scale } from "./sampling.mjs";

const run = promisify(execFile);
const module = fileURLToPath(new URL("../go/", import.meta.url));

/**
 * What Go 1.27.3 took on the machine the project's demands were written on: the peer where no Go of that age or newer
 * is at hand. In ns, or bytes.
 *
 * @type {Readonly<Record<string, number>>}
 */
const noted = {
  seen: 1000,
  poll: 1.3,
  withCancel: 248,
  withTimeout40: 496,
  withTimeout400k: 496,
  children: 17e6,
  chain: 448e3,
  value10: 58,
  value100: 501,
  bytes: 96,
};

const NOTED_VERSION = [1, 27];

/** @typedef {{ readonly version: string, readonly isRecent: boolean, readonly measure: (what: string) => Promise<number[]> }} Go */

/**
 * The Go that is on the PATH.
 *
 * @returns {Promise<string | null>} "1.27.3"; null where there is none
 */
export async function goVersion() {
  try {
    const { stdout } = await run("go", ["env", "GOVERSION"]);
    return stdout.trim().replace("go", "");
  } catch {
    return null;
  }
}

/** @type {Promise<Go | undefined> | undefined} */
let found;

/**
 * Builds the Go side once, into a directory that goes when the process does.
 *
 * @param {import("./report.mjs").Report} report
 * @returns {Promise<Go | undefined>}
 */
async function find(report) {
  const version = await goVersion();
  if (version === null) return undefined;
  const directory = await mkdtemp(join(tmpdir(), "lifeguard-bench-"));
  process.once("exit", () => {
    rmSync(directory, { recursive: true, force: true });
  });
  const binary = join(directory, "contexts");
  try {
    await run("go", ["build", "-o", binary, "."], { cwd: module });
  } catch (error) {
    // Older than go.mod asks for, or broken: the rest can be measured all the same.
    const why = error instanceof Error ? error.message.trim().split("\n").at(-1) : String(error);
    report.note(`    Go ${version} cannot build bench/go: ${why ?? ""}`);
    return undefined;
  }
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [notedMajor = 0, notedMinor = 0] = NOTED_VERSION;
  return {
    version: `Go ${version}`,
    isRecent: major > notedMajor || (major === notedMajor && minor >= notedMinor),
    measure: async (what) => {
      const { stdout } = await run(binary, [what, String(scale)]);
      /** @type {unknown} */
      const samples = JSON.parse(stdout);
      return /** @type {number[]} */ (samples);
    },
  };
}

/**
 * Go's side of a row: measured now, by the Go that is here; and as noted, when that is older or there is none.
 *
 * @param {import("./report.mjs").Report} report
 * @param {string} what
 * @returns {Promise<import("./report.mjs").Side[]>}
 */
export async function goSides(report, what) {
  found ??= find(report);
  const go = await found;
  /** @type {import("./report.mjs").Side[]} */
  const sides = [];
  if (go !== undefined) {
    report.progress(`${go.version}: ${what}`);
    sides.push({ name: go.version, samples: await go.measure(what) });
  }
  const known = noted[what];
  if (go?.isRecent !== true && known !== undefined)
    sides.push({ name: "Go 1.27.3 as noted", samples: [known], noted: true });
  return sides;
}
