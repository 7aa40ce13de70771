// @ts-check
/** The other pools: installed on the first run, and again when the lock names other versions. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const home = new URL("../", import.meta.url);

/**
 * @param {(text: string) => void} tell
 * @param {AbortSignal} stop
 */
export async function installPeers(tell, stop) {
  if (isInstalled()) return;
  tell("installing the other pools (npm ci in bench/compare)");
  await npmCi(stop);
  if (!isInstalled()) throw new Error("npm ci in bench/compare has not installed what its lock file names");
}

function isInstalled() {
  const { packages } = /** @type {{ packages: Record<string, { version?: string, optional?: boolean }> }} */ (
    read("package-lock.json")
  );
  return Object.entries(packages).every(([path, { version, optional }]) => {
    if (path === "" || optional === true) return true;
    try {
      return /** @type {{ version: string }} */ (read(`${path}/package.json`)).version === version;
    } catch {
      return false;
    }
  });
}

/**
 * @param {string} path
 * @returns {unknown}
 */
function read(path) {
  return JSON.parse(readFileSync(new URL(path, home), "utf8"));
}

/**
 * @param {AbortSignal} stop
 * @returns {Promise<void>}
 */
function npmCi(stop) {
  // `npm run` says which npm it is: on Windows that spares a shell. Its output is for whoever waits: stderr.
  const npm = process.env.npm_execpath;
  const command = npm === undefined ? "npm" : process.execPath;
  const before = npm === undefined ? [] : [npm];
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...before, "ci", "--no-audit", "--no-fund"], {
      cwd: fileURLToPath(home),
      stdio: ["ignore", 2, 2],
      signal: stop,
    });
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`npm ci in bench/compare ended with ${String(code ?? signal)}`));
    });
  });
}
