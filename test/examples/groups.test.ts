import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { type Run, type RunOptions, run } from "./run.js";

/** Real work, on cores that may be busy otherwise, too. */
const timeout = 120_000;

/** A program of examples/groups; readable in a log: no escape codes, nothing that wraps. */
async function program(name: string, options?: RunOptions): Promise<Run> {
  const result = await run(`examples/groups/${name}.mjs`, [], options);
  expect(result.stderr).toBe("");
  expect(stripVTControlCharacters(result.stdout)).toBe(result.stdout);
  expect(result.stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  return result;
}

/** What became of each task, in the order of submission, and what the report says of it. */
function tasks(stdout: string): { label: string; outcome: string; note: string }[] {
  const row = /^ {2}(\S.*?) {2,}(completed|failed|dropped|stopped|interrupted|terminated|crashed) +(.*)$/gm;
  return [...stdout.matchAll(row)].map(([, label = "", outcome = "", note = ""]) => ({
    label,
    outcome,
    note,
  }));
}

function outcomes(stdout: string): string[] {
  return tasks(stdout).map(({ outcome }) => outcome);
}

/** On a machine that is busy a task may be called off before its thread has begun with it. */
const calledOff = expect.stringMatching(/^(?:stopped|dropped)$/) as string;

/** The program says that all of its threads are free again, as many as it has. */
function expectFree(stdout: string, threads: number): void {
  expect(stdout).toMatch(
    new RegExp(`^${String(threads)} of ${String(threads)} threads are free again, after [\\d.]+ s$`, "m"),
  );
}

test(
  "fan-out: a bad part fails the group; what ran has stopped, what waited never began",
  async () => {
    const { code, stdout } = await program("fan-out");
    expect(code).toBe(0);
    expect(stdout).toContain("\nThe group has failed: RangeError: 300000000 to 200000000 is no range\n");
    expect(tasks(stdout)[0]).toEqual({ label: "0 to 4000000", outcome: "completed", note: "283146" });
    expect(outcomes(stdout)).toEqual(["completed", "stopped", "failed", calledOff, "dropped"]);
    expectFree(stdout, 2);
  },
  timeout,
);

test(
  "first-wins: each number has another winner, and the two others have stopped before the next race",
  async () => {
    const { code, stdout } = await program("first-wins");
    expect(code).toBe(0);
    const winners = tasks(stdout).filter(({ outcome }) => outcome === "completed");
    expect(winners).toEqual([
      { label: "fermat", outcome: "completed", note: "1000000007000039" },
      { label: "rho", outcome: "completed", note: "4000000019" },
      { label: "pMinusOne", outcome: "completed", note: "1000183227022981" },
    ]);
    const losers = tasks(stdout).filter(({ outcome }) => outcome !== "completed");
    expect(losers.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 6 }, () => calledOff));
    expect(stdout.match(/^3 of 3 threads are free again/gm)).toHaveLength(3);
    const numbers = [...stdout.matchAll(/^A factor of (\d+)\n {2}= (\d+) × (\d+)$/gm)];
    expect(numbers).toHaveLength(3);
    for (const [, n = "", a = "", b = ""] of numbers) expect(BigInt(a) * BigInt(b)).toBe(BigInt(n));
  },
  timeout,
);

test(
  "limit: never more than two at a time, and a question in between is answered before the batch is done",
  async () => {
    const { code, stdout } = await program("limit");
    expect(code).toBe(0);
    const [, left] =
      /A question in between: 25 primes below 100, while (\d) ranges are to do/.exec(stdout) ?? [];
    expect(Number(left)).toBeGreaterThan(0);
    const notes = [78498, 70435, 67883, 66330, 65367, 64336, 63799, 63129];
    expect(tasks(stdout).map(({ note }) => Number(note))).toEqual(notes);
    expect(stdout).toContain("\nAt most 2 at a time\n");
    expectFree(stdout, 3);
  },
  timeout,
);

test(
  "nested: a team's end, by failure or by deadline, is the end of its own tasks alone",
  async () => {
    const { code, stdout } = await program("nested");
    expect(code).toBe(0);
    expect(stdout).toContain("  The sound team is done\n");
    expect(stdout).toContain(
      "  The unlucky team has stopped: RangeError: 300000000 to 200000000 is no range\n",
    );
    expect(stdout).toContain("  The hurried team has stopped: TimeoutError: context deadline exceeded\n");
    expect(outcomes(stdout)).toEqual(["completed", "completed", calledOff, "failed", "stopped", "stopped"]);
    expectFree(stdout, 6);
  },
  timeout,
);

describe.skipIf(process.platform === "win32")("SIGINT", () => {
  test.each([
    ["fan-out", "Counting primes", 2],
    ["first-wins", "A factor of", 3],
    ["limit", "Counting primes", 3],
    ["nested", "Three teams", 6],
  ])(
    "ends %s: what is under way is cancelled, the threads are free, the exit code is 130",
    async (name, interruptAfter, threads) => {
      const { code, signal, stdout } = await program(name, { interruptAfter });
      expect({ code, signal }).toEqual({ code: 130, signal: null });
      expect(stdout).toMatch(/^(?:Cancelled|.* team has stopped): SIGINT$/m);
      expect(outcomes(stdout)).toContainEqual(calledOff);
      expectFree(stdout, threads);
    },
    timeout,
  );
});
