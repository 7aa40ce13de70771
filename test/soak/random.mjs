// @ts-check
/** Decisions that come again with the seed. Each part of the load has a stream of its own, so that how threads take turns moves none of them. */

export class Random {
  #state;
  #seed;

  /** @param {string} seed */
  constructor(seed) {
    this.#seed = seed;
    this.#state = hash(seed);
  }

  /** A stream of its own for a part. @param {string | number} part */
  of(part) {
    return new Random(`${this.#seed}/${String(part)}`);
  }

  /** A stream of its own for what comes next: what that draws, and when, moves nothing here. */
  fork() {
    return this.of(this.next());
  }

  /** From 0 up to, and never, 1: mulberry32. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, both ends included. @param {number} from @param {number} to */
  int(from, to) {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  /** @param {number} probability */
  chance(probability) {
    return this.next() < probability;
  }

  /** @template T @param {readonly T[]} list @returns {T} */
  pick(list) {
    return /** @type {T} */ (list[Math.floor(this.next() * list.length)]);
  }

  /** @template T @param {readonly (readonly [weight: number, value: T])[]} list @returns {T} */
  weighted(list) {
    let left = this.next() * list.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of list) {
      left -= weight;
      if (left < 0) return value;
    }
    return /** @type {readonly [number, T]} */ (list[0])[1];
  }
}

/** FNV-1a, stirred. @param {string} text */
function hash(text) {
  let bits = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) bits = Math.imul(bits ^ text.charCodeAt(i), 0x01000193);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  return (bits ^ (bits >>> 13)) | 0;
}
