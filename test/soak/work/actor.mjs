// @ts-check
/** What the actors of the soak hold. */

/** @typedef {import("lifeguard").Context} Context */

export class Counter {
  #count;

  /** @param {number} from */
  constructor(from) {
    this.#count = from;
  }

  /** @param {Context} ctx @param {number} by */
  add(ctx, by) {
    ctx.throwIfDone();
    this.#count += by;
    return this.#count;
  }

  /** @param {unknown} value */
  echo(value) {
    return value;
  }

  /** @param {Context} ctx */
  spin(ctx) {
    while (true) ctx.throwIfDone();
  }

  /** @param {Context} ctx */
  async wait(ctx) {
    await ctx.done();
    return ctx.err()?.code;
  }

  /** @param {(value: number) => Promise<number>} fn @param {number} value */
  async callBack(fn, value) {
    return (await fn(value)) + 1;
  }

  fail() {
    throw new RangeError("failed");
  }

  uncloneable() {
    return { fn() {} };
  }

  exit() {
    process.exit(4);
  }

  runaway() {
    for (let i = 0; ; i++) if (i < 0) return;
  }

  [Symbol.asyncDispose]() {}
}
