import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  checkWritable,
  commandOf,
  Recording,
  stringify,
  writeResults,
} from "../../bench/support/results.mjs";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lifeguard-results-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test("a run is complete when every suite that was wanted has ended well", () => {
  const recording = new Recording("npm run bench", { lifeguard: "1.0.0", go: null });
  expect(recording.results(1).isComplete).toBe(false);
  const suite = recording.begin("one", "about one");
  // Ctrl-C in the middle of it.
  expect(recording.results(1)).toMatchObject({ isComplete: false, suites: [{ status: "stopped" }] });
  suite.status = "completed";
  expect(recording.results(1).isComplete).toBe(true);
  expect(recording.results(2).isComplete).toBe(false);
  recording.begin("two", "about two").status = "broken";
  expect(recording.results(2).isComplete).toBe(false);
});

test("results say where, when and with what", () => {
  const results = new Recording("npm run bench -- seen", { lifeguard: "1.0.0", go: null }).results(0);
  expect(results).toMatchObject({
    format: 1,
    command: "npm run bench -- seen",
    versions: { lifeguard: "1.0.0", go: null },
    machine: { node: process.version, v8: process.versions.v8 },
  });
  expect(new Date(results.date).toISOString()).toBe(results.date);
});

test("what is not there is said at the head", () => {
  expect(new Recording("", { lifeguard: "1.0.0", go: null }).head()).toContain(
    "lifeguard 1.0.0, go not there",
  );
});

test("a file is written whole, over the one before, and nothing is left beside it", async () => {
  const path = join(folder, "results.json");
  await writeFile(path, "before");
  writeResults(path, new Recording("npm run bench", {}).results(0));
  expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ format: 1 });
  expect(await readdir(folder)).toEqual(["results.json"]);
});

test("what cannot be written is known before: a folder that is not there, a folder itself", () => {
  checkWritable(join(folder, "results.json"));
  expect(() => checkWritable(join(folder, "not-there", "results.json"))).toThrow(
    /^--json: cannot write .*ENOENT/,
  );
  expect(() => checkWritable(folder)).toThrow(/it is a directory/);
});

test("a write that fails leaves nothing behind", async () => {
  const taken = join(folder, "taken");
  await mkdir(taken);
  expect(() => writeResults(taken, new Recording("", {}).results(0))).toThrow();
  expect(await readdir(taken)).toEqual([]);
  expect(await readdir(folder)).toEqual(["taken"]);
});

test("figures are rounded to four digits, whole numbers kept, and each figure of a row is one line", () => {
  const text = stringify({ rows: [{ n: 123_456, p50: 0.123_456, what: "a {b} c" }, { n: 1 }] });
  expect(JSON.parse(text)).toEqual({ rows: [{ n: 123_456, p50: 0.1235, what: "a {b} c" }, { n: 1 }] });
  expect(text).toContain('{ "n": 1 }');
});

test("the command can be typed again", () => {
  expect(commandOf("bench", [])).toBe("npm run bench");
  expect(commandOf("bench", ["--json", "my file.json", "seen"])).toBe(
    "npm run bench -- --json 'my file.json' seen",
  );
});
