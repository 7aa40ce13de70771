/** What is loaded with each entry of the package: nobody has to install what he does not use. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../examples/run.js";

/** All that a built file imports statically, directly or by way of others: packages and modules of Node's. */
function importsOf(entry: string): string[] {
  const seen = new Set<string>();
  const outside = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const code = readFileSync(file, "utf8");
    const found = code.matchAll(
      /^(?:import|export)\b[^"'();]*?\bfrom\s*["']([^"']+)["']|^import\s*["']([^"']+)["']/gm,
    );
    for (const [, from, bare] of found) {
      const specifier = (from ?? bare) as string;
      if (specifier.startsWith(".")) visit(join(dirname(file), specifier));
      else outside.add(specifier);
    }
  };
  visit(join(root, "dist", entry));
  return [...outside].sort();
}

test.each(["index.js", "bench/index.js", "bench/cli.js", "workers/entry.js", "workers/index.js"])(
  "%s goes without comlink",
  (entry) => {
    const imports = importsOf(entry);
    expect(imports.filter((name) => !name.startsWith("node:") && name !== "piscina")).toEqual([]);
  },
);

test("the contexts, and what a page loads of lifeguard/comlink, go without Node", () => {
  expect(importsOf("context/index.js")).toEqual([]);
  expect(importsOf("comlink/browser.js")).toEqual(["comlink"]);
});

test("lifeguard/http goes without the pool: a task may load it, too", () => {
  expect(importsOf("http/index.js").filter((name) => !name.startsWith("node:"))).toEqual([]);
});

test("lifeguard/comlink goes without the pool", () => {
  for (const entry of ["index.js", "actor-entry.js", "revive.js"])
    expect(importsOf(`comlink/${entry}`)).not.toContain("piscina");
});

test("what is looked for is found", () => {
  expect(importsOf("index.js")).toContain("piscina");
  expect(importsOf("comlink/index.js")).toContain("comlink");
});
