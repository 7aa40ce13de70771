// @ts-check
/**
 * What people see of a batch under way: a bar in a terminal, now and then a line where there is none.
 *
 * log-update draws it. Of what there is it is well kept, runs on Node 20, and leaves signals alone as long as the cursor
 * stays visible. cli-progress, the best known, has had no release since 2023; the progress bar of @clack/prompts puts the
 * terminal into raw mode and listens for SIGINT itself, and Ctrl-C is to be our context's here; ora and yocto-spinner
 * draw spinners, listr2 and ink want Node 22. What is left to do is one line of text.
 */
import { createLogUpdate } from "log-update";

const { stdout } = process;
const live = stdout.isTTY && process.env.TERM !== "dumb";
const update = live ? createLogUpdate(stdout, { showCursor: true }) : undefined;

/** How often the bar is drawn anew, and how often a line is written where there is none, ms. */
const LIVE_EVERY = 100;
const PLAIN_EVERY = 1000;

// `main.mjs | head` closes the pipe before we are done.
stdout.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

/** @param {string} line */
export function say(line) {
  stdout.write(`${line}\n`);
}

/**
 * Shows how far the batch is while `work` is under way.
 *
 * @template T
 * @param {{ readonly progress: { done: number, total: number | undefined } }} batch
 * @param {() => Promise<T>} work
 */
export async function showing(batch, work) {
  const began = performance.now();
  let over = false;
  const draw = () => {
    const { done, total = 0 } = batch.progress;
    const rate = done / ((performance.now() - began) / 1000);
    const left = over || rate === 0 ? "" : `, ${Math.ceil((total - done) / rate)} s left`;
    const text = `${number(done)} of ${number(total)}, ${number(Math.round(rate))} a second${left}`;
    if (update === undefined) say(text);
    // What is longer than the terminal is wide would wrap, and could not be drawn over.
    else update(`${bar(done / total)} ${text}`.slice(0, (stdout.columns || 80) - 1));
  };
  const timer = setInterval(draw, live ? LIVE_EVERY : PLAIN_EVERY);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    over = true;
    // In a terminal the last state stays: it shows how far it came.
    if (update !== undefined) {
      draw();
      update.done();
    }
  }
}

/** @param {number} fraction */
function bar(fraction) {
  const full = Math.round(fraction * 24);
  return `${"█".repeat(full)}${"░".repeat(24 - full)} ${String(Math.floor(fraction * 100)).padStart(3)} %`;
}

/** @param {number} count - 12345 is "12 345" */
export function number(count) {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, " ");
}
