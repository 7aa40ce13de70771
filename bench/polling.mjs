// @ts-check
/** What a poll costs in a tight integer loop in a worker, over the same loop without, a deadline armed. */
import { background, Pool, withTimeout } from "lifeguard";
import { goSides } from "./support/go.mjs";
import { isStopping, scaled } from "./support/sampling.mjs";

/** @typedef {typeof import("./tasks/polling-tasks.mjs")} Tasks */

const ROUNDS = scaled(60, 3);

/** Pools per kind: how V8 compiles a loop differs a little from thread to thread. */
const THREADS = 3;

/** @param {import("./support/report.mjs").Report} report */
export async function run(report) {
  /** @param {"err" | "throwIfDone" | "derived" | "mixed" | "plain" | "atomic"} kind */
  const measure = async (kind) => {
    report.progress(kind);
    /** @type {number[]} */
    const all = [];
    for (let i = 0; i < THREADS && !isStopping(); i++) {
      /** @type {Pool<Tasks>} */
      const pool = new Pool(new URL("./tasks/polling-tasks.mjs", import.meta.url), { threads: 1, spares: 0 });
      const [ctx, cancel] = withTimeout(background, 3_600_000);
      const { samples } = await pool.run(ctx, kind, Math.ceil(ROUNDS / THREADS));
      all.push(...samples);
      cancel();
      await pool.destroy();
    }
    return all;
  };
  const plain = { name: "a plain read of a shared word", samples: await measure("plain"), isReference: true };
  const atomic = { name: "Atomics.load of one", samples: await measure("atomic"), isReference: true };
  const go = await goSides(report, "poll");
  const peers = [plain, atomic, ...go];
  const asked = [{ atMost: 2 }, ...go.map(({ name }) => ({ over: name, atMost: 1 }))];
  report.row(
    "ctx.err(), a deadline armed",
    [{ name: "lifeguard", samples: await measure("err") }, ...peers],
    { asked },
  );
  report.row(
    "ctx.err() of a context derived three deep, a deadline at each",
    [{ name: "lifeguard", samples: await measure("derived") }, plain],
    {
      asked: [{ atMost: 2 }],
    },
  );
  report.row("ctx.err() in one loop for the task's context and a derived one", [
    { name: "lifeguard", samples: await measure("mixed") },
    plain,
  ]);
  report.row("ctx.throwIfDone()", [{ name: "lifeguard", samples: await measure("throwIfDone") }, plain]);
}
