// @ts-check
/** What people see meanwhile: a line that changes, or in a pipe one a minute. */
import { createLogUpdate } from "log-update";

const { stdout } = process;
const live = stdout.isTTY && process.env.TERM !== "dumb";
const update = live ? createLogUpdate(stdout, { showCursor: true }) : undefined;

const LIVE_EVERY = 1000;
const PLAIN_EVERY = 60_000;

// `npm run soak | head` closes the pipe before we are done.
stdout.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

/** @param {string} text */
export function say(text) {
  update?.clear();
  stdout.write(`${text}\n`);
}

/** Shows `line()` now and then, until the function that it returns is called. @param {() => string} line */
export function showing(line) {
  const draw = () => {
    if (update === undefined) stdout.write(`${line()}\n`);
    else update(line().slice(0, (stdout.columns || 80) - 1));
  };
  const timer = setInterval(draw, live ? LIVE_EVERY : PLAIN_EVERY);
  timer.unref();
  return () => {
    clearInterval(timer);
    update?.clear();
  };
}
