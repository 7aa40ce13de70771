// @ts-check
/**
 * A limit: of a long batch no more than two tasks are handed to the pool at a time. So one of its three threads stays
 * free for whoever has a question in between, instead of queueing up behind the whole batch, and a timeout made inside of
 * `go` begins when the task's turn has come.
 */
import { background, cause, Group, isContextError, Pool, withProcessSignal, withTimeout } from "lifeguard";
import { Report } from "./report.mjs";

/** @type {Pool<typeof import("./tasks.mjs")>} */
const pool = new Pool(new URL("./tasks.mjs", import.meta.url), { threads: 3 });
const [main] = withProcessSignal(background, "SIGINT"); // Ctrl-C is the end of all of it
await pool.ready(); // so that the times are the work's

const parts = Array.from({ length: 8 }, (_, i) => i * 1_000_000);
console.log(`Counting primes in ${parts.length} ranges, 2 at a time, on 3 threads`);

const report = new Report(pool);
const group = new Group(main, { limit: 2 });
let active = 0;
let most = 0;
let left = parts.length;
for (const from of parts) {
  void group.go(async (ctx) => {
    // A group starts everything it was given, also after its end: the pool then drops it.
    const [limited, cancel] = withTimeout(ctx, 30_000);
    most = Math.max(most, ++active);
    try {
      const to = from + 1_000_000;
      await report.follow(`${from} to ${to}`, pool.submit(limited, "countPrimes", [from, to]));
    } finally {
      cancel();
      active--;
      left--;
    }
  });
}
try {
  const below100 = await pool.run(main, "countPrimes", 0, 100);
  console.log(`A question in between: ${below100} primes below 100, while ${left} ranges are to do`);
  await group.wait();
} catch (error) {
  if (!isContextError(error)) throw error;
  await group.wait().catch(() => {}); // it may have been the question that was cancelled
  console.log("Cancelled:", cause(main));
}
report.print();
console.log(`At most ${most} at a time`);

await pool.close();
if (main.err() !== undefined) process.exitCode = 130; // 128 and the number of SIGINT
