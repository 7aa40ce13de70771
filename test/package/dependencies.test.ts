/** Licence and integrity of what is installed, as docs/dependencies.md has it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, run } from "../examples/run.js";

const script = "scripts/dependencies.mjs";

test("the page is what the lock file gives; every licence is on the list, every hash is there", async () => {
  expect(await run(script, ["--check"])).toEqual({ code: 0, signal: null, stdout: "", stderr: "" });
});

test("it names what is installed with the package, and what dist contains", async () => {
  const page = await readFile(join(root, "docs/dependencies.md"), "utf8");
  const part = (title: string) => page.split(`## ${title}\n`)[1]?.split("\n## ")[0] ?? "";
  expect(part("Installed with lifeguard")).toMatch(/^\| piscina \| [\d.]+ \| MIT \| https:/m);
  expect(part("Contained in dist")).toMatch(/^\| echarts \| [\d.]+ \| Apache-2.0 \| https:/m);
  expect(part("Contained in dist")).toMatch(/^\| zrender \|/m);
  expect(part("Tools")).toMatch(/^\| vitest \|/m);
});

test("a wrong option is an error, and says what there is", async () => {
  const { code, stderr } = await run(script, ["--chek"]);
  expect(code).toBe(2);
  expect(stderr).toContain("npm run provenance");
});
