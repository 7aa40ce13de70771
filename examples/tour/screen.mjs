// @ts-check
/** What people see: one live display in a terminal, plain lines where there is none. */
import { styleText } from "node:util";
import { createLogUpdate } from "log-update";

const { stdout } = process;
const live = stdout.isTTY && process.env.TERM !== "dumb";
const colors = live && (process.env.NO_COLOR ?? "") === "";

// The cursor is never hidden, so there is no way out on which it would have to be shown again.
const update = live ? createLogUpdate(stdout, { showCursor: true }) : undefined;

/** How often the live display is drawn anew, and how often a line is written where there is none, ms. */
const LIVE_EVERY = 100;
const PLAIN_EVERY = 2000;

// `main.mjs | head` closes the pipe before we are done.
stdout.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

/** @param {string} line */
export function say(line = "") {
  stdout.write(`${line}\n`);
}

/** @param {string} text */
export const bold = (text) => (colors ? styleText("bold", text) : text);
/** @param {string} text */
export const dim = (text) => (colors ? styleText("dim", text) : text);

/**
 * Shows `lines()` while `work` is under way; without a terminal, only the first of them, and now and then.
 *
 * @template T
 * @param {() => string[]} lines
 * @param {() => Promise<T>} work
 */
export async function showing(lines, work) {
  const draw = () => {
    const shown = lines().map(fit);
    if (update === undefined) say(shown[0]);
    else update(shown.join("\n"));
  };
  const timer = setInterval(draw, live ? LIVE_EVERY : PLAIN_EVERY);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    update?.clear();
  }
}

/** No longer than the terminal is wide: what wraps cannot be drawn over. */
function fit(/** @type {string} */ line) {
  return line.slice(0, Math.min(stdout.columns || 80, 80) - 1);
}

/**
 * @param {number} fraction
 * @param {number} [width] - in columns, without the percentage
 */
export function bar(fraction, width = 12) {
  const full = Math.round(Math.min(1, fraction) * width);
  return `${"█".repeat(full)}${"░".repeat(width - full)} ${String(Math.floor(fraction * 100)).padStart(3)} %`;
}

/** @param {number} ms */
export function duration(ms) {
  if (ms < 1) return `${(ms * 1000).toFixed(0)} µs`;
  return ms < 10_000 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/**
 * @param {number} count
 * @param {string} noun
 */
export function number(count, noun = "") {
  const digits = String(count).replace(/\B(?=(?:\d{3})+$)/g, " ");
  return noun === "" ? digits : `${digits} ${noun}${count === 1 ? "" : "s"}`;
}
