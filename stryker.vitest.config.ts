import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const src = (path: string): string => fileURLToPath(new URL(`src/${path}`, import.meta.url));

/** The test files to run, rather than all: MUTATE_TESTS="context/heap context/alarms". */
const only = process.env.MUTATE_TESTS;
const file = (name: string): string => `test/${name}.test.ts`;

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
    include:
      only === undefined
        ? ["context/*", "workers/{carry,lane,lane-conformance,notice-watch,task-node,work}"].map(file)
        : only.split(" ").map(file),
    setupFiles: ["test/support/light.ts", "test/support/own-modules.ts"],
    // In one process, with src loaded anew for each file: quicker than a process for each.
    isolate: false,
    testTimeout: 30_000,
  },
});
