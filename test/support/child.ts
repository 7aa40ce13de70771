/** Small scripts in a Node process of their own, against the built library: what keeps a process alive shows only there. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface Exit {
  readonly code: number | null;
  /** Set when the script had to be killed because it did not end by itself. */
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Runs `script` as an ES module in the package's own directory, where `lifeguard/context` is the built one. */
export function runScript(script: string, nodeArgs: readonly string[] = []): Promise<Exit> {
  const args = [...nodeArgs, "--input-type=module", "--eval", script];
  const child = spawn(process.execPath, args, {
    cwd: root,
    timeout: 110_000, // so that the test can tell what it has printed
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      resolve({ code, signal, stdout, stderr });
    });
  });
}
