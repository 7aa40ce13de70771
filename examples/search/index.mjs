// @ts-check
/**
 * The search index: the texts, and for each word where it stands. It is built once, on a thread of its own, and stays there;
 * questions go to it, answers come back. Every method takes a context, and polls it.
 */
import { collect } from "../tour/texts.mjs";

/** @typedef {import("lifeguard").Context} Context */

/**
 * @typedef {object} Hit
 * @property {string} file
 * @property {number} errors - letters too many, missing or wrong
 * @property {string} excerpt - what stands there
 */

export class SearchIndex {
  #texts;
  /**
   * How often each word is in each of the texts that have it, by the number of the text.
   *
   * @type {Map<string, Map<number, number>>}
   */
  #words = new Map();

  /** @param {number} most - texts to read */
  constructor(most) {
    this.#texts = collect(most).texts.map(({ text, files: [file = ""] }) => {
      const plain = text.replace(/\s+/g, " ");
      return { file, text: plain, letters: plain.toLowerCase() };
    });
  }

  /**
   * Reads all texts. Given up halfway, it can be called again.
   *
   * @param {Context} ctx
   * @param {(done: number, total: number) => unknown} onProgress - called on the caller's thread, while this one goes on
   */
  build(ctx, onProgress) {
    this.#words.clear();
    for (const [at, { letters }] of this.#texts.entries()) {
      for (const word of wordsOf(letters)) {
        ctx.throwIfDone();
        /** @type {Map<number, number>} */
        const counts = this.#words.get(word) ?? new Map();
        this.#words.set(word, counts.set(at, (counts.get(at) ?? 0) + 1));
      }
      onProgress(at + 1, this.#texts.length);
    }
    return { texts: this.#texts.length, words: this.#words.size };
  }

  /**
   * The texts with all of the words: those first in which they are frequent, and elsewhere rare.
   *
   * @param {Context} ctx
   * @param {string} query
   * @returns {string[]} files
   */
  find(ctx, query) {
    /** @type {(ReadonlyMap<number, number> | undefined)[]} */
    const all = wordsOf(query.toLowerCase()).map((word) => this.#words.get(word));
    /** @type {{ file: string, score: number }[]} */
    const found = [];
    for (const [at, { file, text }] of this.#texts.entries()) {
      ctx.throwIfDone();
      let score = all.length === 0 ? 0 : 1 / text.length;
      for (const counts of all) {
        const count = counts?.get(at) ?? 0;
        score *= count * Math.log(1 + this.#texts.length / (counts?.size ?? 1));
      }
      if (score > 0) found.push({ file, score });
    }
    return found.sort((a, b) => b.score - a.score).map(({ file }) => file);
  }

  /**
   * The texts that have something closest to `pattern`, misspelt or not. No index helps with that: it reads every letter.
   *
   * A deadline says how long an answer may take: when it passes, the best so far is the answer. A query that is cancelled has nobody
   * who waits for one.
   *
   * @param {Context} ctx
   * @param {string} pattern
   * @param {number} [most] - hits to return
   * @returns {{ hits: Hit[], read: number, total: number }} `read`: texts that were read, of `total`
   * @throws the context's error, if it was cancelled
   */
  closest(ctx, pattern, most = 3) {
    /** @type {Hit[]} */
    let hits = [];
    let read = 0;
    const wanted = pattern.toLowerCase();
    for (const { file, text, letters } of this.#texts) {
      const best = nearest(ctx, letters, wanted);
      if (best === undefined) {
        if (ctx.err()?.code !== "ERR_DEADLINE_EXCEEDED") ctx.throwIfDone();
        break;
      }
      read++;
      const excerpt = around(text, best.end, wanted.length);
      if (hits.some((hit) => hit.excerpt === excerpt)) continue; // one licence in many packages
      hits.push({ file, errors: best.errors, excerpt });
      hits = hits.sort((a, b) => a.errors - b.errors).slice(0, most);
    }
    return { hits, read, total: this.#texts.length };
  }

  /** What is done when the actor ends; a file or a socket would be closed here. */
  [Symbol.asyncDispose]() {
    this.#words.clear();
    this.#texts = [];
    return Promise.resolve();
  }
}

/** @param {string} text - in small letters */
function wordsOf(text) {
  return text.match(/\p{L}+/gu) ?? [];
}

/**
 * Sellers' algorithm: the least number of errors with which the pattern stands anywhere in the text, and where it ends there.
 *
 * @param {Context} ctx
 * @param {string} text
 * @param {string} pattern
 * @returns {{ errors: number, end: number } | undefined} undefined: the context has ended
 */
function nearest(ctx, text, pattern) {
  const size = pattern.length;
  const row = Uint16Array.from({ length: size + 1 }, (_, errors) => errors);
  let best = { errors: size, end: 0 };
  for (let end = 0; end < text.length; end++) {
    if (ctx.err() !== undefined) return undefined; // a poll for each letter: it costs as much as one letter of the pattern
    const letter = text.charCodeAt(end);
    let diagonal = 0; // it may begin anywhere
    let left = 0;
    for (let i = 1; i <= size; i++) {
      const above = /** @type {number} */ (row[i]);
      const same = diagonal + (pattern.charCodeAt(i - 1) === letter ? 0 : 1);
      left = Math.min(same, above + 1, left + 1);
      row[i] = left;
      diagonal = above;
    }
    if (left < best.errors) best = { errors: left, end };
  }
  return best;
}

/**
 * What stands there, from the beginning of a word.
 *
 * @param {string} text
 * @param {number} end
 * @param {number} size
 */
function around(text, end, size) {
  const begin = text.lastIndexOf(" ", Math.max(0, end - size + 1)) + 1;
  return text.slice(begin, begin + size + 40);
}
