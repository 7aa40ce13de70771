// @ts-check
import { background, isContextError, Pool, withTimeout } from "lifeguard";

const pool = new Pool(new URL("./tasks.mjs", import.meta.url));

// Work that nobody cancels.
console.log("below 100000:", await pool.run(background, "countPrimes", 0, 100_000));

// Work that has half a second. The task sees the deadline pass and stops; its thread lives on.
const [ctx, cancel] = withTimeout(background, 500);
const task = pool.submit(ctx, "countPrimes", [0, 1e12]);
try {
  console.log("below 10^12:", await task.result);
} catch (error) {
  if (!isContextError(error)) throw error;
  console.log(`below 10^12: ${error.message}, ${task.outcome}`);
} finally {
  cancel();
}

await pool.close();
