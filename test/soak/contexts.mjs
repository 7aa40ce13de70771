// @ts-check
/** Contexts of all sorts for the load, below those that last as long as the soak. */
import {
  afterFunc,
  background,
  contextKey,
  sharedKey,
  withCancel,
  withDeadline,
  withoutCancel,
  withSignal,
  withTimeout,
  withValue,
} from "lifeguard";

/** @typedef {import("lifeguard").Context} Context */
/** @typedef {import("./random.mjs").Random} Random */
/** @typedef {import("./soak.mjs").Soak} Soak */

/**
 * @typedef {object} Shape
 * @property {Context} ctx
 * @property {() => void} release ends whatever of it has not ended, and lets go of it
 */

const tenant = sharedKey("soak.tenant");
const mine = contextKey("soak.private");

/**
 * A context drawn at random.
 *
 * @param {Soak} soak
 * @param {Random} random
 * @param {boolean} mustEnd soon, by itself
 * @param {Context} [parent]
 * @returns {Shape}
 */
export function shape(soak, random, mustEnd, parent = soak.root) {
  /** @type {(() => void)[]} */
  const ends = [];
  let ctx = parent;
  if (random.chance(0.3)) ctx = withValue(ctx, tenant, `tenant ${String(random.int(0, 999))}`);
  if (random.chance(0.1)) ctx = withValue(ctx, mine, () => {});
  const soon = () =>
    random.weighted([
      [3, random.int(0, 3)],
      [3, random.int(4, 40)],
      [1, random.int(41, 200)],
    ]);
  const later = (/** @type {(cause?: unknown) => void} */ cancel, /** @type {unknown} */ cause) => {
    const timer = setTimeout(() => {
      soak.counts.cancellations++;
      cancel(cause);
    }, soon());
    ends.push(() => {
      clearTimeout(timer);
      cancel();
    });
  };
  /** @type {readonly (readonly [number, string])[]} */
  const ways = [
    [mustEnd ? 0 : 6, "live"],
    [3, "timeout"],
    [2, "deadline"],
    [4, "cancel"],
    [2, "signal"],
    [1, "custom"],
    [1, "cut off"],
    [0.5, "over"],
  ];
  switch (random.weighted(ways)) {
    case "live": {
      const [child, cancel] = withCancel(ctx);
      ctx = child;
      ends.push(cancel);
      break;
    }
    case "timeout": {
      const [child, cancel] = withTimeout(ctx, soon(), random.chance(0.3) ? "too late" : undefined);
      ctx = child;
      ends.push(cancel);
      break;
    }
    case "deadline": {
      const [child, cancel] = withDeadline(ctx, Date.now() + soon());
      ctx = child;
      ends.push(cancel);
      break;
    }
    case "cancel": {
      const [child, cancel] = withCancel(ctx);
      ctx = child;
      later(cancel, random.pick([undefined, "soak", null, { why: "soak" }]));
      break;
    }
    case "signal": {
      // Below one that lasts as well: it is to hear nothing more of those that have ended.
      const controller = new AbortController();
      const [outer, cancelOuter] = withSignal(ctx, soak.lasting.signal);
      const [child, cancel] = withSignal(outer, controller.signal);
      ctx = child;
      ends.push(cancel, cancelOuter);
      later(() => controller.abort(), undefined);
      break;
    }
    case "custom": {
      const [child, cancel] = withCancel(ctx);
      ctx = custom(child);
      later(cancel, "custom");
      break;
    }
    case "cut off": {
      // A child of what has ended, and does not end with it; it has a time of its own.
      const [over, cancelOver] = withCancel(ctx);
      cancelOver();
      const [child, cancel] = withTimeout(withoutCancel(over), soon());
      ctx = child;
      ends.push(cancel);
      break;
    }
    default: {
      const [child, cancel] = withCancel(ctx);
      cancel("before");
      ctx = child;
    }
  }
  if (random.chance(0.2)) ends.push(afterFunc(ctx, () => {}));
  soak.release(ctx);
  return {
    ctx,
    release() {
      for (const end of ends.reverse()) end();
    },
  };
}

/** A context of somebody else's: with an end and a deadline of its own. @param {Context} inner @returns {Context} */
function custom(inner) {
  const done = inner.done().then(() => {});
  return {
    deadline: () => undefined,
    done: () => done,
    err: () => inner.err(),
    value: (key) => (key === mine ? undefined : background.value(key)),
    throwIfDone: () => inner.throwIfDone(),
    get signal() {
      return inner.signal;
    },
  };
}
