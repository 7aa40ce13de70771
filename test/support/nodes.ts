/** Tests that not every Node can pass, for a reason of its own that npm run test:nodes prints. */
import type { TestOptions } from "vitest";

declare module "vitest" {
  interface TaskMeta {
    /** Why the test is skipped; only set where it is. */
    skipped?: string;
  }
}

const major = Number(process.versions.node.split(".")[0]);

/**
 * Node 24 and 26 do not end a thread that has used up its heap: it hangs, or the whole process aborts. A bare Worker with
 * `resourceLimits` does the same.
 */
export const outOfMemory: TestOptions = skippedWhere(
  major > 22,
  "a thread out of memory hangs or aborts the process on Node 24 and 26, a bare Worker too",
);

function skippedWhere(skip: boolean, skipped: string): TestOptions {
  return skip ? { skip, meta: { skipped } } : {};
}
