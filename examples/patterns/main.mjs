// @ts-check
/**
 * Untrusted regular expressions under load. One that runs away is cut off at its deadline, and the thread it was on takes the
 * next: no thread is lost, and none has to be started. `--help` tells the options.
 */
import { background, Group, isContextError, Pool, withProcessSignal, withTimeout } from "lifeguard";
import { patterns, text } from "./load.mjs";
import { parse } from "./options.mjs";

process.stdout.on("error", () => process.exit()); // the reader has gone, as `head` does
const { threads, requests, hostile, deadline, pattern } = parse(process.argv.slice(2));

/** @type {Pool<typeof import("./tasks.mjs")>} */
const pool = new Pool(new URL("./tasks.mjs", import.meta.url), {
  threads,
  spares: 0,
  grace: 0, // matching cannot clean up, so it needs no time for that
  onOverrun: "interrupt",
  workerData: { text },
});
const [main] = withProcessSignal(background, "SIGINT"); // the first Ctrl-C; a second one is the system's
await pool.ready();

const load = pattern === undefined ? patterns(requests, hostile) : [pattern];
const counts = { answered: 0, "too slow": 0, "not a pattern": 0, "called off": 0 };
/** @type {Set<number>} */
const seen = new Set();
/** @type {number[]} */
const waits = [];
let overdue = 0;

if (pattern === undefined)
  console.log(
    `${load.length} patterns, ${hostile} of a hundred run away; ${threads} threads, ${deadline} ms each`,
  );
// As many at a time as there are threads, and as many again that wait for one.
const group = new Group(main, { limit: threads * 2 });
for (const each of load) void group.go((ctx) => answer(ctx, each));
await group.wait().catch(() => {}); // answer() throws nothing: this is Ctrl-C

if (pattern === undefined) {
  for (const [what, count] of Object.entries(counts))
    if (count > 0) console.log(`${what.padEnd(14)}${count}`);
  if (waits.length > 0) console.log(`answers took ${at(0.5)} ms p50, ${at(0.99)} ms p99`);
  if (counts["too slow"] > 0)
    console.log(`the late ones were over ${overdue.toFixed(1)} ms after their deadline at most`);
  const { interrupted, terminated } = pool.stats().outcomes;
  console.log(
    `${interrupted} were cut off, ${terminated} cost their thread; threads that worked: ${seen.size}`,
  );
}

await pool.close();
if (main.err() !== undefined) process.exitCode = 130; // 128 and the number of SIGINT

/**
 * What a server does for one request.
 *
 * @param {import("lifeguard").Context} request
 * @param {string} wanted
 */
async function answer(request, wanted) {
  const [ctx, cancel] = withTimeout(request, deadline);
  const began = performance.now();
  try {
    const { found, thread } = await pool.run(ctx, "count", wanted);
    seen.add(thread);
    waits.push(performance.now() - began);
    counts.answered++;
    if (pattern !== undefined) console.log(`found ${found} times`);
  } catch (error) {
    if (isContextError(error)) {
      if (pattern !== undefined) console.log(`cut off: ${error.message}`);
      const isLate = error.code === "ERR_DEADLINE_EXCEEDED";
      counts[isLate ? "too slow" : "called off"]++;
      if (isLate) overdue = Math.max(overdue, performance.now() - began - deadline);
    } else {
      counts["not a pattern"]++;
      if (pattern !== undefined) console.log(/** @type {Error} */ (error).message);
    }
  } finally {
    cancel();
  }
}

/** @param {number} part */
function at(part) {
  const sorted = waits.toSorted((a, b) => a - b);
  return (sorted[Math.floor(part * (sorted.length - 1))] ?? 0).toFixed(1);
}
