// @ts-check
/**
 * Mutants of the context tree and of the lane: `npm run mutate`, or `npm run mutate -- --mutate src/context/heap.ts` for one file. It takes an hour or more;
 * what is known of mutants of files that have not changed is kept in reports/.
 */
export default {
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  vitest: { configFile: "stryker.vitest.config.ts", related: false },
  mutate: ["src/context/**/*.ts", "src/workers/{lane,notice-watch,task-context}.ts"],
  coverageAnalysis: "perTest",
  incremental: true,
  incrementalFile: "reports/mutation/incremental.json",
  reporters: ["progress-append-only", "clear-text", "json"],
  clearTextReporter: { allowColor: false, reportTests: false },
  concurrency: 2,
  // ms, beyond half as long again as the tests take without a mutant: for what is endless with it.
  timeoutMS: 5_000,
  ignoreStatic: true,
  ignorePatterns: ["bench", "docs", "examples", "scripts", "dist", "coverage"],
  tempDirName: ".stryker-tmp",
  allowEmpty: false,
};
