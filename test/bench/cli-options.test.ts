/** The command line of `lifeguard`, taken apart. */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { HELP, parseCommand, UsageError } from "../../src/bench/cli-options.js";

const module = fileURLToPath(new URL("../fixtures/measured.mjs", import.meta.url));

describe("lifeguard bench", () => {
  test("without anything: this machine", () => {
    expect(parseCommand(["bench"])).toEqual({
      type: "bench",
      target: undefined,
      threads: 1,
      tasks: 1,
      grace: 250,
      onOverrun: "terminate",
      samples: 1000,
      time: 3000,
      patience: 10_000,
      json: undefined,
      html: undefined,
    });
  });

  test("with a module: its task, and all that goes with it", () => {
    const args = ["--task", "spins", "--args", '[1,{"a":[2]}]', "--threads", "4", "--grace", "0.5"];
    const rest = [
      "--on-overrun=interrupt",
      "--samples",
      "50",
      "--time",
      "0.25",
      "--patience",
      "2",
      "--json",
      "a",
    ];
    expect(parseCommand(["bench", module, ...args, ...rest, "--html", "b"])).toMatchObject({
      target: { task: "spins", args: [1, { a: [2] }] },
      threads: 4,
      tasks: 4,
      grace: 0.5,
      onOverrun: "interrupt",
      samples: 50,
      time: 250,
      patience: 2000,
      json: "a",
      html: "b",
    });
    expect(parseCommand(["bench", module])).toMatchObject({
      target: { task: undefined, args: [] },
      time: 5000,
    });
    expect(parseCommand(["bench", module, "--grace", "Infinity"])).toMatchObject({ grace: Infinity });
    expect(parseCommand(["bench", module, "--threads", "4", "--tasks", "2"])).toMatchObject({ tasks: 2 });
  });

  test("--compare, --help, --version", () => {
    expect(parseCommand(["bench", "--compare", "a.json", "b.json"])).toEqual({
      type: "compare",
      before: "a.json",
      after: "b.json",
    });
    for (const argv of [["--help"], ["-h"], ["bench", "--help"], ["bench", module, "-h"]])
      expect(parseCommand(argv)).toEqual({ type: "help" });
    expect(parseCommand(["--version"])).toEqual({ type: "version" });
  });

  const wrong: [argv: string[], message: RegExp][] = [
    [[], /a command is missing/],
    [["measure"], /there is no command "measure"/],
    [["bench", module, "other.js"], /expected one module, got "other\.js" as well/],
    [["bench", "--task", "spins"], /--task: only for a module of yours/],
    [["bench", "--threads", "2"], /--threads: only for a module of yours/],
    [["bench", "--fast"], /Unknown option '--fast'$/],
    [["bench", "--samples"], /--samples/],
    [["bench", module, "--args", "5"], /--args: expected a JSON array, .* got "5"/],
    [["bench", module, "--args", "[1,"], /--args: expected a JSON array, .* got "\[1,"/],
    [["bench", module, "--threads", "0"], /--threads: expected a whole number from 1 to 1024, got "0"/],
    [["bench", module, "--threads", "1e1"], /--threads: expected a whole number/],
    [
      ["bench", module, "--threads", "2", "--tasks", "3"],
      /--tasks: expected a whole number from 1 to 2, got "3"/,
    ],
    [["bench", module, "--grace", "soon"], /--grace: expected a number from 0 to 1000000, got "soon"/],
    [["bench", module, "--grace", ""], /--grace: expected a number/],
    [["bench", module, "--on-overrun", "kill"], /--on-overrun: expected terminate or interrupt, got "kill"/],
    [["bench", "--samples", "1.5"], /--samples: expected a whole number/],
    [["bench", "--time", "0"], /--time: expected a number from 0\.01/],
    [["bench", "--json", ""], /--json: expected the name of a file, got ""/],
    [["bench", module, "--html="], /--html: expected the name of a file, got ""/],
    [["bench", "--compare", "a.json"], /--compare: expected two files, got 1/],
    [["bench", "--compare", "a", "b", "c"], /--compare: expected two files, got 3/],
    [["bench", "--compare", "a", "b", "--json", "c"], /--compare and --json do not go together/],
  ];
  test.each(wrong)("%j is refused, with the reason", (argv, message) => {
    expect(() => parseCommand(argv)).toThrow(UsageError);
    expect(() => parseCommand(argv)).toThrow(message);
  });

  test("a module that is not there: where it was looked for", () => {
    expect(() => parseCommand(["bench", "./nowhere.js"])).toThrow(
      /no file "\.\/nowhere\.js" in .*give the path/,
    );
  });

  test("the help names each option, and fits into 90 columns", () => {
    for (const option of [
      "task",
      "args",
      "threads",
      "tasks",
      "grace",
      "on-overrun",
      "samples",
      "time",
      "patience",
    ])
      expect(HELP).toContain(`--${option} <`);
    for (const option of ["json", "html", "compare", "help", "version"])
      expect(HELP).toContain(`--${option}`);
    expect(Math.max(...HELP.split("\n").map((line) => line.length))).toBeLessThanOrEqual(90);
    expect(HELP).toMatch(/Exit codes: 0 .*1 .*2 .*130/s);
  });
});
