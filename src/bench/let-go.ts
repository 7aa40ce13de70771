/** The end of a pool that measurements were made on. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "../pool/pool.js";

/** ms: the grace that `destroy` leaves, and as long again. */
const PATIENCE = 2000;

/** Destroys it; does not wait for a thread in native code, which cannot be ended before that returns. */
export async function letGo(pool: Pool): Promise<void> {
  const timer = new AbortController();
  const late = sleep(PATIENCE, undefined, { signal: timer.signal }).catch(() => {});
  await Promise.race([pool.destroy(), late]);
  timer.abort();
}
