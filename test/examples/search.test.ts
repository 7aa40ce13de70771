import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { run } from "./run.js";

const main = "examples/search/main.mjs";
/** Real work, on cores that may be busy otherwise, too. */
const timeout = 120_000;

const gone = "Ctrl-C: what was under way has stopped, and the index is gone.\n";

describe("the search example, in a pipe", () => {
  test(
    "builds its index with progress, answers from it, cancels what is typed over, and is in time with its best so far",
    async () => {
      const { code, stdout, stderr } = await run(main);
      expect(stderr).toBe("");
      expect(code).toBe(0);
      const [, texts = ""] =
        /^([\d ]+) texts with [\d ]+ different words, in [\d.]+ m?s\.$/m.exec(stdout) ?? [];
      expect(texts).not.toBe("");
      const steps = [...stdout.matchAll(/^ {2}([\d ]+) of ([\d ]+)$/gm)];
      expect(steps).toHaveLength(4);
      expect(steps.map(([, , total]) => total)).toEqual([texts, texts, texts, texts]);
      expect(steps.at(-1)?.[1]).toBe(texts);

      expect(stdout).toMatch(/^"shared memory": \d+ texts, in [\d.]+ m?s\.$/m);

      const [, questions, cancelled, answered] =
        /^ {2}(\d+) questions: (\d+) cancelled, (\d+) answered\.$/m.exec(stdout) ?? [];
      expect(Number(questions)).toBe("permision is herby granted".length);
      expect(Number(cancelled) + Number(answered)).toBe(Number(questions));
      // The last one nobody types over.
      expect(Number(answered)).toBeGreaterThan(0);
      expect(stdout).toMatch(/2 errors\n {4}Permission is hereby granted, /);

      expect(stdout).toMatch(
        /^What comes closest to "without waranty of any kind", in 50 ms\?\n {2}(?:The best of [\d ]+ of [\d ]+:|All [\d ]+ texts were read\.|No answer in time\.)$/m,
      );
      // Readable in a log: no escape codes, nothing that wraps.
      expect(stripVTControlCharacters(stdout)).toBe(stdout);
      expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
    },
    timeout,
  );

  test(
    "a new key cancels the question before it: a thread that is behind does none of those",
    async () => {
      const { code, stdout, stderr } = await run(main, ["--every", "0"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const [, cancelled] = /^ {2}26 questions: (\d+) cancelled, \d+ answered\.$/m.exec(stdout) ?? [];
      expect(Number(cancelled)).toBeGreaterThan(0);
    },
    timeout,
  );

  test(
    "words given are looked up; where no text has them, there is what comes closest",
    async () => {
      const { code, stdout, stderr } = await run(main, ["--deadline", "60000", "Permision", "is", "herby"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(/^"Permision is herby": 0 texts, in /m);
      expect(stdout).toMatch(
        /^ {2}All [\d ]+ texts were read\.\n {2}\S.*, 2 errors\n {4}Permission is hereby /m,
      );
      expect(stdout).not.toContain("Typing");
    },
    timeout,
  );

  test(
    "only as many texts are read as are wanted, and what they do not have is not found",
    async () => {
      const { code, stdout, stderr } = await run(main, ["--texts", "2", "--deadline", "60000", "a"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(/^2 texts with /m);
    },
    timeout,
  );

  test.skipIf(process.platform === "win32").each([
    ["Indexing", []],
    [" of ", []],
    ["Typing", []],
    ["What comes closest", ["--deadline", "60000", "without waranty of any kind"]],
  ])(
    "SIGINT after %j: what is under way is stopped, and the exit code is 130",
    async (interruptAfter, args) => {
      const { code, signal, stdout, stderr } = await run(main, args, { interruptAfter });
      expect(stderr).toBe("");
      expect({ code, signal }).toEqual({ code: 130, signal: null });
      expect(stdout.endsWith(gone)).toBe(true);
    },
    timeout,
  );

  test(
    "a reader that goes away, such as `head`, ends it without a stack trace",
    async () => {
      const { code, stderr } = await run(main, [], { hangUpAfter: "Indexing" });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    },
    timeout,
  );
});

describe("its command line", () => {
  test.each([["--help"], ["-h"]])("%s tells the options", async (option) => {
    const { code, stdout, stderr } = await run(main, [option]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const each of ["--texts", "--every", "--deadline", "--help", "words"])
      expect(stdout).toContain(each);
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  test.each([
    [["--texts", "0"], '--texts: expected a whole number from 1 to 100000, got "0"'],
    [["--every", "now"], '--every: expected a whole number from 0 to 10000, got "now"'],
    [["--deadline=1.5"], '--deadline: expected a whole number from 1 to 86400000, got "1.5"'],
    [["--speed", "11"], "Unknown option '--speed'"],
  ])("%j is refused, with the reason", async (args, reason) => {
    const { code, stdout, stderr } = await run(main, args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.split("\n")[0]).toBe(`search: ${reason}`);
    expect(stderr).toContain("--help");
    expect(stderr).not.toContain("    at ");
  });
});
