/** The explorer's server in a process of its own, and what it says of its tiles. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { expect } from "vitest";
import { root } from "./run.js";

export const main = "examples/explorer/main.mjs";

/** A tile that lies inside the set: each of its pixels takes all the steps there are. */
export const inside = "zoom=5&x=18&y=15";

export interface Explorer {
  readonly child: ChildProcess;
  readonly url: string;
  /** What it has printed to stderr. */
  readonly complaints: () => string;
  /** Sends a signal, and waits. */
  readonly end: (signal: "SIGINT" | "SIGTERM") => Promise<unknown>;
}

interface Lateness {
  /** Tiles that nobody wanted any more. */
  readonly left: number;
  /** Those of them that were running then. */
  readonly running: number;
  /** Of these: from the moment nobody wanted it until its task had settled, ms. */
  readonly p95: number | null;
  readonly wasted: number;
}

export interface Stats {
  readonly submitted: number;
  readonly live: number;
  readonly refused: number;
  readonly outcomes: Readonly<Partial<Record<string, number>>>;
  readonly on: Lateness;
  readonly off: Lateness;
}

export async function startExplorer(...args: readonly string[]): Promise<Explorer> {
  const child = spawn(process.execPath, [main, "--port", "0", "--threads", "2", ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = once(child, "close");
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  let printed = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
      const [found] = /^http:\S+(?=\n)/.exec(printed) ?? [];
      if (found !== undefined && printed.includes("Ctrl-C")) resolve(found);
    });
    child.on("close", () => {
      reject(new Error(`the server has ended: ${printed}${complaints}`));
    });
  });
  return {
    child,
    url,
    complaints: () => complaints,
    async end(signal) {
      child.kill(signal);
      return closed;
    },
  };
}

export async function statsOf({ url }: Explorer): Promise<Stats> {
  return (await (await fetch(`${url}stats`)).json()) as Stats;
}

/** The statistics, once they are as wanted. */
export async function whenStats(explorer: Explorer, wanted: (stats: Stats) => boolean): Promise<Stats> {
  let stats = await statsOf(explorer);
  await expect
    .poll(
      async () => {
        stats = await statsOf(explorer);
        return wanted(stats) || stats;
      },
      { timeout: 110_000, interval: 20 },
    )
    .toBe(true);
  return stats;
}

/** Each task that was submitted has ended in one way. */
export function expectToAddUp({ submitted, live, outcomes }: Stats): void {
  expect(live).toBe(0);
  expect(Object.values(outcomes).reduce((sum = 0, count = 0) => sum + count, 0)).toBe(submitted);
}
