/** Files run as users run them: by Node, in a process of their own, with pipes for a terminal. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface Run {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** SIGINT is sent, once, when this has been printed, to stdout or stderr. */
  readonly interruptAfter?: string;
  /** Closes its end of the pipe when this has been printed, as `head` does. */
  readonly hangUpAfter?: string;
  /** The same of stderr. */
  readonly deafAfter?: string;
  /** Milliseconds until it is killed. @default 110000 */
  readonly timeout?: number;
}

export const root = fileURLToPath(new URL("../../", import.meta.url));

export function run(file: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Run> {
  const child = spawn(process.execPath, [file, ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: options.timeout ?? 110_000,
  });
  let stdout = "";
  let stderr = "";
  let { interruptAfter, hangUpAfter, deafAfter } = options;
  const look = (printed: string): void => {
    if (interruptAfter !== undefined && printed.includes(interruptAfter)) {
      interruptAfter = undefined;
      child.kill("SIGINT");
    }
    if (hangUpAfter !== undefined && printed.includes(hangUpAfter)) {
      hangUpAfter = undefined;
      child.stdout.destroy();
    }
    if (deafAfter !== undefined && printed.includes(deafAfter)) {
      deafAfter = undefined;
      child.stderr.destroy();
    }
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    look(stdout);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    look(stderr);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      resolve({ code, signal, stdout, stderr });
    });
  });
}
