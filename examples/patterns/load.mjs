// @ts-check
/** The text that is searched, and the patterns that strangers send. */

const words =
  "the quick brown fox jumps over a lazy dog while five boxing wizards sleep soundly near it".split(" ");

/** Lines of words, each with something at its end that no word has: what runaway patterns try all the ways to reach. */
export const text = Array.from(
  { length: 2000 },
  (_, line) =>
    `${Array.from({ length: 12 }, (_, at) => words[(line * 7 + at * 5) % words.length]).join(" ")}!`,
).join("\n");

const harmless = ["fox", "\\bdog\\b", "^the .*it", "[aeiou]{2}", "wiz(ard|dom)s?", "\\w+(?= near)"];

/** Each looks harmless, and is exponential. */
const runaway = ["^(\\w+\\s?)*$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*?,){25}|^(\\w+ ?)+;"];

/** Not a pattern at all. */
const broken = ["(fox"];

/**
 * One of each hundred is broken, and `hostile` of them run away; evenly spread, so that every run is the same.
 *
 * @param {number} requests
 * @param {number} hostile of a hundred
 * @returns {string[]}
 */
export function patterns(requests, hostile) {
  return Array.from({ length: requests }, (_, at) => {
    const place = (at * 37) % 100;
    if (place === 99) return pick(broken, at);
    return pick(place < hostile ? runaway : harmless, at);
  });
}

/**
 * @param {readonly string[]} of
 * @param {number} at
 */
function pick(of, at) {
  return /** @type {string} */ (of[at % of.length]);
}
