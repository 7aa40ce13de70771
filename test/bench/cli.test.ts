/** The command `lifeguard`, as its users run it. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import type { BenchReport } from "../../src/bench/report.js";
import { run } from "../examples/run.js";

const lifeguard = (args: readonly string[], how?: Parameters<typeof run>[2]) =>
  run("dist/bench/cli.js", args, how);
const module = fileURLToPath(new URL("../fixtures/measured.mjs", import.meta.url));
const neverLoads = fileURLToPath(new URL("../fixtures/never-loads.mjs", import.meta.url));
const throwsWhileLoading = fileURLToPath(new URL("../fixtures/throws-while-loading.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "lifeguard-bench-"));
const file = (name: string) => join(folder, name);
const readJson = (name: string) => JSON.parse(readFileSync(file(name), "utf8")) as BenchReport;

/** So little that the figures mean nothing. */
const quick = ["--time", "0.1", "--samples", "10"];
/** Real work, on cores that may be busy otherwise, too. */
const timeout = 60_000;

describe("lifeguard bench <module>", () => {
  test.skipIf(process.platform === "win32")(
    "--json /dev/stdout writes to the pipe that stdout is, and one sample is enough for a report",
    async () => {
      const command = `"$0" dist/bench/cli.js bench "$1" --task spins --time 0.1 --samples 1 --json /dev/stdout | cat`;
      const { stdout, stderr } = await promisify(execFile)("sh", ["-c", command, process.execPath, module]);
      const [json = ""] = stdout.split("\n");
      expect(JSON.parse(json)).toMatchObject({
        cases: [{ report: { samples: 1, outcomes: { stopped: 1 } } }],
      });
      expect(stderr).toContain("wrote /dev/stdout");
    },
    timeout,
  );

  test(
    "measures a task: figures to stdout, progress to stderr, files where they are wanted",
    async () => {
      const files = ["--json", file("spins.json"), "--html", file("spins.html")];
      const { code, stdout, stderr } = await lifeguard([
        "bench",
        module,
        "--task",
        "spins",
        ...quick,
        ...files,
      ]);
      expect(stderr).toMatch(/^measuring: what measuring costs\nmeasuring: spins\n/);
      expect(stderr).toContain(`wrote ${file("spins.json")}\nwrote ${file("spins.html")}\n`);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^lifeguard \d+\.\d+\.\d+, Node \d+/);
      expect(stdout).toMatch(/^spins: measured\.mjs$/m);
      for (const row of ["its return", "seen", "stopped", "settled", "next task begun", "bare flag seen"])
        expect(stdout).toMatch(
          new RegExp(`^ {2}${row} +[\\d.]+ [nµm]?s( +(?:[\\d.]+ [nµm]?s|–)){5} +\\d+$`, "m"),
        );
      expect(stdout).toMatch(/^ {2}10 cancellations: 10 stopped\./m);
      expect(stdout).toMatch(/^ {2}→ It polls every /m);
      expect(stdout).toMatch(/^tasks under one context .*\n1 +[\d.]+ /m);
      expect(stdout).toMatch(/^Measuring costs: a stamp /m);
      const report = readJson("spins.json");
      expect(report).toMatchObject({ format: "lifeguard-bench", version: 1, isComplete: true });
      expect(report.cases.map(({ name }) => name)).toEqual(["spins"]);
      expect(report.cases[0]).toMatchObject({
        pool: { threads: 1, spares: 1, grace: 250, onOverrun: "terminate" },
        report: { samples: 10, outcomes: { stopped: 10 } },
      });
      // As many as there was time for.
      const sizes = report.growth.map(({ size }) => size);
      expect(sizes).toEqual([1, 10, 100, 1000, 10_000].slice(0, sizes.length));
      expect(readFileSync(file("spins.html"), "utf8")).toMatch(/^<!doctype html>.*spins/is);
      expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    },
    timeout,
  );

  test(
    "hands over the arguments and the conditions",
    async () => {
      const how = ["--args", "[3]", "--threads", "2", "--grace", "1000", "--on-overrun", "interrupt"];
      const rest = [...quick, "--json", file("every.json")];
      const { code } = await lifeguard(["bench", module, "--task", "pollsEvery", ...how, ...rest]);
      expect(code).toBe(0);
      const [each] = readJson("every.json").cases;
      expect(each?.pool).toEqual({ threads: 2, spares: 1, grace: 1000, onOverrun: "interrupt" });
      expect(each?.report.tasks).toBe(2);
      expect(each?.report.polls?.longestGap).toBeGreaterThanOrEqual(3e6);
    },
    timeout,
  );

  test(
    "takes the only task there is, and asks where there are more",
    async () => {
      writeFileSync(file("one.mjs"), "export function only(ctx) { for (;;) ctx.throwIfDone(); }\n");
      const one = await lifeguard(["bench", file("one.mjs"), ...quick]);
      expect(one.code).toBe(0);
      expect(one.stdout).toMatch(/^only: one\.mjs$/m);
      const many = await lifeguard(["bench", module, ...quick]);
      expect({ code: many.code, stdout: many.stdout }).toEqual({ code: 2, stdout: "" });
      expect(many.stderr).toMatch(/which task\? measured\.mjs exports awaits, .*; choose one with --task/);
      writeFileSync(file("none.mjs"), "export const limit = 3;\n");
      const none = await lifeguard(["bench", file("none.mjs"), ...quick]);
      expect(none.code).toBe(2);
      expect(none.stderr).toMatch(/none\.mjs exports no function: a task is/);
    },
    timeout,
  );

  // The thread that its tasks are listed by, the one they are measured on, and its spare: then come those of the growth.
  const thriceLoaded = `
    import { appendFileSync, readFileSync } from "node:fs";
    const loads = new URL("loads.txt", import.meta.url);
    appendFileSync(loads, ".");
    const count = () => readFileSync(loads).length;
    if (count() > 3) throw new Error("no more of it");
    export function spins(ctx) {
      while (count() < 3);
      for (;;) ctx.throwIfDone();
    }
  `;

  test(
    "where the growth cannot be measured, tells why, and all the rest",
    async () => {
      writeFileSync(file("thrice.mjs"), thriceLoaded);
      const how = ["--grace", "Infinity", "--json", file("thrice.json")];
      const { code, stdout } = await lifeguard(["bench", file("thrice.mjs"), ...how, ...quick]);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^The growth was not measured: .*cannot be loaded: no more of it\.$/m);
      expect(stdout).toMatch(/^ {2}10 cancellations: 10 stopped\./m);
      expect(stdout).not.toMatch(/tasks under one context/);
      const { isComplete, cases, growth, remarks } = readJson("thrice.json");
      expect({ isComplete, growth }).toEqual({ isComplete: true, growth: [] });
      expect(remarks).toHaveLength(1);
      // JSON has no Infinity.
      expect(cases.map(({ pool }) => pool.grace)).toEqual([null]);
    },
    timeout,
  );

  const failures: [args: string[], code: number, message: RegExp][] = [
    [["bench", "./nowhere.js", "--task", "a"], 1, /^lifeguard: there is no file "\.\/nowhere\.js" in /],
    [["bench", module, "--task", "missing"], 1, /exports no function "missing"; it exports awaits/],
    [
      ["bench", module, "--task", "fails"],
      1,
      /^lifeguard: the task "fails" failed before it was cancelled: TypeError/m,
    ],
    [
      ["bench", module, "--task", "nothing"],
      1,
      /^lifeguard: the task "nothing" takes .* over before it can be/m,
    ],
    [["bench", module, "--task", "exits"], 1, /thread exited with code 3/],
    [
      ["bench", module, "--task", "neverPolls", "--grace", "Infinity", "--patience", "1"],
      1,
      /went on for 1000 ms/,
    ],
    [
      ["bench", throwsWhileLoading],
      1,
      /^lifeguard: .*throws-while-loading\.mjs cannot be loaded: not today/m,
    ],
    [
      ["bench", neverLoads, "--patience", "0.05"],
      1,
      /^lifeguard: never-loads\.mjs was not loaded within 50 ms: look what it waits for/m,
    ],
    [
      ["bench", "--json", "/nowhere/at/all.json"],
      1,
      /^lifeguard: \/nowhere\/at\/all\.json: cannot be written/,
    ],
    [["bench", "--json", folder], 1, /cannot be written: .*directory/],
    [["bench", "--fast"], 2, /^lifeguard: Unknown option '--fast'\nTry: lifeguard --help\n$/],
    [[], 2, /^lifeguard: a command is missing/],
    [["bench", "--compare", file("no.json"), file("no.json")], 1, /no\.json: cannot be read/],
  ];
  test.each(failures)(
    "%j: %i, and says why",
    async (args, expected, message) => {
      const isBench = args[0] === "bench" && !args.includes("--compare") && !args.includes("--fast");
      const { code, stdout, stderr } = await lifeguard(isBench ? [...args, ...quick] : args);
      expect({ code, stdout }).toEqual({ code: expected, stdout: "" });
      expect(stderr).toMatch(message);
      expect(stderr).not.toMatch(/ {4}at /);
    },
    timeout,
  );

  test(
    "a task that never polls is no failure: it says so, and what to do",
    async () => {
      const { code, stdout } = await lifeguard([
        "bench",
        module,
        "--task",
        "neverPolls",
        "--grace",
        "0",
        ...quick,
      ]);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^ {2}seen +never$/m);
      expect(stdout).toMatch(/10 terminated/);
      expect(stdout).toMatch(/→ Call ctx\.throwIfDone\(\) in its inner loop/);
    },
    timeout,
  );
});

describe("lifeguard bench", () => {
  test(
    "measures this machine: every case, and the growth",
    async () => {
      const { code, stdout } = await lifeguard(["bench", "--time", "0.02", "--json", file("machine.json")]);
      expect(code).toBe(0);
      const { cases, growth } = readJson("machine.json");
      expect(cases.map(({ name }) => name)).toEqual([
        "polls tightly",
        "polls rarely",
        "awaits",
        "all lanes",
        "busy machine",
        "never polls, thread ended",
        "never polls, cut off",
      ]);
      for (const { name } of cases) expect(stdout).toContain(`\n${name}: `);
      const outcomes = Object.fromEntries(cases.map(({ name, report }) => [name, report.outcomes]));
      expect(outcomes["polls tightly"]?.stopped).toBeGreaterThanOrEqual(10);
      expect(outcomes["never polls, thread ended"]?.terminated).toBeGreaterThanOrEqual(10);
      expect(outcomes["never polls, cut off"]?.interrupted).toBeGreaterThanOrEqual(10);
      expect(growth.length).toBeGreaterThan(0);
    },
    timeout,
  );

  test.skipIf(process.platform === "win32")(
    "Ctrl-C: what was measured so far is reported and written, and the exit code is 130",
    async () => {
      const { code, signal, stdout, stderr } = await lifeguard(
        ["bench", "--time", "0.3", "--json", file("cut.json")],
        { interruptAfter: "measuring: awaits\n" },
      );
      expect({ code, signal }).toEqual({ code: 130, signal: null });
      expect(stdout).toMatch(/^polls tightly: /m);
      expect(stdout).toMatch(/^Ended early: these are the figures so far\.$/m);
      expect(stdout).not.toMatch(/^never polls/m);
      expect(stderr).not.toMatch(/ {4}at /);
      expect(readJson("cut.json").isComplete).toBe(false);
    },
    timeout,
  );

  test.skipIf(process.platform === "win32")(
    "Ctrl-C before there is anything: says so, and writes what there is, which is no case",
    async () => {
      const { code, stdout } = await lifeguard(["bench", module, "--task", "neverPolls", "--time", "30"], {
        interruptAfter: "measuring: neverPolls\n",
      });
      expect(code).toBe(130);
      expect(stdout).toMatch(/^Ended early/m);
    },
    timeout,
  );

  test(
    "nobody has to read the progress",
    async () => {
      const { code, stdout } = await lifeguard(["bench", module, "--task", "spins", ...quick], {
        deafAfter: "measuring",
      });
      expect(code).toBe(0);
      expect(stdout).toMatch(/^spins: /m);
    },
    timeout,
  );

  test(
    "a reader that goes away, such as `head`, ends it without a stack trace",
    async () => {
      const { stderr } = await lifeguard(["bench", module, "--task", "spins", ...quick], {
        hangUpAfter: "measuring",
      });
      expect(stderr).not.toMatch(/ {4}at |EPIPE/);
    },
    timeout,
  );
});

describe("lifeguard bench --compare", () => {
  test(
    "two runs beside each other",
    async () => {
      for (const name of ["before.json", "after.json"])
        await lifeguard(["bench", module, "--task", "spins", ...quick, "--json", file(name)]);
      expect(existsSync(file("after.json"))).toBe(true);
      const { code, stdout, stderr } = await lifeguard([
        "bench",
        "--compare",
        file("before.json"),
        file("after.json"),
      ]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      for (const figure of ["seen", "stopped", "settled", "next"])
        expect(stdout).toMatch(new RegExp(`^spins: ${figure} .*× .* (same|faster|slower)$`, "m"));
      expect(stdout).toMatch(/^spins: settled +[\d.]+× +[\d.]+× +[+-]?\d+ %$/m);
    },
    timeout,
  );

  test.each([
    ["none.json", "{", /is no JSON/],
    ["other.json", '{"hello":1}', /expected what `lifeguard bench --json` writes/],
    [
      "newer.json",
      '{"format":"lifeguard-bench","version":2,"cases":[]}',
      /expected version 1 of the format, got 2/,
    ],
  ])("%s is refused, with the reason", async (name, text, message) => {
    writeFileSync(file(name), text);
    const { code, stderr } = await lifeguard(["bench", "--compare", file(name), file(name)]);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});

test.each([["--help"], ["-h"]])("%s", async (option) => {
  const { code, stdout, stderr } = await lifeguard([option]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^Usage: lifeguard bench/);
});

test("--version", async () => {
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  expect((await lifeguard(["--version"])).stdout).toBe(`${version}\n`);
});
