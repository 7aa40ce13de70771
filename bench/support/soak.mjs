// @ts-check
/** One variant of soak-stops.mjs, in a process of its own. */
import { setTimeout as sleep } from "node:timers/promises";
import { background, withCancel } from "lifeguard";
import { BareWorker } from "./bare.mjs";
import { Cell } from "./cell.mjs";
import { lifeguardPool } from "./pools.mjs";
import { collectGarbage, ignore, until } from "./sampling.mjs";
import { threadsOfProcess } from "./threads.mjs";

/**
 * @typedef {object} Snapshot
 * @property {string} [when] where it is not along the way
 * @property {number} stops
 * @property {number} seconds
 * @property {number} rss bytes
 * @property {number} heap bytes
 * @property {number} threads of the process, as the system counts them
 * @property {number} handles that Node knows
 * @property {number} listeners on the process
 * @property {number} warnings that Node has given
 * @property {number} kept of the stopped tasks, those whose thread was kept
 */

/** @typedef {"terminate" | "interrupt" | "bare"} Variant */

const LANES = 2;

const [variant = "", count = ""] = process.argv.slice(2);
const stops = Number(count);
const every = Math.max(1, Math.floor(stops / 10));
let done = 0;
let warnings = 0;
process.on("warning", () => {
  warnings++;
});
const start = process.hrtime.bigint();

/** @type {Awaited<ReturnType<typeof lifeguardPool>> | undefined} */
let pool;
await tell("before");
pool =
  variant === "bare"
    ? undefined
    : await lifeguardPool({
        threads: LANES,
        spares: 1,
        grace: 0,
        onOverrun: /** @type {"terminate" | "interrupt"} */ (variant),
      });
const stopOne = pool === undefined ? stopWorker : () => stopTask(pool);

/** @param {number} target */
async function stopUntil(target) {
  const lane = async () => {
    while (done < target) {
      done++;
      await stopOne();
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

// What is made once belongs to the start.
await stopUntil(Math.min(50, stops));
done = 0;
await tell();
while (done < stops) {
  await stopUntil(Math.min(stops, done + every));
  await tell();
}
await pool?.destroy();
await tell("destroyed");
process.disconnect();

/** @param {Awaited<ReturnType<typeof lifeguardPool>>} of */
async function stopTask(of) {
  const cell = new Cell();
  const [ctx, cancel] = withCancel(background);
  const result = of.run(ctx, "spinForever", cell.buffer).catch(ignore);
  await until(() => Atomics.load(cell.running, 0) === 1);
  cancel();
  await result;
}

async function stopWorker() {
  const cell = new Cell();
  const worker = new BareWorker();
  worker.start({ type: "burn", cell: cell.buffer });
  await until(() => Atomics.load(cell.running, 0) === 1);
  await worker.end();
}

/** @param {string} [when] */
async function tell(when) {
  // The replacements that are on their way belong to the picture.
  await sleep(300);
  collectGarbage();
  await sleep(100);
  collectGarbage();
  const { rss, heapUsed } = process.memoryUsage();
  /** @type {Snapshot} */
  const snapshot = {
    ...(when !== undefined && { when }),
    stops: done,
    seconds: Number(process.hrtime.bigint() - start) / 1e9,
    rss,
    heap: heapUsed,
    threads: threadsOfProcess(),
    handles: process.getActiveResourcesInfo().length,
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
    warnings,
    kept: pool?.stats().outcomes.interrupted ?? 0,
  };
  process.send?.(snapshot);
}
