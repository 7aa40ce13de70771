/** scripts/nodes.mjs, on few test files: what it counts, and what it says where something is wrong. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../examples/run.js";

const nodes = "scripts/nodes.mjs";
const own = process.versions.node.split(".")[0] as string;
/** Starts processes that start processes. */
const timeout = 240_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lifeguard-test-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** The arguments, with a report. */
async function counted(...args: readonly string[]) {
  const report = join(folder, `${Math.random()}.json`);
  const { code, stdout } = await run(nodes, ["--report", report, ...args], { timeout });
  return { code, stdout, counts: JSON.parse(await readFile(report, "utf8")) as unknown[] };
}

test("counts what has passed, on the Node that runs it and in whole", { timeout }, async () => {
  const { code, stdout, counts } = await counted(own, "test/bench-suite/stats.test.ts");
  expect(stdout).toMatch(/\n(\d+) passed, 0 failed\n$/);
  const passed = Number(/(\d+) passed, 0 failed\n$/.exec(stdout)?.[1]);
  expect(passed).toBeGreaterThan(5);
  expect(counts).toMatchObject([{ version: process.versions.node, passed, failed: 0, skipped: [] }]);
  expect(code).toBe(0);
});

test("a run that does not end in its time is killed, and has failed", { timeout }, async () => {
  const { code, stdout, counts } = await counted(
    own,
    "--minutes",
    "0.0001",
    "test/bench-suite/stats.test.ts",
  );
  expect(stdout).toContain("killed after 0.0001 minutes");
  expect(stdout).toMatch(/\n0 passed, 1 failed\n$/);
  expect(counts).toMatchObject([{ passed: 0, failed: 1 }]);
  expect(code).toBe(1);
});

test("no test found: failed", { timeout }, async () => {
  const { code, stdout, counts } = await counted(own, "no-such-file");
  expect(stdout).toMatch(/vitest ended with code 1/);
  expect(counts).toMatchObject([{ passed: 0, failed: 1 }]);
  expect(code).toBe(1);
});

test("a Node that cannot be fetched has failed, and the reason is told", { timeout }, async () => {
  const other = own === "22" ? "24" : "22";
  // A cache that is a file: no folder can be made below it.
  const cache = new URL("nodes.test.ts", import.meta.url).pathname;
  const { code, stdout, counts } = await counted(other, "--cache", cache);
  expect(stdout).toMatch(new RegExp(`^Node ${other}: cannot be fetched: .*ENOTDIR`, "m"));
  expect(counts).toMatchObject([{ major: Number(other), version: "?", passed: 0, failed: 1 }]);
  expect(stdout).toMatch(/\n0 passed, 1 failed\n$/);
  expect(code).toBe(1);
});

test.each([
  [["23"], "expected versions among 20, 22, 24, 26, got 23"],
  [["--minutes", "soon"], "--minutes: expected more than 0, got soon"],
  [["--minutes", "0"], "--minutes: expected more than 0, got 0"],
  [["--versoin"], "--versoin"],
])("%j is refused, with the reason", async (args, reason) => {
  const { code, stdout, stderr } = await run(nodes, args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(reason);
  expect(stderr).toContain("npm run test:nodes");
});

test("SIGINT ends the run under way, and no other is begun", { timeout }, async () => {
  const { code, stdout } = await run(nodes, [own, own, "test/pool"], { interruptAfter: "RUN", timeout });
  expect(code).toBe(130);
  expect(stdout.match(new RegExp(`^Node ${own}$`, "gm"))).toHaveLength(1);
  expect(stdout).toMatch(/SIGINT/);
});
