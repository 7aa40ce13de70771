// @ts-check
/** What a context adds to a comlink call, and how fast a loop on the other side sees its end. */
import { MessageChannel, Worker } from "node:worker_threads";
import * as Comlink from "comlink";
// Another copy, with a table of its own that nobody registers anything in.
import * as Untouched from "comlink/dist/esm/comlink.mjs";
import { background, withCancel, withTimeout } from "lifeguard";
import { register, wrap } from "lifeguard/comlink";
import { cancelTask, listsOf, noMoment, timesInTurn } from "./support/cancelling.mjs";
import { Cell } from "./support/cell.mjs";
import { lifeguardPool } from "./support/pools.mjs";
import { ignore, inTurn, isStopping, scaled, warmMoment } from "./support/sampling.mjs";

const peer = "comlink, no context";

/** @typedef {import("comlink").Remote<typeof import("./tasks/comlink-worker.mjs").calculator>} Calculator */

/** @param {import("./support/report.mjs").Report} report */
export async function run(report) {
  const worker = new Worker(new URL("./tasks/comlink-worker.mjs", import.meta.url));
  const { stock, registered, ours } = connect(worker);
  const [live, end] = withCancel(background);

  const plain = () => stock.add(1, 2);
  // As the calls that have a context each: within an async function.
  const plainWithin = async () => {
    try {
      return await stock.add(1, 2);
    } finally {
      ignore();
    }
  };
  /** @type {readonly { name: string, call: () => PromiseLike<number>, beside?: () => PromiseLike<number>, isAsked?: boolean }[]} */
  const contestants = [
    { name: "wrap, the same context each time", call: () => ours.addUnder(live, 1, 2), isAsked: true },
    {
      name: "wrap, withCancel and cancel for each",
      call: () => underOwn(ours, live),
      beside: plainWithin,
      isAsked: true,
    },
    {
      name: "wrap, withTimeout and cancel for each",
      call: () => underTimeout(ours, live),
      beside: plainWithin,
    },
    { name: "wrap, no context", call: () => ours.add(1, 2) },
    {
      name: "registered, the same context each time",
      call: () => registered.addUnder(live, 1, 2),
      isAsked: true,
    },
    {
      name: "registered, withCancel and cancel for each",
      call: () => underOwn(registered, live),
      beside: plainWithin,
      isAsked: true,
    },
  ];
  for (const { name, call, beside = plain, isAsked } of contestants) {
    const asked = isAsked === true ? [{ over: peer, atMost: 1.3 }] : [];
    report.progress(`${name}: 5,000 calls, one at a time`);
    const [with1 = [], without1 = []] = await inTurn(100, [() => timedCall(call), () => timedCall(beside)], {
      warmup: 40,
      burst: 50,
    });
    report.row(
      `one call at a time: ${name}`,
      [
        { name, samples: with1 },
        { name: peer, samples: without1 },
      ],
      { asked },
    );
    report.progress(`${name}: 20,000 calls, 100 under way`);
    const [with100 = [], without100 = []] = await inTurn(
      50,
      [() => timedBatch(call), () => timedBatch(beside)],
      {
        warmup: 20,
        burst: 4,
      },
    );
    report.row(
      `100 under way, each: ${name}`,
      [
        { name, samples: with100 },
        { name: peer, samples: without100 },
      ],
      { asked },
    );
  }

  await cancellations(report, ours);
  end();
  await worker.terminate();
}

/**
 * Three ways to one thread: comlink's own, the same with the handler, ours. To one, since which core a thread wakes on can double what
 * a call takes.
 *
 * @param {Worker} worker
 */
function connect(worker) {
  const [stock, registered, ours] = [new MessageChannel(), new MessageChannel(), new MessageChannel()];
  const ports = { stock: stock.port1, registered: registered.port1, ours: ours.port1 };
  worker.postMessage(ports, Object.values(ports));
  register(Comlink);
  return {
    stock: /** @type {Calculator} */ (Untouched.wrap(/** @type {any} */ (stock.port2))),
    registered: /** @type {Calculator} */ (Comlink.wrap(/** @type {any} */ (registered.port2))),
    ours: /** @type {Calculator} */ (wrap(ours.port2)),
  };
}

/** The compiler needs thousands of cancellations before it has made of both sides what it will. */
const WARM_UP = scaled(2000);

/**
 * Of a loop, and of a method that awaits, beside the same in a pool.
 *
 * @param {import("./support/report.mjs").Report} report
 * @param {Calculator} remote
 */
async function cancellations(report, remote) {
  const pool = await lifeguardPool({ threads: 1 });
  // What `cancelTask` needs of a pool.
  const asPool = /** @type {typeof pool} */ (
    /** @type {unknown} */ ({
      run: (
        /** @type {never} */ ctx,
        /** @type {"spin" | "waitForDone"} */ name,
        /** @type {never} */ buffer,
      ) => remote[name](ctx, buffer),
    })
  );
  const cell = new Cell();
  for (const { what, task } of /** @type {const} */ ([
    { what: "a loop that polls", task: "spin" },
    { what: "a method that awaits done()", task: "waitForDone" },
  ])) {
    report.progress(`cancelling ${what}: 600 pairs`);
    for (let i = 0; i < WARM_UP && !isStopping(); i++) {
      await cancelTask(asPool, cell, noMoment, task);
      await cancelTask(pool, cell, noMoment, task);
    }
    const [over = [], pooled = []] = await timesInTurn(
      30,
      [() => cancelTask(asPool, cell, warmMoment, task), () => cancelTask(pool, cell, warmMoment, task)],
      20,
    );
    const [comlinks, pools] = [listsOf(over), listsOf(pooled)];
    report.row(
      `cancel() to ${what} seeing it`,
      [
        { name: "over comlink", samples: comlinks.seen },
        { name: "in a pool", samples: pools.seen },
      ],
      { asked: [{ over: "in a pool", atMost: 1 }] },
    );
    report.row(`cancel() of ${what} to the promise settled`, [
      { name: "over comlink", samples: comlinks.settled },
      { name: "in a pool", samples: pools.settled },
    ]);
  }
  await pool.destroy();
}

/**
 * @param {Calculator} remote
 * @param {import("lifeguard").Context} parent
 */
async function underOwn(remote, parent) {
  const [ctx, cancel] = withCancel(parent);
  try {
    return await remote.addUnder(ctx, 1, 2);
  } finally {
    cancel();
  }
}

/**
 * @param {Calculator} remote
 * @param {import("lifeguard").Context} parent
 */
async function underTimeout(remote, parent) {
  const [ctx, cancel] = withTimeout(parent, 60_000);
  try {
    return await remote.addUnder(ctx, 1, 2);
  } finally {
    cancel();
  }
}

/** @param {() => PromiseLike<number>} call */
async function timedCall(call) {
  const from = process.hrtime.bigint();
  await call();
  return Number(process.hrtime.bigint() - from);
}

const AT_ONCE = 100;

/** @param {() => PromiseLike<number>} call */
async function timedBatch(call) {
  const from = process.hrtime.bigint();
  await Promise.all(Array.from({ length: AT_ONCE }, call));
  return Number(process.hrtime.bigint() - from) / AT_ONCE;
}
