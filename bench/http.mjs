// @ts-check
/**
 * Half of the clients leave before they have an answer: how soon do the others get theirs, with the work for those who left cancelled, and
 * with all of it done, as a server does that does not notice.
 *
 * Eight clients stay. Each asks, waits for the answer, however long it takes, and asks again. As many leave, and come back at a fixed rate:
 * as often as one who stays is answered when nothing is cancelled. So with cancellation off the server has to do what it would if all
 * sixteen stayed, half of it for nobody; with it on, the same visits cost little, and the most that there is to gain is twice the speed. When
 * they come and how long they stay is made up once for each pair of rounds, of which one has cancellation on and one off: both sides meet the same visits, to
 * the millisecond, whatever the server makes of them.
 *
 * One who leaves does so at some random moment before the answer could be there, when nobody who left is worked for: most while
 * their task still waits, a few while it runs.
 *
 * The queue cannot grow without end, on neither side. Those who stay never have more than eight requests under way, and those who leave
 * ask for half of what the thread can do: their requests are done with faster than they come, and those who stay share the rest. (Had they come
 * back at once, as a closed loop has it, then the sooner they lost patience the more there would have been to do, and with cancellation off
 * more than can be done: the ratio would say how long it was measured.) Each round begins with an empty queue, and what is asked
 * for before it has filled does not count.
 */
import { timesInTurn } from "./support/cancelling.mjs";
import { startClients } from "./support/clients.mjs";
import { isStopping, scaled } from "./support/sampling.mjs";
import { Serving } from "./support/serving.mjs";
import { percentile } from "./support/stats.mjs";

/** @typedef {import("./support/load.mjs").Order} Order */
/** @typedef {import("./support/load.mjs").Outcome} Outcome */
/** @typedef {import("./support/load.mjs").Visit} Visit */
/** @typedef {"on" | "off"} Cancellation */

/**
 * @typedef {object} Round
 * @property {number[]} times of those who stayed, ns
 * @property {number} dropped tasks that never ran
 * @property {number} stopped tasks that had begun
 * @property {number} inVain tasks that ran to their end, for nobody
 * @property {number} answered visits that were over before the client wanted to leave
 */

/** Clients of each kind. */
const CLIENTS = 8;

/** What a request costs the thread, ms. */
const WORK = 10;

/** How long an answer takes when there is nobody but those who stay, ms. */
const ANSWER = CLIENTS * WORK;

/** Three times what an answer takes with cancellation off, ms. */
const SETTLING = 6 * ANSWER;

/** ms */
const ROUND = SETTLING + 2000;

const PAIRS = 10;

/** @param {import("./support/report.mjs").Report} report */
export async function run(report) {
  const serving = await Serving.start(WORK);
  try {
    await measured(report, serving);
  } finally {
    await serving.close();
  }
}

/**
 * @param {import("./support/report.mjs").Report} report
 * @param {Serving} serving
 */
async function measured(report, serving) {
  // What is made once belongs to the start; and what is called under load only is to be compiled.
  for (const cancellation of /** @type {const} */ (["on", "off"])) {
    if (!isStopping()) await round(serving, cancellation, visits());
  }

  report.progress(`${String(scaled(PAIRS, 2))} pairs of rounds, of ${String(ROUND / 1000)} s each`);
  /** @type {(readonly Visit[])[]} */
  const plans = [];
  /** @param {number} pair */
  const planOf = async (pair) => {
    let plan = plans[pair];
    if (plan === undefined) {
      plan = visits();
      plans[pair] = plan;
      // What a core does in a millisecond is not the same from one minute to the next; within a pair it is settled once.
      await serving.calibrate(WORK);
    }
    return plan;
  };
  /** @param {Cancellation} cancellation */
  const side = (cancellation) => {
    let pair = 0;
    return async () => await round(serving, cancellation, await planOf(pair++));
  };
  const [on = [], off = []] = await timesInTurn(PAIRS, [side("on"), side("off")], 1);

  /** @param {(rounds: readonly Round[]) => number[]} samplesOf */
  const sides = (samplesOf) => [
    { name: "cancellation on", samples: samplesOf(on) },
    { name: OFF, samples: samplesOf(off) },
  ];
  report.row(
    "half of the clients leave: the answer to one who stays",
    sides((rounds) => rounds.flatMap(({ times }) => times)),
  );
  if (on.length > 0) report.note(whatBecame(on, off));
  report.row(
    "the same at p95, a sample being a round",
    sides((rounds) => rounds.map(({ times }) => percentile(times, 0.95))),
    { asked: [{ over: OFF, atLeast: 1.8 }] },
  );
}

const OFF = "cancellation off";

/**
 * @param {Serving} serving
 * @param {Cancellation} cancellation
 * @param {readonly Visit[]} visits
 * @returns {Promise<Round>}
 */
async function round(serving, cancellation, visits) {
  const { outcomes: before } = serving.stats;
  /** @type {Order} */
  const order = {
    port: serving.port,
    path: `/${cancellation}`,
    staying: CLIENTS,
    visits,
    ms: ROUND,
    settling: SETTLING,
  };
  const { times, answered, errors } = await /** @type {Promise<Outcome>} */ (
    startClients("load.mjs", order).done
  );
  if (errors.length > 0) throw new Error(`${String(errors.length)} requests failed: ${errors[0] ?? ""}`);
  const left = Object.entries(await serving.left()).filter(([, count]) => count > 0);
  if (left.length > 0)
    throw new Error(`left behind: ${left.map(([what, count]) => `${String(count)} ${what}`).join(", ")}`);
  const { outcomes } = serving.stats;
  const ended = (/** @type {keyof typeof outcomes} */ outcome) => outcomes[outcome] - before[outcome];
  for (const outcome of /** @type {const} */ (["failed", "interrupted", "terminated", "crashed"])) {
    if (ended(outcome) > 0) throw new Error(`${String(ended(outcome))} tasks have ${outcome}`);
  }
  return {
    times: times.map((ms) => ms * 1e6),
    dropped: ended("dropped"),
    stopped: ended("stopped"),
    inVain: serving.takeInVain(),
    answered,
  };
}

/** @returns {Visit[]} those of a round */
function visits() {
  const period = 2 * ANSWER;
  const all = [];
  for (let client = 0; client < CLIENTS; client++) {
    for (let from = (period * client) / CLIENTS; from < ROUND; from += period) {
      // At once would be before the server has seen the request.
      all.push({ at: from + ANSWER * Math.random(), stay: ANSWER * (0.1 + 0.9 * Math.random()) });
    }
  }
  return all;
}

/**
 * Of those who did not stay, and of those who stayed and were under way when a round was over.
 *
 * @param {readonly Round[]} on
 * @param {readonly Round[]} off
 */
function whatBecame(on, off) {
  const line = (/** @type {readonly Round[]} */ rounds) => {
    const sum = (/** @type {Exclude<keyof Round, "times">} */ what) =>
      rounds.reduce((all, each) => all + each[what], 0).toLocaleString("en");
    return `${sum("dropped")} dropped, ${sum("stopped")} stopped, ${sum("inVain")} worked for to the end; ${sum("answered")} had an answer before they wanted to leave`;
  };
  return [
    `    requests of those who left, on:  ${line(on)}`,
    `    requests of those who left, off: ${line(off)}`,
    "",
  ].join("\n");
}
