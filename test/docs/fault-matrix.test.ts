/** The fault matrix of docs/reliability.md is the one that is tested. */
import { expect, test } from "vitest";
import { count } from "../../scripts/figures/fault-matrix.mjs";
import { run } from "../examples/run.js";

test("docs/reliability.md shows the table that the tests are made of", async () => {
  const { code, stderr } = await run("scripts/fault-matrix.mjs", ["--check"]);
  expect(stderr).toBe("");
  expect(code).toBe(0);
});

test("a wrong option is refused with a help", async () => {
  const { code, stderr } = await run("scripts/fault-matrix.mjs", ["--chekc"]);
  expect(stderr).toContain("--check");
  expect(code).toBe(2);
});

test("most of what can be crossed is: no cell goes missing unseen", () => {
  const { faults, cells, excluded } = count();
  expect(cells + excluded).toBe(faults * 6 * 5);
  expect(cells).toBeGreaterThanOrEqual(1400);
});
