// @ts-check
/**
 * A batch with a progress bar: tens of thousands of inputs, one `pool.map`. Ctrl-C and a deadline are contexts: either
 * ends the batch. What was there by then has been delivered, the loop throws when the work has stopped, and `cause` says
 * which of them it was. `--help` tells the options.
 */
import {
  afterFunc,
  background,
  cause,
  isContextError,
  Pool,
  withProcessSignal,
  withTimeout,
} from "lifeguard";
import { number, say, showing } from "./display.mjs";
import { parse } from "./options.mjs";
import { BLOCK } from "./tasks.mjs";

const options = parse(process.argv.slice(2));

/** @type {Pool<typeof import("./tasks.mjs")>} */
const pool = new Pool(new URL("./tasks.mjs", import.meta.url), { threads: options.threads });
const [main] = withProcessSignal(background, "SIGINT"); // the first Ctrl-C; a second one is the system's
await pool.ready(); // before the deadline runs
const [ctx, cancel] = withTimeout(main, options.deadline);

say(`The longest Collatz chain from 1 to ${number(options.items * BLOCK)}. Ctrl-C stops it.`);
const began = performance.now();
let ended = began;
afterFunc(ctx, () => {
  ended = performance.now();
});

let delivered = 0;
let longest = { start: 1, steps: 0 };
const blocks = Array.from({ length: options.items }, (_, block) => block);
const batch = pool.map(ctx, "longestChain", blocks);
try {
  await showing(batch, async () => {
    for await (const chain of batch) {
      delivered++;
      if (chain.steps > longest.steps) longest = chain;
    }
  });
} catch (error) {
  if (!isContextError(error)) throw error;
  const late = performance.now() - ended;
  say(`Ended early: ${why(ctx)}. The last of the work stopped ${late.toFixed(1)} ms later.`);
} finally {
  cancel();
}
const seconds = ((performance.now() - began) / 1000).toFixed(1);
say(`${number(delivered)} of ${number(options.items)} blocks in ${seconds} s.`);
if (delivered > 0)
  say(`The longest chain in them begins with ${number(longest.start)}: ${longest.steps} steps to 1.`);

await pool.close();
if (main.err() !== undefined) process.exitCode = 130; // 128 and the number of SIGINT

/**
 * The cause of a signal's context is the signal's name, that of a deadline the error itself.
 *
 * @param {import("lifeguard").Context} over
 */
function why(over) {
  const reason = cause(over);
  return reason instanceof Error ? reason.message : String(reason);
}
