// @ts-check
/** The command line. */
import { parseArgs } from "node:util";
import { KINDS } from "./load/kinds.mjs";

/**
 * @typedef {object} Options
 * @property {number} minutes
 * @property {string} seed
 * @property {number} quietEvery s
 * @property {number} patience s
 * @property {readonly string[]} only
 * @property {string | undefined} json
 * @property {string | undefined} markdown
 */

export const help = `Usage: npm run soak -- [options]

Random load with everything at once, and checks of what always has to hold. Ends at the first broken
invariant, with the seed, what broke, and what happened before.

  --minutes N         for how long; fractions are fine (default 30)
  --seed S            any text; the same seed takes the same decisions (default: a new one)
  --only KINDS        some kinds of load, separated by commas: ${KINDS.join(", ")}
  --quiet-every N     seconds between quiet points, where all of it settles and what is left is
                      counted (default 30)
  --patience N        seconds that anything may take to settle once its context and its grace are
                      over (default 20)
  --json FILE         the report as JSON
  --markdown FILE     the report as Markdown
  --help

The seed decides what is done: the options of the pools, which tasks, their contexts, when they are
cancelled. It does not decide how threads take turns, so that a run does not repeat itself to the letter.

Exit code: 0, all held; 1, an invariant was broken; 2, bad options; 130, ended by Ctrl-C.
`;

export class UsageError extends Error {}

/**
 * @param {readonly string[]} args
 * @returns {Options | "help"}
 */
export function readOptions(args) {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        minutes: { type: "string", default: "30" },
        seed: { type: "string" },
        only: { type: "string", default: KINDS.join(",") },
        "quiet-every": { type: "string", default: "30" },
        patience: { type: "string", default: "20" },
        json: { type: "string" },
        markdown: { type: "string" },
        help: { type: "boolean", default: false },
      },
    }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  if (values.help) return "help";
  const only = values.only.split(",").map((kind) => kind.trim());
  for (const kind of only) {
    if (!KINDS.includes(kind))
      throw new UsageError(`--only: expected some of ${KINDS.join(", ")}; got "${kind}"`);
  }
  return {
    minutes: positive("minutes", values.minutes),
    seed: values.seed ?? Math.random().toString(36).slice(2, 10),
    quietEvery: positive("quiet-every", values["quiet-every"]),
    patience: positive("patience", values.patience),
    only,
    json: values.json,
    markdown: values.markdown,
  };
}

/** @param {string} name @param {string} text */
function positive(name, text) {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value <= 0)
    throw new UsageError(`--${name}: expected a number above 0, got "${text}"`);
  return value;
}
