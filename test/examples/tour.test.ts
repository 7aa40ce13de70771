import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { run } from "./run.js";

const main = "examples/tour/main.mjs";
const small = ["--threads", "2", "--files", "16", "--deadline", "100"];
/** The tour is real work, and in a test run its cores are busy otherwise, too. */
const timeout = 120_000;

function lines(stdout: string): string[] {
  return stdout.split("\n");
}

/** The rows of the report about one act, as words. */
function rows(stdout: string, act: string): string[][] {
  return lines(stdout)
    .filter((line) => line.startsWith(`  ${act} `))
    .map((line) =>
      line
        .slice(act.length + 2)
        .trim()
        .split(/ {2,}/),
    );
}

/** How many tasks of an act the report accounts for. */
function settled(stdout: string, act: string): number {
  return rows(stdout, act).reduce((sum, [, , count]) => sum + Number(count), 0);
}

describe("the tour, in a pipe", () => {
  test(
    "runs to its end, tells what became of each task, and proves that the pool is whole",
    async () => {
      const { code, stdout, stderr } = await run(main, small);
      expect(stderr).toBe("");
      expect(code).toBe(0);
      for (const act of [1, 2, 3, 4]) expect(stdout).toMatch(new RegExp(`^${act}\\. `, "m"));
      const pairs = (act: number) => Number(new RegExp(`^${act}\\. ([\\d ]+) pairs`, "m").exec(stdout)?.[1]);
      expect(settled(stdout, "1 compare")).toBe(pairs(1));
      expect(settled(stdout, "3 cancel midway")).toBe(pairs(3));
      expect(settled(stdout, "4 never polls")).toBe(2);
      expect(rows(stdout, "3 cancel midway")).toContainEqual(expect.arrayContaining(["cancel", "dropped"]));
      expect(rows(stdout, "4 never polls")).toContainEqual(
        expect.arrayContaining(["deadline", "terminated"]),
      );
      expect(stdout).toContain("  2 threads, 2 idle, 0 stuck; 0 tasks running, 0 queued\n");
      expect(stdout).toContain("  a fresh task on each of 2 threads: 2 of 2 right\n");
      expect(stdout.endsWith("  The pool is whole.\n")).toBe(true);
      // Readable in a log: no escape codes, nothing that wraps.
      expect(stripVTControlCharacters(stdout)).toBe(stdout);
      expect(lines(stdout).filter((line) => line.length > 80)).toEqual([]);
    },
    timeout,
  );

  test.skipIf(process.platform === "win32").each(["1. ", "3. ", "4. "])(
    "SIGINT after %j: what is under way is cancelled, the report is printed, the exit code is 130",
    async (interruptAfter) => {
      const { code, signal, stdout, stderr } = await run(main, small, {
        interruptAfter: `\n${interruptAfter}`,
      });
      expect(stderr).toBe("");
      expect({ code, signal }).toEqual({ code: 130, signal: null });
      expect(stdout).toContain("Ctrl-C. The rest is left out.\n");
      const contexts = lines(stdout).filter((line) => /^ {2}\d .*\bCtrl-C\b/.test(line));
      expect(contexts.length).toBeGreaterThan(0);
      expect(stdout.endsWith("  The pool is whole.\n")).toBe(true);
    },
    timeout,
  );

  test(
    "a reader that goes away, such as `head`, ends it without a stack trace",
    async () => {
      const { code, stderr } = await run(main, small, { hangUpAfter: "1. " });
      expect(stderr).toBe("");
      expect(code).toBe(0);
    },
    timeout,
  );
});

describe("the tour's command line", () => {
  test.each([["--help"], ["-h"]])("%s tells the options", async (option) => {
    const { code, stdout, stderr } = await run(main, [option]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    for (const each of ["--threads", "--files", "--deadline", "--help"]) expect(stdout).toContain(each);
    expect(lines(stdout).filter((line) => line.length > 80)).toEqual([]);
  });

  test.each([
    [["--threads", "none"], '--threads: expected a whole number from 1 to 256, got "none"'],
    [["--threads", "0"], '--threads: expected a whole number from 1 to 256, got "0"'],
    [["--deadline=1.5"], '--deadline: expected a whole number from 1 to 10000, got "1.5"'],
    [["--files", ""], '--files: expected a whole number from 4 to 1000, got ""'],
    [["--threads"], "Option '--threads <value>' argument missing"],
    [["--speed", "11"], "Unknown option '--speed'"],
    [["fast"], "Unexpected argument 'fast'"],
  ])("%j is refused, with the reason", async (args, reason) => {
    const { code, stdout, stderr } = await run(main, args);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(lines(stderr)[0]).toBe(`tour: ${reason}`);
    expect(stderr).toContain("--help");
    expect(stderr).not.toContain("    at ");
  });
});
