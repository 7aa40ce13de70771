// @ts-check
import { readdirSync } from "node:fs";

/** How many threads this process has, as the system counts them; 0 elsewhere than on Linux. */
export function threadsOfProcess() {
  try {
    return readdirSync("/proc/self/task").length;
  } catch {
    return 0;
  }
}
