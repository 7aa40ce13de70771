import { expect, test } from "vitest";
import { run } from "./run.js";

test("the example of a measurement tells what it means", { timeout: 120_000 }, async () => {
  const { code, stdout, stderr } = await run("examples/first/measure.mjs");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^It polls every [\d.]+ [nµm]s: a cancellation takes /);
  expect(stdout).toMatch(/\n(soon enough|too late)\n$/);
});
