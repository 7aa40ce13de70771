// @ts-check
/** `npm run soak`: load, quiet point, load, …, and a report. */
import { writeFileSync } from "node:fs";
import { access } from "node:fs/promises";
import { constants } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import * as actors from "./load/actors.mjs";
import * as blocks from "./load/blocks.mjs";
import * as contexts from "./load/contexts.mjs";
import * as groups from "./load/groups.mjs";
import * as http from "./load/http.mjs";
import * as maps from "./load/maps.mjs";
import * as order from "./load/order.mjs";
import * as pools from "./load/pools.mjs";
import * as room from "./load/room.mjs";
import * as short from "./load/short.mjs";
import * as tasks from "./load/tasks.mjs";
import { help, readOptions, UsageError } from "./options.mjs";
import { Phase } from "./phase.mjs";
import { SoakPool } from "./pool.mjs";
import { quietPoint } from "./quiet.mjs";
import { brokenText, markdown, reportOf } from "./report.mjs";
import { Sabotage } from "./sabotage.mjs";
import { say, showing } from "./show.mjs";
import { Soak } from "./soak.mjs";

/** @typedef {import("./options.mjs").Options} Options */

/** @typedef {{ readonly lanes: number, run(soak: Soak, phase: Phase, random: import("./random.mjs").Random): Promise<void> }} Load */

/** @type {Record<string, Load>} */
const loads = { tasks, short, maps, groups, contexts, order, room, pools, actors, http, blocks };

/** @param {Options} options @param {Sabotage} sabotage */
async function main(options, sabotage) {
  /** @type {import("./watch.mjs").Sample[]} */
  const samples = [];
  const delay = monitorEventLoopDelay({ resolution: 10 });
  let isInterrupted = false;
  /** @type {Phase | undefined} */
  let phase;

  const report = () => reportOf(soak, { options, samples, delay, isInterrupted });
  const finish = (/** @type {number} */ code) => {
    hide();
    const made = report();
    say(markdown(made));
    if (made.broken.length > 0) say(brokenText(made));
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(made, undefined, 2)}\n`);
    if (options.markdown !== undefined) writeFileSync(options.markdown, markdown(made));
    // What broke may never settle.
    process.exit(code);
  };
  const soak = new Soak(options.seed, options.patience * 1000, sabotage, () => finish(1));
  const line = () => {
    const { tasks: count, requests, actors: lives, hardStops, crashes } = soak.counts;
    const minutes = (performance.now() - soak.startedAt) / 60_000;
    return `${minutes.toFixed(1)} of ${String(options.minutes)} min, seed ${options.seed}: ${count.toLocaleString("en")} tasks, ${requests.toLocaleString("en")} requests, ${String(lives)} actors, ${String(hardStops)} hard stops, ${String(crashes)} crashes, heap ${((samples.at(-1)?.heap ?? 0) / 1e6).toFixed(1)} MB, ${String(samples.length)} quiet points`;
  };
  const hide = showing(line);
  process.on("SIGINT", () => {
    isInterrupted = true;
    finish(128 + constants.signals.SIGINT);
  });
  // From here on Ctrl-C ends it with a report.
  say(`soak of ${String(options.minutes)} minutes, seed ${options.seed}`);
  process.on("uncaughtException", (error) => {
    soak.fail("nothing is uncaught", error instanceof Error ? String(error.stack) : String(error));
  });
  process.on("warning", (warning) => {
    soak.tell(`warning: ${String(warning)}`);
    if (warning.name === "MaxListenersExceededWarning") soak.fail("listeners", String(warning.stack));
  });
  delay.enable();
  // libuv starts its threads with the first who needs one.
  await access(import.meta.filename);
  // They see all of it, and every quiet point.
  const lasting = [
    { threads: 2, spares: 1, grace: 100, onOverrun: /** @type {const} */ ("terminate") },
    {
      threads: 2,
      spares: 1,
      grace: 20,
      onOverrun: /** @type {const} */ ("interrupt"),
      watchdog: true,
      order: /** @type {const} */ ("deadline"),
    },
  ];
  for (const each of lasting) soak.pools.push(new SoakPool(soak, each));
  soak.ledger.keepPools();
  for (const { pool } of soak.pools) await pool.ready();

  const looks = setInterval(() => {
    for (const pool of soak.watched) pool.look();
    soak.lookForHangs();
  }, 100);
  const streams = options.only.flatMap((kind) => {
    const load = loads[kind];
    if (load === undefined) throw new Error(`no such load: ${kind}`);
    return Array.from({ length: load.lanes }, (_, lane) => ({ load, random: soak.random.of(kind).of(lane) }));
  });
  const end = soak.startedAt + options.minutes * 60_000;
  do {
    sabotage.phase(soak.lasting.signal);
    const ms = Math.min(options.quietEvery * 1000, Math.max(500, end - performance.now()));
    phase = new Phase(ms, () => soak.ledger.isFull);
    const now = phase;
    await Promise.all(streams.map(({ load, random }) => load.run(soak, now, random)));
    soak.tell("quiet");
    samples.push(await quietPoint(soak, samples));
    soak.tell("quiet is over");
  } while (performance.now() < end);
  clearInterval(looks);
  for (const pool of soak.pools) await pool.end("close");
  soak.end();
  finish(0);
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === "help") say(help);
  else await main(options, new Sabotage(process.env.LIFEGUARD_SOAK_BREAK));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\nTry --help.\n`);
  process.exitCode = 2;
}
