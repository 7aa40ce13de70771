// @ts-check
/** From starting a process to the first result of a fresh pool in it, and to its end. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { inTurn } from "./support/sampling.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));

const PAIRS = 25;

/** The clock counts from when the machine was started: it is the same in every process. */
const tellTime = "process.stdout.write(String(process.hrtime.bigint()));";

const scripts = {
  lifeguard: `import { background, Pool } from "lifeguard";
    const pool = new Pool(new URL("./bench/tasks/lifeguard-tasks.mjs", "file://${root}"), { threads: 2 });
    await pool.run(background, "nothing");
    ${tellTime}`,
  piscina: `import { Piscina } from "piscina";
    const filename = new URL("./bench/tasks/piscina-tasks.mjs", "file://${root}").href;
    const piscina = new Piscina({ filename, minThreads: 2, maxThreads: 2 });
    await piscina.run(undefined, { name: "nothing" });
    ${tellTime}`,
};

/**
 * @param {string} script
 * @returns {Promise<{ first: number, end: number }>} ns
 */
function measure(script) {
  return new Promise((resolve, reject) => {
    const from = process.hrtime.bigint();
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (/** @type {string} */ more) => {
      text += more;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code !== 0) reject(new Error(`the process ended with ${String(code)}`));
      else resolve({ first: Number(BigInt(text) - from), end: Number(process.hrtime.bigint() - from) });
    });
  });
}

/** @param {import("./support/report.mjs").Report} report */
export async function run(report) {
  /** @type {{ lifeguard: number[], piscina: number[] }} */
  const ends = { lifeguard: [], piscina: [] };
  let round = 0;
  /** @param {"lifeguard" | "piscina"} name */
  const side = (name) => async () => {
    const { first, end } = await measure(scripts[name]);
    // As inTurn does: what the disk's cache was filled with does not count.
    if (round++ >= 4) ends[name].push(end);
    return first;
  };
  report.progress(`${String(PAIRS)} pairs of processes`);
  const [ours = [], theirs = []] = await inTurn(PAIRS, [side("lifeguard"), side("piscina")], { warmup: 2 });
  const asked = [{ over: "piscina", atMost: 1.1 }];
  report.row(
    "import and first result, from the start of the process",
    [
      { name: "lifeguard", samples: ours },
      { name: "piscina", samples: theirs },
    ],
    { asked },
  );
  report.row("the same, to the end of the process", [
    { name: "lifeguard", samples: ends.lifeguard },
    { name: "piscina", samples: ends.piscina },
  ]);
}
