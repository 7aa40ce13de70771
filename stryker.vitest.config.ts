import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const src = (path: string): string => fileURLToPath(new URL(`src/${path}`, import.meta.url));

// For `npm run mutate`: the tests that run in one process, with `lifeguard` found in src, where the mutants are.
export default defineConfig({
  oxc: { target: "es2023" },
  resolve: {
    alias: [
      { find: /^lifeguard$/, replacement: src("index.ts") },
      { find: /^lifeguard\/context$/, replacement: src("context/index.ts") },
      { find: /^lifeguard\/worker$/, replacement: src("workers/index.ts") },
    ],
  },
  test: {
    include: ["test/context/*.test.ts", "test/workers/{carry,lane,lane-conformance,work}.test.ts"],
    testTimeout: 30_000,
  },
});
