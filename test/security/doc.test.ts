/** SECURITY.md promises nothing that no test tries, and leaves out nothing that one does. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../examples/run.js";

const folder = join(root, "test/security");
const code = readdirSync(folder)
  .filter((name) => name !== "doc.test.ts")
  .map((name) => readFileSync(join(folder, name), "utf8"))
  .join("\n");
const rows = readFileSync(join(root, "SECURITY.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.endsWith("| test |"));
const named = rows.map((row) => /\| `([^`]+)` \|$/.exec(row)?.[1]);

/** The names of tests that say "cannot". */
const titles = [...code.matchAll(/"((?:[^"\\]|\\.)*\bcannot\b(?:[^"\\]|\\.)*)",?\s*(?:async|\(|\{)/g)].map(
  ([, title]) => title as string,
);

test("every row names a test", () => {
  expect(rows.length).toBeGreaterThan(40);
  for (const [at, name] of named.entries())
    expect(name === undefined ? rows[at] : code.includes(name) || name).toBe(true);
});

test("every test that says what cannot be is in a row", () => {
  expect(titles.length).toBeGreaterThan(30);
  for (const title of titles)
    expect(named.some((name) => name !== undefined && title.includes(name)) || title).toBe(true);
});

test("it is shipped, and linked from the README", () => {
  const { files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { files: string[] };
  expect(files).toContain("SECURITY.md");
  expect(readFileSync(join(root, "README.md"), "utf8")).toContain("](SECURITY.md)");
});
