// @ts-check
/** Finds a Go that is new enough, and builds reference/ with it. As a program: prints which, or why there is none. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const reference = fileURLToPath(new URL("./reference/", import.meta.url));

/** The first with causes for deadlines, AfterFunc and WithoutCancel. */
const WANTED = 21;

/** Nothing is fetched: neither a newer Go nor a module. */
const env = {
  ...process.env,
  GOTOOLCHAIN: "local",
  GOPROXY: "off",
  GOFLAGS: "-mod=mod",
  GOWORK: "off",
  CGO_ENABLED: "0",
};

/** @typedef {{ readonly command: string, readonly version: string, readonly root: string }} Go */

/**
 * LIFEGUARD_GO, if set; else `go`, else the newest of those that Debian puts beside it.
 *
 * @returns {Promise<Go>}
 * @throws Error that says what was found, and what is wanted
 */
export async function findGo() {
  const { LIFEGUARD_GO } = process.env;
  const commands =
    LIFEGUARD_GO === undefined || LIFEGUARD_GO === "" ? ["go", ...(await beside())] : [LIFEGUARD_GO];
  /** @type {string[]} */
  const found = [];
  for (const command of commands) {
    try {
      const { stdout } = await run(command, ["env", "GOVERSION", "GOROOT"], { env });
      const [version = "", root = ""] = stdout.trim().split("\n");
      const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
      if (Number(major) > 1 || Number(minor) >= WANTED) return { command, version, root };
      found.push(`${command} is ${version}`);
    } catch {
      found.push(`${command}: not there, or does not start`);
    }
  }
  throw new Error(`no Go 1.${WANTED} or newer (LIFEGUARD_GO names one): ${found.join("; ")}`);
}

/** Of several versions, the newest first. */
async function beside() {
  const names = await readdir("/usr/lib").catch(() => []);
  return names
    .filter((name) => /^go-1\.\d+$/.test(name))
    .sort((a, b) => Number(b.slice(5)) - Number(a.slice(5)))
    .map((name) => `/usr/lib/${name}/bin/go`);
}

/**
 * Builds the program in a directory of its own, which is the caller's to remove. errgroup is the one that Go's own
 * commands are built with, and comes with Go's sources: nothing has to be fetched, and Debian's package of it is too old
 * to know causes.
 *
 * @param {Go} go
 * @returns {Promise<{ binary: string, directory: string }>}
 */
export async function buildReference({ command, root }) {
  const directory = await mkdtemp(join(tmpdir(), "lifeguard-go-"));
  await cp(reference, directory, { recursive: true });
  await mkdir(join(directory, "sync"));
  await cp(join(root, "src/cmd/vendor/golang.org/x/sync/errgroup"), join(directory, "sync/errgroup"), {
    recursive: true,
  });
  await writeFile(join(directory, "sync/go.mod"), `module golang.org/x/sync\n\ngo 1.${WANTED}\n`);
  const binary = join(directory, "reference");
  await run(command, ["build", "-tags=faketime", "-o", binary, "."], { cwd: directory, env });
  return { binary, directory };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { command, version } = await findGo();
    console.log(`${version}: ${command}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
