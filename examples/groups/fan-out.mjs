// @ts-check
/**
 * Fan-out, first error: the parts of one job, of which one is bad. Its failure ends the group's context: parts that
 * run stop, parts that wait for a thread never begin. `wait()` rejects with that failure when all of them have stopped.
 */
import { background, cause, Group, isContextError, Pool, withProcessSignal } from "lifeguard";
import { Report } from "./report.mjs";

/** @type {Pool<typeof import("./tasks.mjs")>} */
const pool = new Pool(new URL("./tasks.mjs", import.meta.url), { threads: 2 });
const [main] = withProcessSignal(background, "SIGINT"); // Ctrl-C is the end of all of it
await pool.ready(); // so that the times are the work's

/** @type {[from: number, to: number][]} */
const parts = [
  [0, 4_000_000], // about a second
  [1e8, 2e8], // minutes
  [3e8, 2e8], // nonsense, but who knows: the task finds out when it begins, on the first thread to be free
  [3e8, 4e8], // that thread may begin this one, before the main thread hears of the failure
  [4e8, 5e8],
];
console.log(`Counting primes in ${parts.length} ranges on 2 threads`);

const report = new Report(pool);
const group = new Group(main);
for (const [from, to] of parts) {
  // What `go` returns may be ignored: the failure reaches `wait`.
  void group.go((ctx) => report.follow(`${from} to ${to}`, pool.submit(ctx, "countPrimes", [from, to])));
}
try {
  await group.wait();
} catch (error) {
  if (isContextError(error)) console.log("Cancelled:", cause(main));
  else console.log("The group has failed:", String(error));
}
report.print();

await pool.close();
if (main.err() !== undefined) process.exitCode = 130; // 128 and the number of SIGINT
