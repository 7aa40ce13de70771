// @ts-check
/** Tasks that do nothing, with tinybench: what `run` costs over piscina alone, by how many are under way at a time. */
import { background } from "lifeguard";
import { inPasses } from "./support/passes.mjs";
import { lifeguardPool, piscinaPool } from "./support/pools.mjs";
import { collectGarbage, isStopping, scaled } from "./support/sampling.mjs";

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
    if (isStopping()) break;
    report.progress(what);
    const contestants = [
      { name: "lifeguard", submit: ours },
      { name: "piscina", submit: piscinas },
    ].map(({ name, submit }) => ({
      name,
      batch: n,
      before: collectGarbage,
      work: () => flood(submit, n, window),
    }));
    // A pass is one flood of each: it takes a second, and the machine is another one by the next.
    const sides = await inPasses(contestants, {
      passes: scaled(rounds, 2),
      time: 0,
      iterations: 1,
      isAsync: true,
    });
    report.row(what, sides, { asked, spread: true });
  }
  await pool.destroy();
  await piscina.destroy();
}

/**
 * @param {() => Promise<unknown>} submit
 * @param {number} n
 * @param {number} window how many are under way at a time
 */
async function flood(submit, n, window) {
  if (n === window) {
    await Promise.all(Array.from({ length: n }, submit));
    return;
  }
  let left = n;
  const lane = async () => {
    while (left-- > 0) await submit();
  };
  await Promise.all(Array.from({ length: window }, lane));
}
