/** What the package exports is what docs/api says: a change of it is seen, and meant. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, run } from "../examples/run.js";

const api = "scripts/api.mjs";

test("docs/api is what the built declarations say", { timeout: 240_000 }, async () => {
  const { code, stderr } = await run(api, ["--check"], { timeout: 200_000 });
  expect(stderr).toBe("");
  expect(code).toBe(0);
});

test("it has every entry of the package, without a path of the machine it was written on", () => {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    exports: Record<string, string | object>;
  };
  const entries = Object.keys(exports).filter((path) => typeof exports[path] === "object");
  const names = entries.map((path) => `${path.replace(".", "lifeguard").replace("/", ".")}.api.md`);
  const files = readdirSync(join(root, "docs/api"));
  expect(files.sort()).toEqual([...names, "lifeguard.comlink.browser.api.md"].sort());
  for (const file of files) {
    const text = readFileSync(join(root, "docs/api", file), "utf8");
    expect(text).not.toContain(root);
    expect(text).not.toContain("node_modules");
    expect(text).toMatch(/^export /m);
  }
});

test("a wrong option is an error, and says what there is", { timeout: 60_000 }, async () => {
  const { code, stderr } = await run(api, ["--chek"]);
  expect(code).toBe(2);
  expect(stderr).toContain("--chek");
  expect(stderr).toContain("npm run api [-- --check]");
});
