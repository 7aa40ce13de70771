// @ts-check
/** A computation in two halves on two threads, against the whole on one: whether the pool costs anything of the second core. */
import { background } from "lifeguard";
import { BareWorker } from "./support/bare.mjs";
import { lifeguardPool } from "./support/pools.mjs";
import { inTurn } from "./support/sampling.mjs";

/** Halves of the same work: numbers of the same size, the even half of the work tested twice. */
const FROM = 10_000_000;
const COUNT = 50_000;

/** @param {import("./support/report.mjs").Report} report */
export async function run(report) {
  const pool = await lifeguardPool({ threads: 2 });
  const bare = [new BareWorker(), new BareWorker()];
  await Promise.all(bare.map((worker) => worker.ready()));

  /** @param {(from: number, to: number, which: number) => Promise<unknown>} primes */
  const speedUp = (primes) => async () => {
    const middle = FROM + COUNT / 2;
    const start = process.hrtime.bigint();
    await primes(FROM, FROM + COUNT, 0);
    const between = process.hrtime.bigint();
    await Promise.all([primes(FROM, middle, 0), primes(middle, FROM + COUNT, 1)]);
    const end = process.hrtime.bigint();
    return Number(between - start) / Number(end - between);
  };
  report.progress("15 pairs");
  const [ours = [], theirs = []] = await inTurn(
    15,
    [
      speedUp((from, to) => pool.run(background, "primes", from, to)),
      speedUp((from, to, which) => bare[which]?.run({ type: "primes", from, to }) ?? Promise.resolve()),
    ],
    { warmup: 2 },
  );
  report.row(
    "two halves on two threads, how much faster than the whole on one",
    [
      { name: "lifeguard", samples: ours },
      { name: "two bare workers", samples: theirs, isReference: true },
    ],
    { unit: "times", asked: [{ atLeast: 1.9 }] },
  );
  await pool.destroy();
  await Promise.all(bare.map((worker) => worker.end()));
}
