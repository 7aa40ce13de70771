// @ts-check
/** The model of the lane protocol with more in it than `npm test` tries: it may take minutes, and gigabytes. */
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";

const HELP = `npm run check:lane -- [options]

Tries the lane protocol in every order in which its steps can come, and prints how much that was, and the shortest way to
each fault that the wrong protocols have.

  --places N   places of an envelope, 1 to 4 (as each lane has it)
  --jobs N     tasks in all, 1 to 6 (as each lane has it)
  --only TEXT  only the lanes and wrong protocols whose name holds this
  --states N   give up beyond so many states (20000000)
  --help       this`;

/**
 * @param {string} name
 * @param {string | undefined} given
 * @param {number} most
 */
function count(name, given, most) {
  if (given === undefined) return undefined;
  const value = Number(given);
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new Error(`--${name}: expected an integer from 1 to ${most}, got ${given}`);
  return String(value);
}

/** @param {string[]} args */
function environment(args) {
  const { values } = parseArgs({
    args,
    options: {
      places: { type: "string" },
      jobs: { type: "string" },
      only: { type: "string" },
      states: { type: "string", default: "20000000" },
      help: { type: "boolean", default: false },
    },
  });
  return {
    isHelp: values.help,
    only: values.only,
    env: {
      LANE_PLACES: count("places", values.places, 4),
      LANE_JOBS: count("jobs", values.jobs, 6),
      LANE_STATES: count("states", values.states, 1e9),
      LANE_TELL: "1",
    },
  };
}

function main() {
  let wanted;
  try {
    wanted = environment(process.argv.slice(2));
  } catch (error) {
    console.error(`check-lane: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 2;
    return;
  }
  if (wanted.isHelp) {
    console.log(HELP);
    return;
  }
  const only = wanted.only?.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const child = spawn(
    process.execPath,
    [
      "--max-old-space-size=8192",
      "node_modules/vitest/vitest.mjs",
      "run",
      "--disableConsoleIntercept=true",
      "test/workers/lane-model.test.ts",
      ...(only === undefined ? [] : ["-t", only]),
    ],
    {
      stdio: "inherit",
      // vitest's forks take their options from here.
      env: { ...process.env, ...wanted.env, NODE_OPTIONS: "--max-old-space-size=8192" },
    },
  );
  // The terminal has sent it to the child as well: this one only waits for it.
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"]))
    process.on(signal, () => child.kill(signal));
  child.on("close", (code) => {
    process.exitCode = code ?? 130;
  });
}

main();
