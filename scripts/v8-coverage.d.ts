/** What scripts/coverage.mjs takes of a package that brings no types. */
declare module "@bcoe/v8-coverage" {
  import type { Profiler } from "node:inspector";

  /** What V8 counted in one script. */
  export type ScriptCov = Profiler.ScriptCoverage;

  /** The counts of one script added up; undefined if there are none. */
  export function mergeScriptCovs(scripts: readonly ScriptCov[]): ScriptCov | undefined;
}
