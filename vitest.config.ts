import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

// Where .ci/run wants the results as JSON.
const report = process.env.VITEST_REPORT;

// `lifeguard` is found as users find it: through `exports`, in dist, which runs untransformed. Only to measure coverage
// is it loaded by vitest, which can then map it to src; scripts/coverage.mjs adds what runs in other threads.
const untransformed = process.argv.includes("--coverage") ? [] : [/\/dist\//];

export default defineConfig({
  // Node 20 has no `using` syntax: tests and what they import from src are compiled down.
  oxc: { target: "es2023" },
  test: {
    include: ["test/**/*.test.ts"],
    // Each test file in a process of its own: pools of threads do not share one.
    pool: "forks",
    // Most of them wait most of the time: two at once take little more than half as long on two cores, where vitest would run one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Against what hangs, and nothing else: on a machine that has other things to do, much takes ten times as long.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    server: { deps: { external: untransformed } },
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts", "dist/**/*.js"],
      reporter: ["text", "html", "lcov"],
    },
  },
});
