/** The soak itself: that it runs, ends, and finds what is broken. What it finds in the library takes it longer than a test has. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { checkGrowth } from "./quiet.mjs";
import { Random } from "./random.mjs";
import { BREAKS } from "./sabotage.mjs";
import type { Sample } from "./watch.mjs";

const PATIENT = 240_000;

interface Run {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

function soak(args: readonly string[], env: NodeJS.ProcessEnv = {}): Run {
  const child = spawn(process.execPath, [fileURLToPath(new URL("main.mjs", import.meta.url)), ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.on("close", (code) => {
      resolve({ code, stdout, stderr });
    });
  });
  return { child, stdout: () => stdout, ended };
}

test("a short soak holds, and reports what it has done, as text, JSON and Markdown", {
  timeout: PATIENT,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "lifeguard-soak-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const [json, markdown] = [join(folder, "report.json"), join(folder, "report.md")];
  const args = [
    "--minutes",
    "0.05",
    "--quiet-every",
    "1.5",
    "--seed",
    "test",
    "--json",
    json,
    "--markdown",
    markdown,
  ];
  const { code, stdout, stderr } = await soak(args).ended;
  expect(stderr).toBe("");
  expect(stdout).toContain("Broken invariants: 0");
  expect(code).toBe(0);
  const report = JSON.parse(readFileSync(json, "utf8")) as {
    seed: string;
    broken: unknown[];
    counts: Record<string, number>;
    samples: Sample[];
  };
  expect(report).toMatchObject({ seed: "test", broken: [] });
  expect(report.samples.length).toBeGreaterThanOrEqual(1);
  for (const kind of ["tasks", "batches", "requests", "pools", "contexts"])
    expect(report.counts[kind], kind).toBeGreaterThan(0);
  expect(stdout).toContain(readFileSync(markdown, "utf8"));
});

test("--help says what there is", async () => {
  const { code, stdout } = await soak(["--help"]).ended;
  expect(code).toBe(0);
  for (const option of ["--minutes", "--seed", "--only", "--quiet-every", "--json", "--markdown"])
    expect(stdout).toContain(option);
});

test.each([
  [["--minutes", "soon"], '--minutes: expected a number above 0, got "soon"'],
  [["--minutes", "0"], '--minutes: expected a number above 0, got "0"'],
  [["--only", "tasks,tusks"], 'got "tusks"'],
  [["--often"], "--often"],
])("%j is refused, with a sentence", async (args, message) => {
  const { code, stdout, stderr } = await soak(args).ended;
  expect(stderr).toContain(message);
  expect(stderr).not.toContain("    at ");
  expect(stdout).toBe("");
  expect(code).toBe(2);
});

test("Ctrl-C ends it with the report so far", { timeout: PATIENT }, async () => {
  const { child, ended } = soak(["--minutes", "10", "--seed", "test"]);
  await new Promise((resolve) => child.stdout?.once("data", resolve));
  child.kill("SIGINT");
  const { code, stdout } = await ended;
  expect(stdout).toContain("ended by Ctrl-C");
  expect(stdout).toContain("Broken invariants: 0");
  expect(code).toBe(130);
});

test("the same seed takes the same decisions, another one others, and each part has its own", () => {
  const draw = (random: Random): number[] => Array.from({ length: 20 }, () => random.int(0, 1_000_000));
  expect(draw(new Random("a"))).toEqual(draw(new Random("a")));
  expect(draw(new Random("a"))).not.toEqual(draw(new Random("b")));
  const whole = new Random("a");
  const part = draw(whole.of("tasks").of(0));
  draw(whole);
  expect(draw(whole.of("tasks").of(0))).toEqual(part);
  expect(draw(whole.of("tasks").of(1))).not.toEqual(part);
});

/** The least of a load under which it shows. */
const loads: Partial<Record<keyof typeof BREAKS, string>> = {
  order: "order",
  leak: "short",
  crowd: "short",
  listener: "blocks",
  thread: "blocks",
  fd: "blocks",
  handle: "blocks",
  external: "blocks",
  capacity: "blocks",
  context: "contexts",
};

describe("what is broken on purpose", () => {
  test.each(Object.entries(BREAKS))("%s: %s is found", { timeout: PATIENT }, async (mode, invariant) => {
    const only = loads[mode as keyof typeof BREAKS] ?? "tasks,short";
    const args = [
      "--minutes",
      "10",
      "--quiet-every",
      "0.5",
      "--patience",
      "3",
      "--seed",
      "test",
      "--only",
      only,
    ];
    const { code, stdout } = await soak(args, { LIFEGUARD_SOAK_BREAK: mode }).ended;
    expect(stdout).toContain(`Broken invariant: ${invariant}\n`);
    expect(stdout).toMatch(/seed test\n/);
    expect(code).toBe(1);
  });
});

describe("memory", () => {
  /** Half an hour, quiet each half minute, with what collections leave and do not leave at random. */
  function grown(bytesEach: number, tasksEach = 100_000): string[] {
    const random = new Random("noise");
    const samples = Array.from({ length: 60 }, (_, i): Sample => {
      const warming = i < 3 ? 0 : 1e6;
      const noise = random.int(-300_000, 300_000);
      return {
        seconds: 30 * (i + 1),
        tasks: tasksEach * (i + 1),
        heap: 15e6 + warming + noise + bytesEach * tasksEach * i,
        external: 3e6,
        arrayBuffers: 8e6,
        rss: 200e6,
        threads: 20,
        handles: 1,
        fds: 50,
        modules: 0,
        listeners: 5,
        contexts: 0,
        kinds: {},
        files: {},
      };
    });
    const found: string[] = [];
    const check = (holds: boolean, invariant: string): void => {
      if (!holds) found.push(invariant);
    };
    checkGrowth({ check }, samples);
    return found;
  }

  test("a leak of 100 bytes a task is seen, also where there are few", () => {
    expect(grown(100)).toEqual(["heap"]);
    expect(grown(100, 1000)).toEqual(["heap"]);
  });

  test("what collections leave is none", () => {
    expect(grown(0)).toEqual([]);
  });
});
