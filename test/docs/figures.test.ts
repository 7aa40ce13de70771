/** What the documents show is what the stored results give. */
import { expect, test } from "vitest";
import { run } from "../examples/run.js";

test("README.md, docs/performance.md, all.md and the picture are what docs/figures gives", async () => {
  const { code, stderr } = await run("scripts/figures.mjs", ["--check"]);
  expect(stderr).toBe("");
  expect(code).toBe(0);
});
