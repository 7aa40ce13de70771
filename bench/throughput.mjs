// @ts-check
/** Tasks that do nothing: what `run` costs over piscina alone, by how many are under way at a time. */
import { background } from "lifeguard";
import { lifeguardPool, piscinaPool } from "./support/pools.mjs";
import { collectGarbage, inTurn } from "./support/sampling.mjs";

const THREADS = 2;

/** @param {import("./support/report.mjs").Report} report */
export async function run(report) {
  const pool = await lifeguardPool({ threads: THREADS });
  const piscina = await piscinaPool(THREADS);
  const options = { name: "nothing" };
  const ours = () => pool.run(background, "nothing");
  const piscinas = () => piscina.run(undefined, options);

  for (const { n, window, rounds, asked } of [
    { n: 100_000, window: 100_000, rounds: 4, asked: [{ over: "piscina", atMost: 1 }, { atMost: 6_000 }] },
    { n: 20_000, window: 64, rounds: 8, asked: [{ over: "piscina", atMost: 1 }] },
    { n: 10_000, window: 4, rounds: 8, asked: [{ over: "piscina", atMost: 1 }] },
  ]) {
    const what =
      n === window
        ? `${n.toLocaleString("en")} tasks submitted at once, each`
        : `${n.toLocaleString("en")} tasks, ${String(window)} under way at a time, each`;
    report.progress(what);
    const [a = [], b = []] = await inTurn(
      rounds,
      [() => flood(ours, n, window), () => flood(piscinas, n, window)],
      { warmup: 1 },
    );
    report.row(
      what,
      [
        { name: "lifeguard", samples: a },
        { name: "piscina", samples: b },
      ],
      { asked },
    );
  }
  await pool.destroy();
  await piscina.destroy();
}

/**
 * @param {() => Promise<unknown>} submit
 * @param {number} n
 * @param {number} window how many are under way at a time
 * @returns {Promise<number>} ns a task
 */
async function flood(submit, n, window) {
  collectGarbage();
  const from = process.hrtime.bigint();
  if (n === window) {
    await Promise.all(Array.from({ length: n }, submit));
  } else {
    let left = n;
    const lane = async () => {
      while (left-- > 0) await submit();
    };
    await Promise.all(Array.from({ length: window }, lane));
  }
  return Number(process.hrtime.bigint() - from) / n;
}
