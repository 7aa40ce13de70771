import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { run } from "./run.js";

const main = "examples/progress/main.mjs";
/** Real work, on cores that may be busy otherwise, too. */
const timeout = 120_000;
/** More than can be done before the test has seen enough. */
const long = ["--threads", "2", "--items", "200000"];

/** How many blocks the program says it has the results of. */
function delivered(stdout: string): number {
  const [, count = ""] = /^([\d ]+) of [\d ]+ blocks in [\d.]+ s\.$/m.exec(stdout) ?? [];
  return count === "" ? Number.NaN : Number(count.replaceAll(" ", ""));
}

describe("the progress example, in a pipe", () => {
  test(
    "goes through all of its inputs",
    async () => {
      const { code, stdout, stderr } = await run(main, ["--threads", "2", "--items", "1000"]);
      expect(stderr).toBe("");
      expect(code).toBe(0);
      expect(stdout).toMatch(/^1 000 of 1 000 blocks in /m);
      expect(stdout).toContain("\nThe longest chain in them begins with 77 031: 350 steps to 1.\n");
      expect(stdout).not.toContain("Ended early");
    },
    timeout,
  );

  test(
    "at the deadline it has the results there are, and says what ended it",
    async () => {
      const { code, stdout, stderr } = await run(main, [...long, "--deadline", "300"]);
      expect(stderr).toBe("");
      expect(code).toBe(0);
      expect(stdout).toMatch(
        /^Ended early: context deadline exceeded\. The last of the work stopped [\d.]+ ms later\.$/m,
      );
      expect(delivered(stdout)).toBeGreaterThan(0);
      expect(delivered(stdout)).toBeLessThan(200_000);
      expect(stdout).toMatch(/^The longest chain in them begins with [\d ]+: \d+ steps to 1\.$/m);
    },
    timeout,
  );

  test.skipIf(process.platform === "win32")(
    "SIGINT ends the batch: the signal is the cause, what is there is delivered, the exit code is 130",
    async () => {
      const { code, signal, stdout, stderr } = await run(main, long, { interruptAfter: " s left\n" });
      expect(stderr).toBe("");
      expect({ code, signal }).toEqual({ code: 130, signal: null });
      expect(stdout).toMatch(/^Ended early: SIGINT\. The last of the work stopped [\d.]+ ms later\.$/m);
      expect(delivered(stdout)).toBeGreaterThan(0);
      // On the way a line a second, for a log: no escape codes, nothing that wraps.
      expect(stdout).toMatch(/^[\d ]+ of 200 000, [\d ]+ a second, \d+ s left$/m);
      expect(stripVTControlCharacters(stdout)).toBe(stdout);
      expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
    },
    timeout,
  );

  test(
    "a reader that goes away, such as `head`, ends it without a stack trace",
    async () => {
      const { code, stderr } = await run(main, long, { hangUpAfter: "Collatz" });
      expect(stderr).toBe("");
      expect(code).toBe(0);
    },
    timeout,
  );
});

test(
  "in a terminal it draws a bar over itself, whose last state stays, and never hides the cursor",
  async () => {
    // What it writes goes into a pipe all the same: only what the program sees of it is a terminal.
    const terminal = 'process.stdout.isTTY = true; process.stdout.columns = 60; process.env.TERM = "xterm";';
    const code = `data:text/javascript,${encodeURIComponent(terminal)}`;
    const { stdout, stderr } = await run(`--import=${code}`, [main, "--threads", "2", "--items", "2000"]);
    expect(stderr).toBe("");
    const frames = stripVTControlCharacters(stdout)
      .split("\n")
      .filter((line) => /^[█░]/.test(line));
    expect(frames.length).toBeGreaterThan(1);
    expect(frames.at(-1)).toMatch(/^█{24} 100 % 2 000 of 2 000, /);
    expect(frames.filter((frame) => frame.length >= 60)).toEqual([]);
    expect(stdout).toContain("\u001B[2K"); // erases the line before it is drawn anew
    expect(stdout).not.toContain("\u001B[?25l");
  },
  timeout,
);

describe("its command line", () => {
  test.each([["--help"], ["-h"]])("%s tells the options", async (option) => {
    const { code, stdout, stderr } = await run(main, [option]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    for (const each of ["--threads", "--items", "--deadline", "--help"]) expect(stdout).toContain(each);
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  test.each([
    [["--threads", "0"], '--threads: expected a whole number from 1 to 256, got "0"'],
    [["--items", "many"], '--items: expected a whole number from 1 to 1000000, got "many"'],
    [["--deadline=1.5"], '--deadline: expected a whole number from 1 to 86400000, got "1.5"'],
    [["--items"], "Option '--items <value>' argument missing"],
    [["--speed", "11"], "Unknown option '--speed'"],
    [["fast"], "Unexpected argument 'fast'"],
  ])("%j is refused, with the reason", async (args, reason) => {
    const { code, stdout, stderr } = await run(main, args);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr.split("\n")[0]).toBe(`progress: ${reason}`);
    expect(stderr).toContain("--help");
    expect(stderr).not.toContain("    at ");
  });
});
