// @ts-check
/** What the tasks of the soak do. Each tells in the shared words that it has begun, and when it leaves. */
import { pbkdf2Sync } from "node:crypto";
import { workerData } from "node:worker_threads";
import { Pool } from "lifeguard";
import {
  background,
  cause,
  progress,
  sharedKey,
  sleep,
  transfer,
  withCancel,
  withTimeout,
} from "lifeguard/worker";
import { IN, OUT, POOL, poolAt, SLOT, slotAt, UNCOUNTED } from "../words.mjs";

/** @typedef {import("lifeguard").Context} Context */

/** @type {{ words: Int32Array, pool: number }} */
const { words, pool } = workerData;

/** @param {number} slot */
function enter(slot) {
  const at = slotAt(slot);
  const mine = poolAt(pool);
  Atomics.store(words, at + SLOT.order, Atomics.add(words, mine + POOL.begun, 1) + 1);
  Atomics.add(words, at + SLOT.begun, 1);
  // The main thread may have done with it already: it was stopped hard at its very beginning, and its thread is about to end.
  if (Atomics.compareExchange(words, at + SLOT.state, 0, IN) !== 0) return;
  const now = Atomics.add(words, mine + POOL.now, 1) + 1;
  for (
    let most = Atomics.load(words, mine + POOL.most);
    now > most;
    most = Atomics.load(words, mine + POOL.most)
  )
    Atomics.compareExchange(words, mine + POOL.most, most, now);
}

/** @param {number} slot */
function leave(slot) {
  const at = slotAt(slot) + SLOT.state;
  // The main thread may have done it: for one that was cut off, and here goes on.
  if (Atomics.load(words, at) !== IN) return;
  // In this order: it may be stopped hard in between, and is then taken off twice, and not left in for ever.
  Atomics.sub(words, poolAt(pool) + POOL.now, 1);
  Atomics.compareExchange(words, at, IN, OUT);
}

/** @template T @param {number} slot @param {() => T} work */
function within(slot, work) {
  enter(slot);
  try {
    return work();
  } finally {
    leave(slot);
  }
}

/** @param {number} ms @param {Context} [ctx] */
function compute(ms, ctx) {
  const until = performance.now() + ms;
  let x = 0;
  while (performance.now() < until) {
    for (let i = 0; i < 1000; i++) {
      x = (Math.imul(x, 31) + i) | 0;
      if (ctx !== undefined && (i & 15) === 0) ctx.throwIfDone();
    }
  }
  return x;
}

/** @param {Context} _ctx @param {number} slot */
export function quick(_ctx, slot) {
  enter(slot);
  leave(slot);
  return slot * 3 + 1;
}

/** @param {Context} _ctx @param {number} slot @param {string} text */
export function note(_ctx, slot, text) {
  return within(slot, () => ({ slot, text: text.toUpperCase(), big: BigInt(slot) }));
}

/** @param {Context} ctx @param {number} slot @param {number} ms */
export function spin(ctx, slot, ms) {
  return within(slot, () => {
    compute(ms, ctx);
    return `spun ${String(slot)}`;
  });
}

/** Until its context ends. @param {Context} ctx @param {number} slot */
export function poll(ctx, slot) {
  return within(slot, () => {
    while (true) ctx.throwIfDone();
  });
}

/** Gives up with the cause. @param {Context} ctx @param {number} slot */
export function causes(ctx, slot) {
  return within(slot, () => {
    while (ctx.err() === undefined);
    throw cause(ctx);
  });
}

/** Hands back its best so far. @param {Context} ctx @param {number} slot */
export function best(ctx, slot) {
  return within(slot, () => {
    while (ctx.err() === undefined);
    return slot;
  });
}

/** @param {Context} ctx @param {number} slot @param {number} ms */
export async function sleepy(ctx, slot, ms) {
  enter(slot);
  try {
    await sleep(ctx, ms);
    return slot;
  } finally {
    leave(slot);
  }
}

/** Knows that it is over, and goes on. @param {Context} ctx @param {number} slot */
export function stubborn(ctx, slot) {
  within(slot, () => {
    while (ctx.err() === undefined);
  });
  for (let i = 0; ; i++) if (i < 0) return;
}

/** Never looks. @param {Context} _ctx @param {number} slot */
export function runaway(_ctx, slot) {
  enter(slot);
  for (let i = 0; ; i++) if (i < 0) return;
}

/** Never looks either; ends contexts, or lets their deadlines pass, and is stopped hard in the middle of that. @param {Context} ctx @param {number} slot */
export function families(ctx, slot) {
  enter(slot);
  for (let round = 0; ; round++) {
    const [top, cancel] = withCancel(round % 2 === 0 ? background : ctx);
    const members = [top];
    for (let i = 0; i < 200; i++) members.push(withTimeout(members[i >> 2] ?? top, 1 + (i % 20))[0]);
    cancel();
  }
}

/** Waits for what never comes. @param {Context} _ctx @param {number} slot */
export function waits(_ctx, slot) {
  enter(slot);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** @param {Context} _ctx @param {number} slot */
export function hangs(_ctx, slot) {
  enter(slot);
  return new Promise(() => {});
}

/** Where nothing reaches it for a while. @param {Context} _ctx @param {number} slot @param {number} rounds */
export function native(_ctx, slot, rounds) {
  return within(slot, () => pbkdf2Sync("soak", "salt", rounds, 16, "sha512").byteLength);
}

class OddError extends RangeError {
  /** @param {number} slot */
  constructor(slot) {
    super(`odd ${String(slot)}`, { cause: new TypeError("why") });
    this.code = "E_ODD";
    this.slot = slot;
  }
}

/** @param {Context} _ctx @param {number} slot @param {"odd" | "null" | "later"} how */
export function throws(_ctx, slot, how) {
  return within(slot, () => {
    if (how === "null") throw null;
    if (how === "odd") throw new OddError(slot);
    return Promise.reject(new OddError(slot));
  });
}

/** @param {Context} _ctx @param {number} slot */
export function uncloneable(_ctx, slot) {
  return within(slot, () => ({ slot, fn: () => {} }));
}

/** Never gets to run: one of its arguments cannot be cloned. @param {Context} _ctx @param {number} slot */
export function unsendable(_ctx, slot) {
  return within(slot, () => slot);
}

/** @param {Context} _ctx @param {number} slot */
export function exits(_ctx, slot) {
  within(slot, () => {});
  process.exit(3);
}

/** @param {Context} _ctx @param {number} slot */
export function uncaught(_ctx, slot) {
  within(slot, () => {});
  setTimeout(() => {
    throw new OddError(slot);
  });
  return new Promise(() => {});
}

/** @param {Context} ctx @param {number} slot @param {number} steps */
export function told(ctx, slot, steps) {
  return within(slot, () => {
    for (let step = 1; step <= steps; step++) {
      compute(0.05);
      progress(ctx, step / steps);
    }
    return steps;
  });
}

/** @param {Context} _ctx @param {number} slot @param {ArrayBuffer} bytes */
export function moved(_ctx, slot, bytes) {
  return within(slot, () => {
    const view = new Uint8Array(bytes);
    for (let i = 0; i < view.length; i++) view[i] = (view[i] ?? 0) + 1;
    return transfer({ bytes }, [bytes]);
  });
}

const tenant = sharedKey("soak.tenant");

/** @param {Context} ctx @param {number} slot */
export function values(ctx, slot) {
  return within(slot, () => ctx.value(tenant));
}

/** A deadline of its own, below the one it was given. @param {Context} ctx @param {number} slot */
export function derived(ctx, slot) {
  return within(slot, () => {
    const [child, cancel] = withTimeout(ctx, 2);
    while (child.err() === undefined);
    const code = child.err()?.code;
    cancel();
    ctx.throwIfDone();
    return code;
  });
}

/** Leaves work behind, which is to see that it is over. @param {Context} ctx @param {number} slot */
export function strays(ctx, slot) {
  setTimeout(() => {
    if (ctx.err() === undefined) Atomics.add(words, poolAt(pool) + POOL.strays, 1);
  }, 5);
  return within(slot, () => slot);
}

/** A pool within a pool's thread. @param {Context} ctx @param {number} slot */
export async function nested(ctx, slot) {
  enter(slot);
  try {
    const inner = new Pool(import.meta.url, {
      threads: 1,
      spares: 0,
      workerData: { words, pool: UNCOUNTED },
    });
    try {
      return await inner.run(ctx, "echo", slot);
    } finally {
      await inner.destroy();
    }
  } finally {
    leave(slot);
  }
}

/** Of no slot. @param {Context} _ctx @param {unknown} value */
export const echo = (_ctx, value) => value;

/**
 * Calls back for each of some.
 *
 * @param {Context} _ctx
 * @param {number} slot
 * @param {number} count
 * @param {(value: number) => Promise<number>} fn
 */
export async function calls(_ctx, slot, count, fn) {
  enter(slot);
  try {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += await fn(i);
    return sum;
  } finally {
    leave(slot);
  }
}

/**
 * One of a batch.
 *
 * @param {Context} ctx
 * @param {{ slot: number, how: string }} input
 */
export function item(ctx, { slot, how }) {
  switch (how) {
    case "throw":
      return throws(ctx, slot, "odd");
    case "uncloneable":
      return uncloneable(ctx, slot);
    case "exit":
      return exits(ctx, slot);
    case "poll":
      return poll(ctx, slot);
    case "best":
      return best(ctx, slot);
    case "spin":
      spin(ctx, slot, 2);
      return slot;
    default:
      return within(slot, () => slot);
  }
}

/**
 * Holds its thread until `count` of them are there: `cell` counts them.
 *
 * @param {Context} ctx
 * @param {Int32Array} cell
 * @param {number} count
 */
export function meet(ctx, cell, count) {
  Atomics.add(cell, 0, 1);
  const own = new Int32Array(new SharedArrayBuffer(4));
  while (Atomics.load(cell, 0) < count) {
    ctx.throwIfDone();
    Atomics.wait(own, 0, 0, 1);
  }
  return true;
}

/** Holds its thread until word 0 of the cell is 1. @param {Context} _ctx @param {Int32Array} cell */
export function hold(_ctx, cell) {
  Atomics.wait(cell, 0, 0);
}
