// @ts-check
/** What a task can be at when it overruns, and what becomes of it: the table in docs/interrupt.md. */
import { setTimeout as sleep } from "node:timers/promises";
import { background, Pool, withCancel } from "lifeguard";
import { Cell } from "./support/cell.mjs";
import { ignore, isStopping, until } from "./support/sampling.mjs";

/** @typedef {typeof import("./tasks/cases.mjs")} Cases */

/** @type {readonly (readonly [keyof Cases, string])[]} */
const cases = [
  ["loop", "a loop"],
  ["recursion", "recursion"],
  ["generator", "a generator"],
  ["regex", "one regular expression"],
  ["webAssembly", "a loop in WebAssembly"],
  ["sortWithComparator", "Array.prototype.sort with a comparator"],
  ["bigInt", "multiplying BigInts of 3,000,000 bits"],
  ["jsonParseMany", "small JSON.parse, many"],
  ["atomicsWait", "Atomics.wait"],
  ["vmWithTimeout", "vm with a timeout of its own"],
  ["asyncFunction", "the synchronous part of an async function"],
  ["inStorage", "AsyncLocalStorage.run"],
  ["inScope", "AsyncResource.runInAsyncScope"],
  ["afterAwait", "a loop after an await"],
  ["neverSettles", "a promise that never settles"],
  ["jsonParse", "one JSON.parse of 48 MB"],
  ["sortWithout", "Float64Array.prototype.sort, 10,000,000"],
  ["pbkdf2", "crypto.pbkdf2Sync"],
  ["gzip", "zlib.gzipSync of 20 MB"],
  ["program", "execFileSync"],
];

const ROUNDS = 5;

/** @param {import("./support/report.mjs").Report} report */
export async function run(report) {
  /** @type {Pool<Cases>} */
  const pool = new Pool(new URL("./tasks/cases.mjs", import.meta.url), {
    threads: 1,
    spares: 1,
    grace: 0,
    onOverrun: "interrupt",
  });
  await pool.ready();
  for (const [name, what] of cases) {
    /** @type {number[]} */
    const took = [];
    /** @type {Map<string | undefined, number>} */
    const outcomes = new Map();
    for (let i = 0; i < ROUNDS && !isStopping(); i++) {
      report.progress(what);
      const cell = new Cell();
      const [ctx, cancel] = withCancel(background);
      const task = pool.submit(ctx, name, [cell.buffer]);
      await until(() => Atomics.load(cell.running, 0) === 1);
      // Well into it.
      await sleep(20);
      const from = process.hrtime.bigint();
      cancel();
      await task.result.catch(ignore);
      took.push(Number(process.hrtime.bigint() - from));
      outcomes.set(task.outcome, (outcomes.get(task.outcome) ?? 0) + 1);
    }
    const ended = [...outcomes].map(([outcome, count]) => `${String(count)} × ${String(outcome)}`).join(", ");
    report.row(`${what}: ${ended}`, [{ name: "cancel() to settled", samples: took }], { spread: true });
  }
  await pool.destroy();
}
