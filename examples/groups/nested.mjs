// @ts-check
/**
 * Groups in groups: three teams, each a group below one group. What ends a team, a bad range in it or its own deadline,
 * ends its tasks and no others, as long as the team does not let the failure out. What ends the outer group, such as
 * Ctrl-C, ends every team.
 */
import { background, cause, Group, Pool, withProcessSignal, withTimeout } from "lifeguard";
import { Report } from "./report.mjs";

/** @typedef {import("lifeguard").Context} Context */

/** @type {Pool<typeof import("./tasks.mjs")>} */
const pool = new Pool(new URL("./tasks.mjs", import.meta.url), { threads: 6 });
const [main] = withProcessSignal(background, "SIGINT"); // Ctrl-C is the end of all of it
await pool.ready(); // otherwise the deadline below would run while the threads start

console.log("Three teams count primes");
const report = new Report(pool);
const outer = new Group(main);
void outer.go((ctx) => team(ctx, "sound", [0, 2e6], [2e6, 3e6]));
void outer.go((ctx) => team(ctx, "unlucky", [1e8, 2e8], [3e8, 2e8])); // no range
void outer.go((ctx) => {
  const [limited, cancel] = withTimeout(ctx, 500);
  return team(limited, "hurried", [1e8, 2e8], [2e8, 3e8]).finally(cancel); // minutes of work
});
await outer.wait();
report.print();

await pool.close();
if (main.err() !== undefined) process.exitCode = 130; // 128 and the number of SIGINT

/**
 * @param {Context} parent
 * @param {string} name
 * @param {[from: number, to: number][]} ranges
 */
async function team(parent, name, ...ranges) {
  const group = new Group(parent);
  for (const [from, to] of ranges) {
    void group.go((ctx) =>
      report.follow(`${name}: ${from} to ${to}`, pool.submit(ctx, "countPrimes", [from, to])),
    );
  }
  try {
    await group.wait();
    console.log(`  The ${name} team is done`);
  } catch {
    console.log(`  The ${name} team has stopped:`, String(cause(group.ctx)));
  }
}
