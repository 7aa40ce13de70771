// @ts-check
/**
 * The first success wins: three ways to factor a number race, each on a thread of its own. Nobody knows beforehand which
 * of them is quick; the two others would run for hours. `first` cancels them as soon as there is a factor, and hands it
 * on when they have stopped: the next race finds its threads free.
 */
import { background, cause, first, isContextError, Pool, withProcessSignal } from "lifeguard";
import { Report } from "./report.mjs";

/** @type {Pool<typeof import("./tasks.mjs")>} */
const pool = new Pool(new URL("./tasks.mjs", import.meta.url), { threads: 3 });
const [main] = withProcessSignal(background, "SIGINT"); // Ctrl-C is the end of all of it
await pool.ready(); // so that the times are the work's

const algorithms = /** @type {const} */ (["fermat", "rho", "pMinusOne"]);
const numbers = [
  1_000_050_014_000_470_050_950_840_003_159n, // factors close together
  2_000_000_009_500_000_084_000_000_399n, // one of them small
  70_012_825_891_608_673_000_549_681_068_943n, // one of them p, where p - 1 has small factors only
];
try {
  for (const n of numbers) {
    console.log(`A factor of ${n}`);
    const report = new Report(pool);
    const ways = algorithms.map(
      (name) => (/** @type {import("lifeguard").Context} */ ctx) =>
        report.follow(name, pool.submit(ctx, name, [n])),
    );
    try {
      const factor = await first(main, ways);
      console.log(`  = ${factor} × ${n / factor}`);
    } finally {
      report.print();
    }
  }
} catch (error) {
  if (!isContextError(error)) throw error; // an AggregateError: none of the three has found a factor
  console.log("Cancelled:", cause(main));
}

await pool.close();
if (main.err() !== undefined) process.exitCode = 130; // 128 and the number of SIGINT
