// @ts-check
/** What stands on the command line. */
import { parseArgs } from "node:util";

/** A day, s: more does not fit a timer. */
const LONGEST = 86_400;

/**
 * @typedef {object} Parsed
 * @property {boolean} help
 * @property {boolean} list
 * @property {readonly string[]} suites none: all of them
 * @property {readonly number[]} sizes in order, each once
 * @property {number | undefined} rounds
 * @property {number} limit seconds
 * @property {string | undefined} json the file that all rows are written to
 */

/**
 * @param {string[]} args
 * @param {readonly string[]} known the suites
 * @returns {Parsed}
 * @throws {Error} a sentence for whoever typed it
 */
export function parse(args, known) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      sizes: { type: "string", default: "1000,10000,100000,1000000" },
      rounds: { type: "string" },
      limit: { type: "string", default: "60" },
      json: { type: "string" },
      list: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`no such suite: ${unknown.join(", ")}; there are ${known.join(", ")}`);
  const limit = Number(values.limit);
  if (!(limit > 0 && limit <= LONGEST))
    throw new Error(
      `--limit: expected seconds, more than 0 and at most ${String(LONGEST)}, got "${values.limit}"`,
    );
  return {
    help: values.help,
    list: values.list,
    suites: [...new Set(positionals)],
    sizes: [...new Set(values.sizes.split(",").map((text) => count("--sizes", text)))].sort((a, b) => a - b),
    rounds: values.rounds === undefined ? undefined : count("--rounds", values.rounds),
    limit,
    json: values.json,
  };
}

/**
 * @param {string} option
 * @param {string} text
 */
function count(option, text) {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < 1)
    throw new Error(`${option}: expected whole numbers of 1 or more, got "${text}"`);
  return value;
}
