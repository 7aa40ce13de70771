/** What the documents show is what the stored results give. */
import { expect, test } from "vitest";
import { readResults } from "../../bench/support/results.mjs";
import { latency } from "../../scripts/figures/tables.mjs";
import { run } from "../examples/run.js";

test("README.md, docs/performance.md, all.md and the picture are what docs/figures gives", async () => {
  const { code, stderr } = await run("scripts/figures.mjs", ["--check"]);
  expect(stderr).toBe("");
  expect(code).toBe(0);
});

test("every moment of a latency that docs/figures has stands beside the primitive it is named for", () => {
  const cells = latency(readResults("docs/figures/bench.json"))
    .split("\n")
    .slice(2)
    .flatMap((line) => line.slice(2, -2).split(" | ").slice(1))
    .filter((cell) => cell.trim() !== "");
  expect(cells.length).toBeGreaterThan(0);
  for (const cell of cells) expect(cell).toMatch(/; [\d.]+ ×$/);
});
