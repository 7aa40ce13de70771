// @ts-check
/**
 * A hundred clients at a time that connect, ask and leave at once, for a minute: memory, handles and threads along the way, and what is
 * left when they have gone.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { startClients } from "./support/clients.mjs";
import { collectGarbage, isStopping } from "./support/sampling.mjs";
import { Serving } from "./support/serving.mjs";
import { median } from "./support/stats.mjs";
import { threadsOfProcess } from "./support/threads.mjs";

/** @typedef {import("./support/leavers.mjs").Order} Order */
/** @typedef {import("./support/leavers.mjs").Outcome} Outcome */

/**
 * @typedef {object} Snapshot
 * @property {number} seconds
 * @property {number} requests that the server has seen
 * @property {number} contexts of requests that something holds
 * @property {number} rss bytes
 * @property {number} heap bytes, after a collection, as all that follows
 * @property {number} external bytes
 * @property {number} threads of the process, as the system counts them
 * @property {number} handles that Node knows
 */

const SECONDS = Number(process.env.BENCH_SECONDS ?? 60);

const CLIENTS = 100;

/** How long a task takes that nobody stops, ms. */
const WORK = 10;

/** @param {import("./support/report.mjs").Report} report */
export async function run(report) {
  const serving = await Serving.start(WORK);
  const before = snapshot(serving, 0);
  const atStart = serving.stats.outcomes.completed;
  report.note(line(before, "before"));
  /** @type {Order} */
  const order = { port: serving.port, clients: CLIENTS };
  const clients = /** @type {{ done: Promise<Outcome>, stop(): void }} */ (
    startClients("leavers.mjs", order)
  );
  const begin = performance.now();
  /** @type {Snapshot[]} */
  const taken = [];
  const every = Math.min(2, SECONDS / 30);
  for (let at = every; at <= SECONDS && !isStopping(); at += every) {
    // Where the clients' process ends before its time, that is said now.
    const isOver = clients.done.then(() => true);
    if (await Promise.race([sleep(begin + at * 1000 - performance.now()).then(() => false), isOver])) break;
    taken.push(snapshot(serving, (performance.now() - begin) / 1000));
    const latest = taken.at(-1);
    if (latest !== undefined && taken.length % 3 === 0) report.note(line(latest));
  }
  clients.stop();
  const { left, errors } = await clients.done;
  const remains = await serving.left();
  const after = snapshot(serving, (performance.now() - begin) / 1000);
  report.note(line(after, "after"));
  const { stopped, dropped, completed } = serving.stats.outcomes;
  const answered = completed - atStart;
  report.note(
    `    ${left.toLocaleString("en")} clients; tasks: ${dropped.toLocaleString("en")} dropped, ${stopped.toLocaleString("en")} stopped, ${answered.toLocaleString("en")} completed\n`,
  );
  await serving.close();
  if (errors.length > 0) throw new Error(`clients could not connect: ${errors.join(", ")}`);
  if (isStopping()) return;

  // In the first sixth heaps and allocators take what they need; from then on growth is growth.
  const sixth = Math.floor(taken.length / 6);
  const early = taken.slice(sixth, 2 * sixth);
  const late = taken.slice(-2 * sixth);
  for (const { what, key, atMost } of /** @type {const} */ ([
    { what: "heap in use", key: "heap", atMost: 2e6 },
    { what: "memory outside of the heap", key: "external", atMost: 2e6 },
    { what: "resident memory", key: "rss", atMost: 16e6 },
  ])) {
    const of = (/** @type {readonly Snapshot[]} */ some) => median(some.map((each) => each[key]));
    report.row(
      `${what}: by how much it is more in the last third of the time than in the second sixth`,
      [{ name: "lifeguard", samples: [of(late) - of(early)] }],
      { unit: "bytes", asked: [{ atMost }] },
    );
  }
  const counts = {
    "tasks that wait, run or are stuck": remains.tasks,
    "lanes that are not idle": remains.lanes,
    "tasks that do not add up": remains.unaccounted,
    connections: remains.connections,
    "contexts of requests": remains.contexts,
    listeners: remains.listeners,
    handles: remains.handles,
    threads: after.threads - before.threads,
  };
  for (const [what, count] of Object.entries(counts)) {
    report.row(`left over once the clients have gone: ${what}`, [{ name: "lifeguard", samples: [count] }], {
      unit: "count",
      asked: [{ atMost: 0 }],
    });
  }
}

/**
 * @param {Serving} serving
 * @param {number} seconds
 * @returns {Snapshot}
 */
function snapshot(serving, seconds) {
  collectGarbage();
  const { rss, heapUsed, external } = process.memoryUsage();
  return {
    seconds,
    requests: serving.requests,
    contexts: serving.contexts(),
    rss,
    heap: heapUsed,
    external,
    threads: threadsOfProcess(),
    handles: process.getActiveResourcesInfo().length,
  };
}

/**
 * @param {Snapshot} snapshot
 * @param {string} [when]
 */
function line({ seconds, requests, contexts, rss, heap, external, threads, handles }, when) {
  const mb = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  return `    ${(when ?? `${seconds.toFixed(0)} s`).padStart(6)}  requests ${requests.toLocaleString("en")}  rss ${mb(rss)}  heap ${mb(heap)}  external ${mb(external)}  contexts ${String(contexts)}  threads ${String(threads)}  handles ${String(handles)}`;
}
