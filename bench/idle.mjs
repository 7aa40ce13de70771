// @ts-check
/** Processor time that a pool with nothing to do uses, all its threads and its spare included. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { inTurn } from "./support/sampling.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));

/** ms */
const IDLE = 2000;

const watch = `
  import { setTimeout as sleep } from "node:timers/promises";
  // Until the spare is up, and the compiler and the collector have done what they had put off.
  await sleep(500);
  const before = process.cpuUsage();
  await sleep(${String(IDLE)});
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(String((user + system) * 1000));
`;

const withPool = `
  import { background, Pool } from "lifeguard";
  const pool = new Pool(new URL("./bench/tasks/lifeguard-tasks.mjs", "file://${root}"), { threads: 2 });
  await pool.run(background, "nothing");
`;

/**
 * @param {string} script
 * @returns {Promise<number>} ns
 */
function measure(script) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (/** @type {string} */ more) => {
      text += more;
    });
    child.on("error", reject);
    child.on("close", () => {
      resolve(Number(text));
    });
  });
}

/** @param {import("./support/report.mjs").Report} report */
export async function run(report) {
  report.progress(`3 pairs of processes that do nothing for ${String(IDLE / 1000)} s`);
  const [ours = [], none = []] = await inTurn(3, [() => measure(withPool + watch), () => measure(watch)]);
  report.row(
    `processor time in ${String(IDLE / 1000)} s with an idle pool`,
    [
      { name: "lifeguard", samples: ours },
      { name: "a process without a pool", samples: none, isReference: true },
    ],
    // A thousandth of one processor: below that is what Node itself does when it wakes up.
    { asked: [{ atMost: IDLE * 1e3 }] },
  );
}
