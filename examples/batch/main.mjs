// @ts-check
import { background, isContextError, Pool, withTimeout } from "lifeguard";

/** @type {Pool<typeof import("./tasks.mjs")>} */
const pool = new Pool(new URL("./tasks.mjs", import.meta.url));

/** @param {number} to */
function* numbers(to) {
  for (let n = 1; n <= to; n++) yield n;
}

// One result for each input, in their order. They are read as fast as the loop goes round.
let n = 0;
let longest = { n: 0, steps: 0 };
for await (const steps of pool.map(background, "collatzSteps", numbers(100_000))) {
  n++;
  if (steps > longest.steps) longest = { n, steps };
}
console.log("the longest way to 1:", longest);

// Leaving the loop cancels what is left, and waits until it has stopped. So these have no end, and that is fine.
n = 0;
for await (const steps of pool.map(background, "collatzSteps", numbers(Infinity))) {
  n++;
  if (steps > 200) break;
}
console.log("the first of more than 200 steps:", n);

// The first failure cancels the rest, and is what the loop throws. Or each input has its record.
const records = await pool.map(background, "collatzSteps", [7, 0, 9], { onError: "settle" }).results();
console.log(records.map((record) => (record.status === "fulfilled" ? record.value : String(record.reason))));

// When the time is over, what is there comes first, and then the error.
const [ctx, cancel] = withTimeout(background, 100);
n = 0;
try {
  for await (const steps of pool.map(ctx, "collatzSteps", numbers(Infinity))) if (steps > 0) n++;
} catch (error) {
  if (!isContextError(error)) throw error;
  console.log(`${error.message}; there were results: ${n > 0}`);
} finally {
  cancel();
}
await pool.close();
