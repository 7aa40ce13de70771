import { describe, expect, test } from "vitest";
import { run } from "./run.js";

const main = "examples/patterns/main.mjs";
/** Real work, on cores that may be busy otherwise, too. */
const timeout = 120_000;

describe("the example of runaway patterns", () => {
  test(
    "cuts off those that run away, answers the others, and keeps its threads",
    async () => {
      // One thread more than there are patterns that run away, so that the others never wait behind them; and long enough for an
      // answer on a machine that has other things to do.
      const args = ["--threads", "5", "--requests", "200", "--deadline", "3000", "--hostile", "2"];
      const { code, stdout, stderr } = await run(main, args);
      expect(stderr).toBe("");
      expect(code).toBe(0);
      expect(stdout).toMatch(/^200 patterns, 2 of a hundred run away; 5 threads, 3000 ms each$/m);
      expect(stdout).toMatch(/^answered {6}194$/m);
      expect(stdout).toMatch(/^too slow {6}4$/m);
      expect(stdout).toMatch(/^not a pattern {1}2$/m);
      expect(stdout).toMatch(/^answers took [\d.]+ ms p50, [\d.]+ ms p99$/m);
      expect(stdout).toMatch(/^the late ones were over [\d.]+ ms after their deadline at most$/m);
      expect(stdout).toMatch(/^4 were cut off, 0 cost their thread; threads that worked: [45]$/m);
    },
    timeout,
  );

  test.each([
    ["fox", "found 1412 times\n"],
    ["(fox", "Invalid regular expression: /(fox/gm: Unterminated group\n"],
    ["^(\\w+\\s?)*$", "cut off: context deadline exceeded\n"],
  ])("--pattern %s", async (pattern, expected) => {
    const { code, stdout, stderr } = await run(main, ["--deadline", "2000", "--pattern", pattern]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: expected, stderr: "" });
  });

  test.skipIf(process.platform === "win32")(
    "SIGINT calls off what is left, and tells what there is",
    async () => {
      const args = ["--threads", "2", "--requests", "100000", "--deadline", "100"];
      const { code, signal, stdout, stderr } = await run(main, args, { interruptAfter: "ms each\n" });
      expect(stderr).toBe("");
      expect({ code, signal }).toEqual({ code: 130, signal: null });
      expect(stdout).toMatch(/^called off {4}\d+$/m);
      expect(stdout).toMatch(/cost their thread/);
    },
    timeout,
  );

  test("a reader that goes away, such as `head`, ends it without a stack trace", async () => {
    const args = ["--threads", "2", "--requests", "500"];
    const { stderr } = await run(main, args, { hangUpAfter: "ms each" });
    expect(stderr).toBe("");
  });
});

describe("its command line", () => {
  test.each([["--help"], ["-h"]])("%s tells the options", async (option) => {
    const { code, stdout, stderr } = await run(main, [option]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const each of ["--threads", "--requests", "--hostile", "--deadline", "--pattern", "--help"])
      expect(stdout).toContain(each);
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  test.each([
    [["--hostile", "91"], '--hostile: expected a whole number from 0 to 90, got "91"'],
    [["--deadline", "soon"], '--deadline: expected a whole number from 1 to 86400000, got "soon"'],
    [["--speed", "11"], "Unknown option '--speed'"],
  ])("%j is refused, with the reason", async (args, reason) => {
    const { code, stdout, stderr } = await run(main, args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.split("\n")[0]).toBe(`patterns: ${reason}`);
  });
});
