// @ts-check
/** The operations of the context tree, with tinybench; peers: what Node has for it, and Go. */
import { background, contextKey, withCancel, withTimeout, withValue } from "lifeguard";
import { goSides } from "./support/go.mjs";
import { inPasses } from "./support/passes.mjs";
import { collectGarbage, isStopping, scaled } from "./support/sampling.mjs";

/**
 * @param {number} times
 * @param {() => void} operation
 */
function repeat(times, operation) {
  return () => {
    for (let i = 0; i < times; i++) operation();
  };
}

/** @param {import("./support/report.mjs").Report} report */
export async function run(report) {
  /**
   * @param {string} what
   * @param {string} go
   * @param {readonly import("./support/passes.mjs").Contestant[]} contestants
   */
  const row = async (what, go, contestants) => {
    if (isStopping()) return;
    report.progress(what);
    // Where every sample is prepared at length, a few have to do.
    const time = contestants.some(({ before }) => before !== undefined) ? 0 : scaled(60);
    const measured = await inPasses(contestants, { time, betweenPasses: collectGarbage });
    const sides = [...measured, ...(await goSides(report, go))];
    const asked = sides
      .filter(({ name }) => name.startsWith("Go "))
      .map(({ name }) => ({ over: name, atMost: 1 }));
    report.row(what, sides, { asked });
  };
  const lifeguard = "lifeguard";

  await row("withCancel + cancel", "withCancel", [
    {
      name: lifeguard,
      batch: 1000,
      work: repeat(1000, () => {
        const [, cancel] = withCancel(background);
        cancel();
      }),
    },
    { name: "AbortController + abort", batch: 1000, work: repeat(1000, () => new AbortController().abort()) },
  ]);

  for (const [live, go] of /** @type {const} */ ([
    [40, "withTimeout40"],
    [400_000, "withTimeout400k"],
  ])) {
    const cancels = Array.from({ length: live }, (_, i) => withTimeout(background, 3_600_000 + i)[1]);
    const timers = Array.from({ length: live }, (_, i) => setTimeout(nothing, 3_600_000 + i));
    await row(`withTimeout + cancel beside ${live.toLocaleString("en")} live timers`, go, [
      {
        name: lifeguard,
        batch: 1000,
        work: repeat(1000, () => {
          const [, cancel] = withTimeout(background, 60_000);
          cancel();
        }),
      },
      {
        name: "setTimeout + clearTimeout",
        batch: 1000,
        work: repeat(1000, () => {
          clearTimeout(setTimeout(nothing, 60_000));
        }),
      },
    ]);
    for (const cancel of cancels) cancel();
    for (const timer of timers) clearTimeout(timer);
  }

  {
    /** @type {() => void} */
    let cancelAll = nothing;
    /** @type {Set<{ aborted: boolean }>} */
    let plain = new Set();
    await row("cancelling a parent of 100,000 children", "children", [
      {
        name: lifeguard,
        batch: 1,
        before: () => {
          const [parent, cancel] = withCancel(background);
          for (let i = 0; i < 100_000; i++) withCancel(parent);
          cancelAll = cancel;
          collectGarbage();
        },
        work: () => {
          cancelAll();
        },
      },
      {
        name: "plain objects in a Set",
        batch: 1,
        before: () => {
          plain = new Set();
          for (let i = 0; i < 100_000; i++) plain.add({ aborted: false });
          collectGarbage();
        },
        work: () => {
          for (const each of plain) each.aborted = true;
          plain.clear();
        },
      },
    ]);
  }

  await row("a chain 1,000 deep: build and cancel", "chain", [
    {
      name: lifeguard,
      batch: 10,
      work: repeat(10, () => {
        const [root, cancel] = withCancel(background);
        let ctx = root;
        for (let i = 0; i < 1000; i++) [ctx] = withCancel(ctx);
        cancel();
      }),
    },
  ]);

  const missing = contextKey("missing");
  for (const layers of /** @type {const} */ ([10, 100])) {
    let ctx = background;
    for (let i = 0; i < layers; i++) ctx = withValue(ctx, contextKey(`layer ${String(i)}`), i);
    let found = 0;
    await row(`a value missed through ${String(layers)} layers`, layers === 10 ? "value10" : "value100", [
      {
        name: lifeguard,
        batch: 1000,
        work: repeat(1000, () => {
          if (ctx.value(missing) !== undefined) found++;
        }),
      },
    ]);
    if (found > 0) throw new Error("a key that was never set was found");
  }
}

function nothing() {}
