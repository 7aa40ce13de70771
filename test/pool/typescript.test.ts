/** Task modules in TypeScript: run as they are where Node strips types, a clear error where it does not. */
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { background, Pool, PoolError } from "lifeguard";
import { expect, test } from "vitest";
import { failure, fixture } from "../support/pool.js";

const strips = Boolean((process.features as { typescript?: unknown }).typescript);

test.runIf(strips)("a .ts module runs as it is", async () => {
  await using pool = new Pool(fixture("typed.ts"), { threads: 1 });
  expect(await pool.run(background, "add", 1, 2)).toBe(3);
});

test.skipIf(strips)(
  "a .ts module is ERR_TASK_MODULE with Node's own reason, where Node does not strip types",
  async () => {
    await using pool = new Pool(fixture("typed.ts"), { threads: 1 });
    const error = await failure(pool.ready());
    expect(error).toBeInstanceOf(PoolError);
    expect(error.code).toBe("ERR_TASK_MODULE");
    expect(error.message).toContain("typed.ts");
    expect(error.cause).toMatchObject({ code: "ERR_UNKNOWN_FILE_EXTENSION" });
  },
);

/** A Node that strips types, from the npm package `node`, where it is in reach; else undefined. */
function strippingNode(): string | undefined {
  const path = process.env.LIFEGUARD_NODE24;
  if (path !== undefined) return path;
  try {
    const cwd = mkdtempSync(join(tmpdir(), "lifeguard-node-"));
    return execFileSync("npx", ["-y", "--prefer-offline", "node@24", "-p", "process.execPath"], {
      cwd,
      encoding: "utf8",
      timeout: 110_000,
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined;
  }
}

test.skipIf(strips)(
  "a .ts module runs on a Node that strips types",
  (ctx) => {
    const node = strippingNode();
    if (node === undefined) return ctx.skip("no Node with type stripping in reach (npx node@24 failed)");
    const script = `
    import { background, Pool } from "lifeguard";
    const pool = new Pool(${JSON.stringify(fixture("typed.ts").href)}, { threads: 1 });
    console.log(process.features.typescript, await pool.run(background, "add", 1, 2));
  `;
    const output = execFileSync(node, ["--input-type=module", "--eval", script], {
      encoding: "utf8",
      cwd: join(fixture(".").pathname, "../.."),
    });
    expect(output).toBe("strip 3\n");
  },
  60_000,
);
