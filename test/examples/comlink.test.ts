import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, run } from "./run.js";

const before = "examples/comlink/before";
const after = "examples/comlink/after";
/** Real work, on cores that may be busy otherwise, too. */
const timeout = 120_000;

/** The lines of `to` that are not in `from`, by a longest common subsequence: what `diff` marks with a +. */
function added(from: readonly string[], to: readonly string[]): string[] {
  // common[i][j]: how many lines the rests from i and from j have in common.
  const common = Array.from({ length: from.length + 1 }, () => new Array<number>(to.length + 1).fill(0));
  for (let i = from.length - 1; i >= 0; i--)
    for (let j = to.length - 1; j >= 0; j--)
      common[i]![j] =
        from[i] === to[j] ? common[i + 1]![j + 1]! + 1 : Math.max(common[i + 1]![j]!, common[i]![j + 1]!);
  const lines: string[] = [];
  for (let i = 0, j = 0; j < to.length; ) {
    if (from[i] === to[j] && i < from.length) {
      i++;
      j++;
    } else if (i < from.length && common[i + 1]![j]! >= common[i]![j + 1]!) i++;
    else lines.push(to[j++]!);
  }
  return lines;
}

test("the difference is five lines", () => {
  const files = readdirSync(join(root, before)).sort();
  expect(readdirSync(join(root, after)).sort()).toEqual(files);
  const read = (folder: string, file: string) => readFileSync(join(root, folder, file), "utf8").split("\n");
  const lines = files.flatMap((file) => added(read(before, file), read(after, file)));
  const readme = readFileSync(join(root, "README.md"), "utf8").split("\n");
  const shown = readme.filter((line) => line.startsWith("+")).map((line) => line.slice(1).trim());
  expect(lines.map((line) => line.trim()).filter((line) => !shown.includes(line))).toEqual([]);
  expect(lines.map((line) => line.trim())).toEqual([
    'export * as Comlink from "lifeguard/comlink";',
    'import { background, withTimeout } from "lifeguard";',
    "const lines = await remote.render(withTimeout(background, 200)[0], { width: 78, height: 24 });",
    'render(/** @type {import("lifeguard").Context} */ ctx, /** @type {Size} */ { width, height }) {',
    "ctx.throwIfDone();",
  ]);
});

test.each([
  ["a b c", "a b c", ""],
  ["a b c", "a b x c", "x"],
  ["a b c", "x b c", "x"],
  ["a b c", "a b", ""],
  ["z", "a b", "a b"],
  ["a b c d", "b x d y", "x y"],
])("which is counted right: %j, %j", (from, to, expected) => {
  expect(added(from.split(" "), to.split(" ")).join(" ")).toBe(expected);
});

test(
  "before, the picture is drawn to its end",
  async () => {
    const { code, stdout, stderr } = await run(`${before}/main.mjs`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = stdout.split("\n");
    expect(lines.filter((line) => line.length === 78)).toHaveLength(24);
    expect(lines.at(-2)).toMatch(/^24 of 24 lines were drawn, in \d+ ms\.$/);
  },
  timeout,
);

test(
  "after, its deadline stops it midway, and the thread answers the next call",
  async () => {
    const { code, stdout, stderr } = await run(`${after}/main.mjs`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [, drawn] =
      /^No picture: context deadline exceeded\.\n(\d+) of 24 lines were drawn, in \d+ ms\.\n$/.exec(stdout) ??
      [];
    expect(Number(drawn)).toBeLessThan(24);
  },
  timeout,
);

test.each([before, after])(
  "%s: a reader that goes away, such as `head`, ends it without a stack trace",
  async (folder) => {
    const { code, stderr } = await run(`${folder}/main.mjs`, [], { hangUpAfter: "\n" });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  },
  timeout,
);
