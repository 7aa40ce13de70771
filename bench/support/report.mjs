// @ts-check
/** What a suite hands to the runner: rows of figures, and what of them was asked. Owns no measuring and no printing. */
import { digits, format, ratioText } from "./print.mjs";
import { median, ratioOf, summarize } from "./stats.mjs";

/** @typedef {"ns" | "bytes" | "times" | "count"} Unit */

/**
 * One side of a comparison.
 *
 * @typedef {object} Side
 * @property {string} name
 * @property {readonly number[]} samples
 * @property {boolean} [isReference] shown to see what the machine does: no ratio to it is printed
 * @property {boolean} [noted] taken from the notes: another machine, another day, so there is no spread
 * @property {string} [note] why there are no samples, or no more: it crashed, it was not finished in time
 */

/**
 * What is asked of one side.
 *
 * @typedef {object} Asked
 * @property {string} [of] whom it is asked of; without one, the first side
 * @property {string} [over] the side it is compared with; without one, the bound is absolute
 * @property {number} [atMost] ours is at most this many times theirs, or at most this much
 * @property {number} [atLeast] theirs is at least this many times ours, "× faster"; or ours is at least this much
 * @property {number} [within] the two differ by at most this part, either way
 * @property {string} [goal] what one would like beyond
 */

/**
 * A row as it is printed and kept: all of it is data, and fits JSON.
 *
 * @typedef {object} Row
 * @property {string} what
 * @property {Unit} unit
 * @property {boolean} isSpread p10 and p90 say more than the tail: a sample is the mean of a thousand and more
 * @property {readonly SideResult[]} sides ours first
 * @property {readonly Ratio[]} ratios of the first side to the others
 * @property {readonly Verdict[]} verdicts
 */

/**
 * @typedef {object} SideResult
 * @property {string} name
 * @property {import("./stats.mjs").Summary} [summary] none where there are no samples
 * @property {true} [isReference]
 * @property {true} [noted]
 * @property {string} [note]
 */

/**
 * How many times the p50 of `over` the one of `of` is; low and high are its spread, where there is one.
 *
 * @typedef {object} Ratio
 * @property {string} of
 * @property {string} over
 * @property {number} value
 * @property {number} [low]
 * @property {number} [high]
 */

/**
 * @typedef {object} Verdict
 * @property {string} asked
 * @property {string} got
 * @property {boolean} reached
 * @property {string} [over] the side it was compared with
 */

/** @typedef {{ readonly type: "row", readonly row: Row } | { readonly type: "note", readonly text: string }} Message */

/** How a suite tells what it has measured. */
export class Report {
  #send;
  #suite;

  /**
   * @param {string} suite
   * @param {(message: Message) => void} send
   */
  constructor(suite, send) {
    this.#suite = suite;
    this.#send = send;
  }

  /**
   * For whoever is waiting; goes to stderr.
   *
   * @param {string} text
   */
  progress(text) {
    process.stderr.write(`  ${this.#suite}: ${text}\n`);
  }

  /** @param {string} text */
  note(text) {
    this.#send({ type: "note", text });
  }

  /**
   * A row: every side's figures, and what is asked of the first one.
   *
   * @param {string} what
   * @param {readonly Side[]} sides ours first
   * @param {{ unit?: Unit, asked?: readonly Asked[], spread?: boolean }} [options] spread: p10 and p90 in place of the
   * tail, where a sample is the mean of a thousand and more
   */
  row(what, sides, { unit = "ns", asked = [], spread = false } = {}) {
    const shown = sides.filter((side) => side.samples.length > 0 || side.note !== undefined);
    const [ours] = shown;
    // Stopped before the first sample.
    if (ours === undefined || ours !== sides[0]) return;
    const measured = shown.filter((side) => side.samples.length > 0);
    const others = measured.includes(ours)
      ? measured.filter((side) => side !== ours && side.isReference !== true)
      : [];
    /** @type {Verdict[]} */
    const verdicts = [];
    for (const each of asked) {
      const subject = each.of === undefined ? ours : shown.find((side) => side.name === each.of);
      const verdict = subject === undefined ? undefined : judge(subject, measured, each, unit);
      if (verdict !== undefined) verdicts.push(verdict);
    }
    this.#send({
      type: "row",
      row: {
        what,
        unit,
        isSpread: spread,
        sides: shown.map(resultOf),
        ratios: others
          .map((other) => ratioBetween(ours, other))
          .filter(({ value }) => Number.isFinite(value)),
        verdicts,
      },
    });
  }
}

/**
 * @param {Side} side
 * @returns {SideResult}
 */
function resultOf({ name, samples, isReference, noted, note }) {
  return {
    name,
    ...(samples.length > 0 && { summary: summarize(samples) }),
    ...(isReference === true && { isReference }),
    ...(noted === true && { noted }),
    ...(note !== undefined && { note }),
  };
}

/**
 * @param {Side} ours
 * @param {Side} theirs
 * @returns {Ratio}
 */
function ratioBetween(ours, theirs) {
  const { value, low, high } = ratioOf(ours.samples, theirs.samples);
  const hasSpread =
    ours.noted !== true &&
    theirs.noted !== true &&
    ours.samples.length > 1 &&
    Number.isFinite(low) &&
    Number.isFinite(high);
  return { of: ours.name, over: theirs.name, value, ...(hasSpread && { low, high }) };
}

/**
 * @param {Side} ours
 * @param {readonly Side[]} sides
 * @param {Asked} asked
 * @param {Unit} unit
 * @returns {Verdict | undefined}
 */
function judge(ours, sides, asked, unit) {
  const goal = asked.goal === undefined ? "" : ` (the goal: ${asked.goal})`;
  const whose = asked.of === undefined ? "" : `${asked.of}: `;
  if (asked.over === undefined) {
    const value = median(ours.samples);
    const isFloor = asked.atLeast !== undefined;
    const bound = asked.atLeast ?? asked.atMost ?? Number.NaN;
    return {
      asked: `at ${isFloor ? "least" : "most"} ${format(bound, unit)}${goal}`,
      // What could not be measured has not been reached.
      got: whose + (ours.samples.length > 0 ? format(value, unit) : (ours.note ?? "")),
      reached: isFloor ? value >= bound : value <= bound,
    };
  }
  const { over } = asked;
  if (ours.samples.length === 0)
    return {
      asked: `a comparison with ${over}${goal}`,
      got: whose + (ours.note ?? ""),
      reached: false,
      over,
    };
  const theirs = sides.find((side) => side.name === over);
  if (theirs === undefined) return undefined;
  const ratio = ratioBetween(ours, theirs);
  const { value } = ratio;
  const got = whose + ratioText(ratio);
  if (asked.within !== undefined) {
    const text = `within ${digits(asked.within * 100)} % of ${over}`;
    return { asked: text + goal, got, reached: Math.max(value, 1 / value) <= 1 + asked.within, over };
  }
  if (asked.atLeast !== undefined) {
    const text = `at least ${digits(asked.atLeast)} × less than ${over}`;
    return { asked: text + goal, got, reached: 1 / value >= asked.atLeast, over };
  }
  const atMost = asked.atMost ?? 1;
  const text = atMost === 1 ? `not above ${over}` : `at most ${digits(atMost)} × ${over}`;
  return { asked: text + goal, got, reached: value <= atMost, over };
}
