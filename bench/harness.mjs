// @ts-check
/**
 * What the measuring itself costs, and how far two measurements of the same thing differ: what a figure, and a ratio,
 * of the other suites can mean on this machine today.
 */
import { background, withCancel } from "lifeguard";
import { BareWorker } from "./support/bare.mjs";
import { cancelTask, listsOf, noMoment, raiseFlag, timesInTurn } from "./support/cancelling.mjs";
import { Cell } from "./support/cell.mjs";
import { inPasses } from "./support/passes.mjs";
import { lifeguardPool } from "./support/pools.mjs";
import {
  collectGarbage,
  ignore,
  inTurn,
  isStopping,
  randomMoment,
  scaled,
  timed,
  warmMoment,
} from "./support/sampling.mjs";

/** What two runs of the suites may differ by in a ratio; so may a thing from itself. */
const AGREE = 0.1;

const first = "first";
const again = "the same again";
const asked = [{ over: again, within: AGREE }];

/** @param {import("./support/report.mjs").Report} report */
export async function run(report) {
  await stamps(report);
  await emptySamples(report);
  await nothingCancelled(report);
  await floors(report);
}

/** @param {import("./support/report.mjs").Report} report */
async function stamps(report) {
  report.progress("stamps");
  let last = 0n;
  const [stamp = { samples: [] }] = await inPasses([
    {
      name: "process.hrtime.bigint()",
      batch: 1000,
      work: () => {
        for (let i = 0; i < 1000; i++) last = process.hrtime.bigint();
      },
    },
  ]);
  const [between = []] = await inTurn(500, [() => timed(ignore)], { warmup: 100, burst: 20 });
  report.row("a stamp", [
    { name: "process.hrtime.bigint(), each of 1,000", samples: stamp.samples },
    { name: "from one to the next, nothing between", samples: between, isReference: true },
    {
      name: "the same straight from a timer",
      samples: (await inTurn(300, [() => randomMoment().then(() => timed(ignore))]))[0] ?? [],
      isReference: true,
    },
  ]);
  if (last === 0n) throw new Error("the clock stands still");
}

/** @param {import("./support/report.mjs").Report} report */
async function emptySamples(report) {
  report.progress("empty samples");
  const empty = [
    { name: "tinybench: what it reports of a function that does nothing", batch: 1, work: ignore },
  ];
  const [byTinybench = { name: "", samples: [] }] = await inPasses(empty, {
    passes: 1,
    time: scaled(60),
    betweenPasses: collectGarbage,
  });
  const [byHarness = []] = await inTurn(50, [
    async () => {
      const from = process.hrtime.bigint();
      await inTurn(1000, [async () => 0]);
      return Number(process.hrtime.bigint() - from) / scaled(1000, 2);
    },
  ]);
  report.row("a sample of nothing", [
    byTinybench,
    { name: "the latency harness: around each sample, not in it", samples: byHarness, isReference: true },
  ]);
}

/**
 * A context without a task: of what seen and settled report, this much is `cancel()` and two stamps.
 *
 * @param {import("./support/report.mjs").Report} report
 */
async function nothingCancelled(report) {
  if (isStopping()) return;
  report.progress("cancelling nothing: 300 of each");
  const cancelNothing = () => {
    const [, cancel] = withCancel(background);
    return timed(cancel);
  };
  for (let i = 0; i < scaled(20_000); i++) cancelNothing();
  const [cold = [], warm = []] = await inTurn(
    15,
    [() => randomMoment().then(cancelNothing), () => warmMoment().then(cancelNothing)],
    { burst: 20 },
  );
  report.row("cancel() of a context without a task, two stamps included", [
    { name: "straight from a timer", samples: cold },
    { name: "the main thread awake", samples: warm, isReference: true },
  ]);
}

/**
 * Each side against itself, in turn, as the suites take them.
 *
 * @param {import("./support/report.mjs").Report} report
 */
async function floors(report) {
  const pool = await lifeguardPool({ threads: 1 });
  const worker = new BareWorker();
  await worker.ready();
  const cell = new Cell();
  report.progress("each against itself: warming up");
  // Fewer than seen and settled take: enough that both halves of a pair find the same code.
  for (let i = 0; i < scaled(1500) && !isStopping(); i++) {
    await cancelTask(pool, cell, noMoment);
    await raiseFlag(worker, cell, noMoment);
  }
  const flag = () => raiseFlag(worker, cell, warmMoment);
  const task = () => cancelTask(pool, cell, warmMoment);
  report.progress("each against itself: 600 of each");
  const taken = await timesInTurn(30, [flag, flag, task, task], 20);
  const [a, b, c, d] = taken.map(listsOf);
  if (a === undefined || b === undefined || c === undefined || d === undefined) return;
  for (const [key, text] of /** @type {const} */ ([
    ["seen", "cancel() to the loop seeing it"],
    ["settled", "cancel() to the promise settled"],
  ])) {
    for (const [who, one, two] of /** @type {const} */ ([
      ["bare flag", a, b],
      ["lifeguard", c, d],
    ])) {
      report.row(
        `noise: ${who} against itself, ${text}`,
        [
          { name: first, samples: one[key] },
          { name: again, samples: two[key] },
        ],
        { asked },
      );
    }
  }

  const trip = async () => {
    const from = process.hrtime.bigint();
    await pool.run(background, "nothing");
    return Number(process.hrtime.bigint() - from);
  };
  const [e = [], f = []] = await inTurn(100, [trip, trip], { warmup: 40, burst: 50 });
  report.row(
    "noise: lifeguard against itself, one task at a time, there and back",
    [
      { name: first, samples: e },
      { name: again, samples: f },
    ],
    { asked },
  );

  // Two functions, as two contestants are, each with feedback of its own.
  const contestants = [first, again].map((name) => ({
    name,
    batch: 1000,
    work: () => {
      for (let i = 0; i < 1000; i++) {
        const [, cancel] = withCancel(background);
        cancel();
      }
    },
  }));
  report.row(
    "noise: lifeguard against itself, withCancel + cancel",
    await inPasses(contestants, { time: scaled(60), betweenPasses: collectGarbage }),
    { asked },
  );
  await worker.end();
  await pool.destroy();
}
