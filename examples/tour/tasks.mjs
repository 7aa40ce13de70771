// @ts-check
/** What runs on the pool's threads: plain functions that take a context first. */
import { threadId } from "node:worker_threads";
import { progress } from "lifeguard/worker";

/** @typedef {import("lifeguard").Context} Context */

/**
 * How many characters one has to insert, delete or replace to turn `a` into `b` (Levenshtein): a table of
 * `a.length` times `b.length` cells, of which one row is kept.
 *
 * It polls once per row, that is, every few microseconds to a tenth of a millisecond, and gives up by throwing.
 *
 * @param {Context} ctx
 * @param {string} a
 * @param {string} b
 */
export function distance(ctx, a, b) {
  const rows = codesOf(a);
  const columns = codesOf(b);
  const row = Int32Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, code] of rows.entries()) {
    ctx.throwIfDone();
    progress(ctx, i / rows.length);
    fillRow(row, i + 1, code, columns, 1, columns.length);
  }
  return /** @type {number} */ (row[b.length]);
}

/**
 * The same as an anytime algorithm. It looks only at a band around the diagonal of the table, which gives an upper
 * bound, and makes the band wider until the bound is exact. When its context ends, it does not throw: it hands back
 * the best bound it has.
 *
 * @param {Context} ctx
 * @param {string} a
 * @param {string} b
 * @returns {{ atMost: number, exact: boolean }}
 */
export function estimate(ctx, a, b) {
  const rows = codesOf(a);
  const columns = codesOf(b);
  let best = { atMost: Math.max(a.length, b.length), exact: false };
  for (let band = 4; !best.exact; band *= 2) {
    const atMost = distanceWithin(ctx, rows, columns, band);
    if (atMost === undefined) return best;
    // A way that costs d strays at most so far from the diagonal; a wider band would find nothing better.
    const exact = atMost + Math.abs(a.length - b.length) <= band || band >= b.length;
    best = { atMost: Math.min(atMost, best.atMost), exact };
    progress(ctx, band / b.length);
  }
  return best;
}

/**
 * The distance, looking at no cell farther than `band` from the diagonal; undefined when `ctx` has ended.
 *
 * @param {Context} ctx
 * @param {Uint16Array} rows
 * @param {Uint16Array} columns
 * @param {number} band
 */
function distanceWithin(ctx, rows, columns, band) {
  const far = rows.length + columns.length;
  const slope = columns.length / rows.length;
  const row = Int32Array.from({ length: columns.length + 1 }, (_, j) => (j <= band ? j : far));
  for (const [i, code] of rows.entries()) {
    if (ctx.err() !== undefined) return undefined;
    const middle = Math.floor((i + 1) * slope);
    const first = Math.max(1, middle - band);
    fillRow(row, i + 1, code, columns, first, Math.min(columns.length, middle + band), far);
  }
  return row[columns.length];
}

/**
 * Turns row i - 1 of the table into row i, from column `first` to column `last`.
 *
 * @param {Int32Array} row
 * @param {number} i
 * @param {number} code - the character of row i
 * @param {Uint16Array} columns
 * @param {number} first
 * @param {number} last
 * @param {number} [far] - what stands for cells outside of the band
 */
function fillRow(row, i, code, columns, first, last, far = i) {
  let diagonal = /** @type {number} */ (row[first - 1]);
  let left = first === 1 ? i : far;
  row[first - 1] = left;
  for (let j = first; j <= last; j++) {
    const above = /** @type {number} */ (row[j]);
    let best = diagonal;
    if (columns[j - 1] !== code) {
      if (above < best) best = above;
      if (left < best) best = left;
      best++;
    }
    diagonal = above;
    row[j] = best;
    left = best;
  }
}

/** @param {string} text */
function codesOf(text) {
  const codes = new Uint16Array(text.length);
  for (let i = 0; i < codes.length; i++) codes[i] = text.charCodeAt(i);
  return codes;
}

/**
 * Whether the line is words and then a colon. The expression is a mistake, and a common one: `\w+` in a group that is
 * repeated can split a word in 2^n ways, and on a line that does not match it tries them all. The context is of no
 * use here: nothing in there polls it.
 *
 * @param {Context} _ctx
 * @param {string} line
 */
export function isHeading(_ctx, line) {
  return /^(\w+\s?)+:$/.test(line);
}

/**
 * A distance again, and which thread has worked it out.
 *
 * @param {Context} ctx
 * @param {string} a
 * @param {string} b
 */
export function check(ctx, a, b) {
  return { threadId, distance: distance(ctx, a, b) };
}
