import { mock } from "node:test";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  afterFunc,
  background,
  CanceledError,
  type CancelFunc,
  type Context,
  cause,
  contextKey,
  DeadlineExceededError,
  Group,
  race,
  remaining,
  sleep,
  withCancel,
  withDeadline,
  withoutCancel,
  withSignal,
  withTimeout,
  withValue,
} from "../../src/context/index.js";
import { runScript } from "../support/child.js";
import { Delegating } from "../support/contexts.js";
import { collectable } from "../support/memory.js";
import { microtask, settles, turn } from "../support/turn.js";
import { uncaughtDuring } from "../support/uncaught.js";

const hour = 3_600_000;
const maxDelay = 2 ** 31 - 1;
const key = contextKey<unknown>("key");

// Every context of a test hangs below `root`, so that none of its deadlines is still there in the next one.
let root: Context;
let cancelRoot: CancelFunc;

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(new Date("2030-01-02T03:04:05.678Z"));
  [root, cancelRoot] = withCancel(background);
});

afterEach(() => {
  cancelRoot();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Moves the monotonic clock and runs no timer, as a blocked event loop does. */
function block(ms: number): void {
  const at = performance.now() + ms;
  vi.spyOn(performance, "now").mockImplementation(() => at);
}

/** The signal as a witness: asked for before, it hears of the end, and looking at it is no poll. */
function witness([ctx]: [Context, CancelFunc]): AbortSignal {
  return ctx.signal;
}

describe("firing", () => {
  test("21. withTimeout ends the context after that time, neither earlier nor later", () => {
    const [ctx] = withTimeout(root, 1000);
    vi.advanceTimersByTime(999);
    expect(ctx.err()).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(ctx.err()).toBeInstanceOf(DeadlineExceededError);
    expect(cause(ctx)).toBe(ctx.err());
    expect(ctx.err()?.cause).toBeUndefined();
  });

  test("21. the timer ends the context by itself: done and signal need no poll", async () => {
    const [ctx] = withTimeout(root, 1000);
    const done = ctx.done();
    const { signal } = ctx;
    let ran = 0;
    afterFunc(ctx, () => ran++);
    vi.advanceTimersByTime(999);
    expect(await settles(done)).toBe(false);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBeInstanceOf(DeadlineExceededError);
    expect(await settles(done)).toBe(true);
    expect(ran).toBe(1);
    expect(signal.reason).toBe(ctx.err());
  });

  test("21. the cause given to withTimeout or withDeadline is the cause, and err().cause", () => {
    const why = { slow: true };
    for (const [ctx] of [withTimeout(root, 1000, why), withDeadline(root, Date.now() + 1000, why)]) {
      expect(cause(ctx)).toBeUndefined();
    }
    const contexts = [
      withTimeout(root, 500, why)[0],
      withDeadline(root, Date.now() + 500, why)[0],
      withTimeout(root, 0, why)[0],
    ];
    vi.advanceTimersByTime(500);
    for (const ctx of contexts) {
      expect(ctx.err()).toBeInstanceOf(DeadlineExceededError);
      expect(cause(ctx)).toBe(why);
      expect(ctx.err()?.cause).toBe(why);
    }
  });

  test("21. null, 0 and the empty string are causes of a deadline, undefined is none", () => {
    for (const why of [null, 0, ""]) expect(cause(withTimeout(root, 0, why)[0])).toBe(why);
    const [ctx] = withTimeout(root, 0, undefined);
    expect(cause(ctx)).toBe(ctx.err());
  });

  test("21. withDeadline takes a Date or milliseconds since the epoch", () => {
    const when = Date.now() + 1000;
    const contexts = [withDeadline(root, when)[0], withDeadline(root, new Date(when))[0]];
    for (const ctx of contexts) expect(ctx.deadline()).toBe(when);
    vi.advanceTimersByTime(999);
    for (const ctx of contexts) expect(ctx.err()).toBeUndefined();
    vi.advanceTimersByTime(1);
    for (const ctx of contexts) expect(ctx.err()).toBeInstanceOf(DeadlineExceededError);
  });

  test("21. many deadlines fire each in its own time, whatever the order they were made in", () => {
    const delays = Array.from({ length: 500 }, (_, i) => 1 + ((i * 7919) % 500));
    const contexts = delays.map((ms) => withTimeout(root, ms)[0]);
    const signals = contexts.map((ctx) => ctx.signal);
    for (let now = 1; now <= 500; now++) {
      vi.advanceTimersByTime(1);
      signals.forEach(({ aborted: ended }, i) => {
        if (ended !== (delays[i] ?? 0) <= now)
          expect.unreachable(`the deadline at ${String(delays[i])} at ${String(now)}`);
      });
    }
    expect(contexts.every((ctx) => ctx.err() instanceof DeadlineExceededError)).toBe(true);
  });

  for (const ms of [0, -0, -1, -hour, -Infinity]) {
    test(`22. a timeout of ${Object.is(ms, -0) ? "-0" : String(ms)} is expired on return, with its cause, and makes no timer`, async () => {
      const [ctx] = withTimeout(root, ms, "too late");
      expect(ctx.err()).toBeInstanceOf(DeadlineExceededError);
      expect(cause(ctx)).toBe("too late");
      expect(ctx.signal.aborted).toBe(true);
      await expect(ctx.done()).resolves.toBeUndefined();
      expect(vi.getTimerCount()).toBe(0);
    });
  }

  test("22. a deadline that is now or past is expired on return", () => {
    for (const when of [Date.now(), Date.now() - 1, 0, new Date(0)]) {
      const [ctx] = withDeadline(root, when);
      expect(ctx.err()).toBeInstanceOf(DeadlineExceededError);
      expect(ctx.deadline()).toBe(Number(when));
    }
  });

  test("22. a parent that is already cancelled wins over a deadline that is past, with its own error and cause", () => {
    const [parent, cancel] = withCancel(root);
    cancel("parent");
    for (const [ctx] of [
      withTimeout(parent, 0, "child"),
      withDeadline(parent, 0, "child"),
      withTimeout(parent, -1),
    ]) {
      expect(ctx.err()).toBe(parent.err());
      expect(ctx.err()).toBeInstanceOf(CanceledError);
      expect(cause(ctx)).toBe("parent");
    }
  });

  test("22. cancelling what was expired on return changes nothing", () => {
    const [ctx, cancel] = withTimeout(root, 0);
    const err = ctx.err();
    cancel("late");
    expect(ctx.err()).toBe(err);
    expect(cause(ctx)).toBe(err);
  });
});

describe("deadline() and remaining()", () => {
  test("5. deadline() is an estimate in milliseconds since the epoch, stable, and still reported after the end", () => {
    const [expiring] = withTimeout(root, 1000);
    const [cancelled, cancel] = withTimeout(root, 2000);
    const start = Date.now();
    for (let now = 0; now < 3; now++) {
      expect(expiring.deadline()).toBe(start + 1000);
      expect(cancelled.deadline()).toBe(start + 2000);
      vi.advanceTimersByTime(500);
      if (now === 0) cancel();
    }
    expect(expiring.err()).toBeInstanceOf(DeadlineExceededError);
    expect(cancelled.err()).toBeInstanceOf(CanceledError);
    expect(expiring.deadline()).toBe(start + 1000);
    expect(cancelled.deadline()).toBe(start + 2000);
  });

  test("5. without a deadline, deadline() is undefined and remaining() Infinity", () => {
    for (const ctx of [
      root,
      withValue(root, key, 1),
      withSignal(root, new AbortController().signal)[0],
      withoutCancel(root),
    ]) {
      expect(ctx.deadline()).toBeUndefined();
      expect(remaining(ctx)).toBe(Infinity);
    }
  });

  test("5. remaining() counts down and is 0 when the deadline is past", () => {
    const [ctx] = withTimeout(root, 1000);
    expect(remaining(ctx)).toBe(1000);
    vi.advanceTimersByTime(400);
    expect(remaining(ctx)).toBe(600);
    expect(remaining(withCancel(withValue(ctx, key, 1))[0])).toBe(600);
    vi.advanceTimersByTime(5000);
    expect(remaining(ctx)).toBe(0);
    expect(remaining(withTimeout(root, -5)[0])).toBe(0);
  });

  test("5. remaining() sees through contexts that delegate", () => {
    const [ctx] = withTimeout(root, 1000);
    vi.advanceTimersByTime(400);
    expect(remaining(new Delegating(ctx))).toBe(600);
    expect(remaining(withCancel(new Delegating(ctx))[0])).toBe(600);
  });

  test("5. remaining() has fractions, as the monotonic clock has", () => {
    const [ctx] = withTimeout(root, 1000);
    block(0.25);
    expect(remaining(ctx)).toBe(999.75);
  });

  test("6. children and value layers report the parent's deadline", () => {
    const [ctx] = withTimeout(root, 1000);
    for (const child of [
      withCancel(ctx)[0],
      withValue(ctx, key, 1),
      withSignal(ctx, new AbortController().signal)[0],
    ]) {
      expect(child.deadline()).toBe(ctx.deadline());
      expect(child.deadline()).toBe(Date.now() + 1000);
    }
  });
});

describe("below a parent with a deadline", () => {
  test("23. a deadline later than the parent's: the parent's is kept and no timer is made", () => {
    const [parent] = withTimeout(root, 1000);
    const setTimeoutSpy = vi.spyOn(globalThis, "setTimeout");
    const [child] = withTimeout(parent, 1001, "child");
    expect(setTimeoutSpy).not.toHaveBeenCalled();
    expect(child.deadline()).toBe(parent.deadline());
    vi.advanceTimersByTime(1000);
    expect(child.err()).toBe(parent.err());
    expect(child.err()).toBeInstanceOf(DeadlineExceededError);
  });

  test("23. an earlier deadline fires alone", () => {
    const [parent] = withTimeout(root, 1000, "parent");
    const [child] = withTimeout(parent, 999, "child");
    expect(child.deadline()).toBe(Date.now() + 999);
    vi.advanceTimersByTime(999);
    expect(cause(child)).toBe("child");
    expect(parent.err()).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(cause(parent)).toBe("parent");
    expect(cause(child)).toBe("child");
    expect(child.err()).not.toBe(parent.err());
  });

  test("23. an equal deadline ends both at that time", () => {
    const [parent] = withTimeout(root, 1000);
    const [child] = withTimeout(parent, 1000);
    expect(child.deadline()).toBe(parent.deadline());
    expect(String(child)).toBe(`${String(parent)}.withDeadline`); // as in Go, equal is not earlier: it has its own
    vi.advanceTimersByTime(999);
    expect(child.err()).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(child.err()).toBeInstanceOf(DeadlineExceededError);
    expect(parent.err()).toBeInstanceOf(DeadlineExceededError);
  });

  test("23. the parent's deadline holds through value layers, cancellable contexts and delegating ones", () => {
    const [parent] = withTimeout(root, 1000);
    for (const between of [
      withValue(parent, key, 1),
      withCancel(parent)[0],
      new Delegating(parent),
      withTimeout(parent, 5000)[0],
    ]) {
      const [later] = withTimeout(between, 2000, "later");
      const [earlier] = withTimeout(between, 100, "earlier");
      expect(later.deadline()).toBe(parent.deadline());
      expect(earlier.deadline()).toBe(Date.now() + 100);
    }
  });

  test("25. the parent's deadline gives children its own DeadlineExceededError, not a CanceledError", () => {
    const [parent] = withTimeout(root, 1000, "slow");
    const children = [
      withCancel(parent)[0],
      withCancel(withValue(parent, key, 1))[0],
      withTimeout(parent, 5000)[0],
    ];
    vi.advanceTimersByTime(1000);
    for (const child of children) {
      expect(child.err()).toBe(parent.err());
      expect(child.err()).toBeInstanceOf(DeadlineExceededError);
      expect(cause(child)).toBe("slow");
    }
    expect(withCancel(parent)[0].err()).toBe(parent.err());
  });

  test("27. the deadline's cause is dropped when the parent's deadline is the earlier one", () => {
    const [parent] = withTimeout(root, 1000);
    const [child] = withTimeout(parent, 2000, "child");
    const [other] = withTimeout(withTimeout(root, 1000, "parent")[0], 2000, "child");
    vi.advanceTimersByTime(5000);
    expect(cause(child)).toBe(parent.err());
    expect(child.err()?.cause).toBeUndefined();
    expect(cause(other)).toBe("parent");
  });

  test("27. an unlimited child keeps the parent's deadline and drops its own cause", () => {
    const [parent] = withTimeout(root, 1000, "parent");
    const [child] = withTimeout(parent, Infinity, "child");
    expect(child.deadline()).toBe(parent.deadline());
    expect(remaining(child)).toBe(1000);
    vi.advanceTimersByTime(1000);
    expect(cause(child)).toBe("parent");
  });
});

describe("cancel against the timer", () => {
  test("24. cancelled before it fires: a CanceledError, and the timer is gone", () => {
    const [ctx, cancel] = withTimeout(root, 1000, "deadline");
    expect(vi.getTimerCount()).toBe(1);
    cancel("cancelled");
    expect(vi.getTimerCount()).toBe(0);
    expect(ctx.err()).toBeInstanceOf(CanceledError);
    expect(cause(ctx)).toBe("cancelled");
  });

  test("24. the parent cancelled: the timer is gone, too", () => {
    const [parent, cancel] = withCancel(root);
    const [child] = withTimeout(withValue(parent, key, 1), 1000);
    withTimeout(child, 500);
    expect(vi.getTimerCount()).toBe(1);
    cancel();
    expect(vi.getTimerCount()).toBe(0);
    expect(child.err()).toBeInstanceOf(CanceledError);
  });

  test("24. a signal's abort takes the timers below it away", () => {
    const controller = new AbortController();
    const [parent] = withSignal(root, controller.signal);
    withTimeout(parent, 1000);
    controller.abort();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("24. fired: off the parent's list, and no timer is left", async () => {
    const made = () => {
      const [ctx] = withTimeout(root, 1000);
      void ctx.done();
      vi.advanceTimersByTime(1000);
      expect(ctx.err()).toBeInstanceOf(DeadlineExceededError);
      return ctx;
    };
    expect(await collectable(made)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
    expect(root.err()).toBeUndefined();
  });

  test("24. seen as expired by a poll: off the parent's list, and no timer is left", async () => {
    const made = () => {
      const [ctx] = withTimeout(root, 1000);
      block(1000);
      expect(ctx.err()).toBeInstanceOf(DeadlineExceededError);
      return ctx;
    };
    expect(await collectable(made)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
    expect(root.err()).toBeUndefined();
  });

  test("24. a context that waited for its deadline is not held by the parent once cancelled, nor by the clock", async () => {
    const [other] = withTimeout(root, 500);
    const made = () => {
      const [ctx, cancel] = withTimeout(root, 1000);
      cancel();
      return ctx;
    };
    expect(await collectable(made)).toBe(true);
    expect(other.err()).toBeUndefined();
  });

  test("26. cancel first: the timer changes nothing", () => {
    const [ctx, cancel] = withTimeout(root, 1000, "deadline");
    vi.advanceTimersByTime(999);
    cancel("cancelled");
    const err = ctx.err();
    vi.advanceTimersByTime(hour);
    expect(ctx.err()).toBe(err);
    expect(ctx.err()).toBeInstanceOf(CanceledError);
    expect(cause(ctx)).toBe("cancelled");
  });

  test("26. the timer first: cancel changes nothing", () => {
    const [ctx, cancel] = withTimeout(root, 1000, "deadline");
    vi.advanceTimersByTime(1000);
    const err = ctx.err();
    cancel("cancelled");
    expect(ctx.err()).toBe(err);
    expect(ctx.err()).toBeInstanceOf(DeadlineExceededError);
    expect(cause(ctx)).toBe("deadline");
  });

  test("26. in the very turn of the deadline exactly one wins, and listeners hear once", async () => {
    for (const cancelFirst of [true, false]) {
      const [ctx, cancel] = withTimeout(root, 1000, "deadline");
      let heard = 0;
      ctx.signal.addEventListener("abort", () => heard++);
      afterFunc(ctx, () => heard++);
      if (cancelFirst) cancel("cancelled");
      vi.advanceTimersByTime(1000);
      cancel("cancelled");
      await turn();
      expect(heard).toBe(2);
      expect(cause(ctx)).toBe(cancelFirst ? "cancelled" : "deadline");
    }
  });

  test("26. cancel after the deadline, before the timer could run: it is the deadline that has ended it", () => {
    const [ctx, cancel] = withTimeout(root, 1000, "deadline");
    block(1500);
    cancel("cancelled");
    expect(ctx.err()).toBeInstanceOf(DeadlineExceededError);
    expect(cause(ctx)).toBe("deadline");
  });
});

describe("long and unlimited durations", () => {
  test("29. 1000 hours is more than a timer can hold, and neither fires early nor late", () => {
    const [ctx] = withTimeout(root, 1000 * hour);
    expect(1000 * hour).toBeGreaterThan(maxDelay);
    const { signal } = ctx;
    for (const step of [1, maxDelay - 1, 1, 1]) {
      vi.advanceTimersByTime(step);
      expect(signal.aborted).toBe(false);
      expect(ctx.err()).toBeUndefined();
    }
    vi.advanceTimersByTime(1000 * hour - maxDelay - 2 - 1);
    expect(signal.aborted).toBe(false);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1);
    vi.advanceTimersByTime(1);
    expect(signal.aborted).toBe(true);
    expect(ctx.err()).toBeInstanceOf(DeadlineExceededError);
    expect(vi.getTimerCount()).toBe(0);
  });

  for (const ms of [maxDelay - 1, maxDelay, maxDelay + 1, 2 * maxDelay, 2 * maxDelay + 1]) {
    test(`29. a timeout of ${String(ms)} ms fires then`, () => {
      const { signal } = withTimeout(root, ms)[0];
      vi.advanceTimersByTime(ms - 1);
      expect(signal.aborted).toBe(false);
      vi.advanceTimersByTime(1);
      expect(signal.aborted).toBe(true);
    });
  }

  test("29. no timer is ever asked for more than 2^31-1 ms", () => {
    const setTimeoutSpy = vi.spyOn(globalThis, "setTimeout");
    withTimeout(root, 1000 * hour);
    withDeadline(root, new Date(8.64e15));
    withTimeout(root, Number.MAX_VALUE);
    vi.advanceTimersByTime(maxDelay);
    expect(setTimeoutSpy).toHaveBeenCalled();
    for (const [, delay] of setTimeoutSpy.mock.calls) expect(delay).toBeLessThanOrEqual(maxDelay);
    expect(vi.getTimerCount()).toBe(1);
  });

  test("29. Infinity means no deadline and makes no timer", () => {
    for (const [ctx, cancel] of [
      withTimeout(root, Infinity, "never"),
      withDeadline(root, Infinity, "never"),
    ]) {
      expect(ctx.deadline()).toBeUndefined();
      expect(remaining(ctx)).toBe(Infinity);
      expect(vi.getTimerCount()).toBe(0);
      vi.advanceTimersByTime(hour);
      expect(ctx.err()).toBeUndefined();
      cancel("done");
      expect(ctx.err()).toBeInstanceOf(CanceledError);
      expect(cause(ctx)).toBe("done");
    }
  });

  test("29. NaN throws, and so does an invalid Date", () => {
    expect(() => withTimeout(root, Number.NaN)).toThrow(/withTimeout.*NaN/);
    expect(() => withDeadline(root, Number.NaN)).toThrow(/withDeadline.*NaN/);
    expect(() => withDeadline(root, new Date(Number.NaN))).toThrow(/withDeadline/);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("the clock", () => {
  test("30. err() of an expired context is set although the timer has not run yet", () => {
    const [ctx] = withTimeout(root, 1000, "blocked");
    block(999);
    expect(ctx.err()).toBeUndefined();
    block(1);
    expect(ctx.err()).toBeInstanceOf(DeadlineExceededError);
    expect(cause(ctx)).toBe("blocked");
    expect(vi.getTimerCount()).toBe(0);
  });

  /** Each of these is the first to look at a context whose deadline has passed unseen, at some place below it. */
  const questions: Record<string, (ctx: Context) => unknown> = {
    "err()": (ctx) => ctx.err() instanceof DeadlineExceededError,
    "throwIfDone()": (ctx) => {
      expect(() => {
        ctx.throwIfDone();
      }).toThrow(DeadlineExceededError);
      return true;
    },
    "done()": async (ctx) => {
      let reacted = false;
      void ctx.done().then(() => {
        reacted = true;
      });
      await microtask();
      return reacted;
    },
    "signal.aborted": (ctx) => ctx.signal.aborted && ctx.signal.reason instanceof DeadlineExceededError,
    "cause()": (ctx) => cause(ctx) === "blocked",
    "remaining()": (ctx) => remaining(ctx) === 0,
    "afterFunc()": async (ctx) => {
      let ran = false;
      afterFunc(ctx, () => {
        ran = true;
      });
      expect(ran).toBe(false);
      await turn();
      return ran;
    },
    "withCancel()": (ctx) => withCancel(ctx)[0].signal.reason instanceof DeadlineExceededError,
    "withTimeout()": (ctx) => cause(withTimeout(ctx, 500, "own")[0]) === "blocked",
    "withTimeout() of 0": (ctx) => cause(withTimeout(ctx, 0, "own")[0]) === "blocked",
    "withDeadline()": (ctx) => cause(withDeadline(ctx, 0, "own")[0]) === "blocked",
    "withValue()": (ctx) => withValue(ctx, key, 1).err() instanceof DeadlineExceededError,
    "withSignal()": (ctx) =>
      withSignal(ctx, AbortSignal.abort("own"))[0].err() instanceof DeadlineExceededError,
    "new Group()": (ctx) => new Group(ctx).ctx.err() instanceof DeadlineExceededError,
    "race()": async (ctx) => {
      const error: unknown = await race(ctx, new Promise(() => undefined)).catch((reason: unknown) => reason);
      return error instanceof DeadlineExceededError;
    },
    "sleep()": async (ctx) => {
      const error: unknown = await sleep(ctx, 5000).catch((reason: unknown) => reason);
      return error instanceof DeadlineExceededError;
    },
  };
  const places: Record<string, (ctx: Context) => Context> = {
    itself: (ctx) => ctx,
    "a value layer": (ctx) => withValue(ctx, key, 1),
    "a child": (ctx) => withCancel(ctx)[0],
    "a grandchild through values": (ctx) =>
      withCancel(withValue(withCancel(withValue(ctx, key, 1))[0], key, 2))[0],
    "a child with a later deadline": (ctx) => withTimeout(ctx, hour)[0],
    "a child of a signal": (ctx) => withSignal(ctx, new AbortController().signal)[0],
    "a delegating context": (ctx) => new Delegating(ctx),
    "a child of a delegating context": (ctx) => withCancel(new Delegating(ctx))[0],
    "a child with a later deadline, of a delegating context": (ctx) =>
      withTimeout(new Delegating(ctx), hour)[0],
  };
  for (const [question, ask] of Object.entries(questions)) {
    test(`30. ${question} sees that the deadline has passed, though no timer and nobody else has, at any place below`, async () => {
      for (const [place, derive] of Object.entries(places)) {
        vi.restoreAllMocks();
        const [ctx, cancel] = withTimeout(root, 1000, "blocked");
        const asked = derive(ctx);
        block(1000);
        expect(await ask(asked), place).toBe(true);
        cancel();
      }
    });
  }

  test("30. what was asked for before the block hears of the end as soon as anyone polls", async () => {
    const [ctx] = withTimeout(root, 1000);
    const [child] = withCancel(ctx);
    const { signal } = child;
    const done = child.done();
    let ran = 0;
    afterFunc(child, () => ran++);
    block(1000);
    expect(signal.aborted).toBe(false);
    expect(ctx.err()).toBeDefined();
    expect(signal.aborted).toBe(true);
    expect(await settles(done)).toBe(true);
    expect(ran).toBe(1);
  });

  test("30. a child that expired unseen keeps its own error when a later deadline above it is seen first", () => {
    const [parent] = withTimeout(root, 1000, "parent");
    const [child] = withTimeout(parent, 500, "child");
    block(2000);
    expect(cause(parent)).toBe("parent");
    expect(cause(child)).toBe("child");
  });

  test("30. a poll that sees the end at one place leaves deadlines that have not passed alone", () => {
    const [early] = withTimeout(root, 500);
    const [late] = withTimeout(root, 1500);
    block(1000);
    expect(early.err()).toBeDefined();
    expect(late.err()).toBeUndefined();
    expect(root.err()).toBeUndefined();
    expect(vi.getTimerCount()).toBe(1);
  });

  for (const [direction, step] of [
    ["forward", hour],
    ["back", -hour],
  ] as const) {
    test(`30. a step of the system clock ${direction} neither fires nor delays a deadline, nor moves deadline()`, () => {
      const [ctx] = withTimeout(root, 1000);
      const [byDate] = withDeadline(root, new Date(Date.now() + 1000));
      const deadline = ctx.deadline();
      const signals = [ctx.signal, byDate.signal];
      vi.setSystemTime(Date.now() + step);
      for (const each of [ctx, byDate]) {
        expect(each.err()).toBeUndefined();
        expect(remaining(each)).toBe(1000);
        expect(each.deadline()).toBe(deadline);
      }
      vi.advanceTimersByTime(999);
      for (const each of [ctx, byDate]) expect(each.err()).toBeUndefined();
      vi.advanceTimersByTime(1);
      for (const signal of signals) expect(signal.aborted).toBe(true);
    });

    for (const [place, derive] of Object.entries({
      "the parent": (ctx: Context) => ctx,
      "a value layer": (ctx: Context) => withValue(ctx, key, 1),
      "a delegating context": (ctx: Context) => new Delegating(ctx),
    })) {
      test(`30. after a step ${direction}, which of two deadlines is the earlier is told by the monotonic clock, below ${place}`, () => {
        const [parent] = withTimeout(root, 10_000, "parent");
        vi.setSystemTime(Date.now() + step);
        const [later] = withTimeout(derive(parent), 20_000, "later");
        const [earlier] = withTimeout(derive(parent), 500, "earlier");
        expect(later.deadline()).toBe(parent.deadline());
        vi.advanceTimersByTime(500);
        expect(cause(earlier)).toBe("earlier");
        expect(later.err()).toBeUndefined();
        vi.advanceTimersByTime(9500);
        expect(cause(later)).toBe("parent");
      });
    }
  }

  test("30. a step of the system clock does not move remaining() below the context, nor through a delegating one", () => {
    const [ctx] = withTimeout(root, 1000);
    vi.setSystemTime(Date.now() + hour);
    expect(remaining(withCancel(ctx)[0])).toBe(1000);
    expect(remaining(new Delegating(ctx))).toBe(1000);
    expect(remaining(withCancel(new Delegating(ctx))[0])).toBe(1000);
  });
});

describe("the timer", () => {
  test("one armed timer serves a thousand live deadlines, and goes with the last", () => {
    const contexts = Array.from({ length: 1000 }, (_, i) => withTimeout(root, 1000 + ((i * 7919) % 1000)));
    const signals = contexts.map(witness);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1500);
    expect(vi.getTimerCount()).toBe(1);
    expect(signals.filter((signal) => signal.aborted)).toHaveLength(501);
    for (const [, cancel] of contexts) cancel();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("after the only deadline context is cancelled no timer is left, and the next one works", () => {
    for (let i = 0; i < 3; i++) {
      const [, cancel] = withTimeout(root, 1000);
      expect(vi.getTimerCount()).toBe(1);
      cancel();
      expect(vi.getTimerCount()).toBe(0);
    }
    const signal = witness(withTimeout(root, 1000));
    vi.advanceTimersByTime(1000);
    expect(signal.aborted).toBe(true);
  });

  test("an earlier deadline made later is not kept waiting by the one before it", () => {
    const late = witness(withTimeout(root, 5000));
    const early = witness(withTimeout(root, 100));
    vi.advanceTimersByTime(100);
    expect(early.aborted).toBe(true);
    expect(late.aborted).toBe(false);
    vi.advanceTimersByTime(4900);
    expect(late.aborted).toBe(true);
  });

  test("cancelling the earliest leaves the others their time", () => {
    const [, cancel] = withTimeout(root, 100);
    const late = witness(withTimeout(root, 300));
    cancel();
    vi.advanceTimersByTime(299);
    expect(late.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(late.aborted).toBe(true);
  });

  test("a deadline made by what another deadline set off fires in its own time", async () => {
    let next: AbortSignal | undefined;
    const [ctx] = withTimeout(root, 100);
    ctx.signal.addEventListener("abort", () => {
      next = witness(withTimeout(root, 50));
    });
    withTimeout(root, 1000);
    vi.advanceTimersByTime(149);
    expect(next?.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(next?.aborted).toBe(true);
    await turn();
  });

  test("an abort listener that throws keeps no other deadline from firing", async () => {
    const failure = new Error("from a listener");
    const [first] = withTimeout(root, 100);
    const [second] = withTimeout(root, 100);
    const third = witness(withTimeout(root, 200));
    const { signal } = second;
    first.signal.addEventListener("abort", () => {
      throw failure;
    });
    const uncaught = await uncaughtDuring(() => {
      vi.advanceTimersByTime(100);
    });
    expect(uncaught).toEqual([{ origin: "uncaughtException", error: failure }]);
    expect(signal.aborted).toBe(true);
    expect(third.aborted).toBe(false);
    vi.advanceTimersByTime(100);
    expect(third.aborted).toBe(true);
  });

  test("timers that are looked up when used: fakes that come later than the library work, and those that have gone", () => {
    vi.useRealTimers();
    const [before, cancelBefore] = withTimeout(root, hour);
    vi.useFakeTimers();
    const ctx = witness(withTimeout(root, 1000));
    vi.advanceTimersByTime(1000);
    expect(ctx.aborted).toBe(true);
    expect(before.err()).toBeUndefined();
    const [forgotten] = withTimeout(root, 1000);
    vi.useRealTimers();
    vi.useFakeTimers();
    const again = witness(withTimeout(root, 500));
    vi.advanceTimersByTime(500);
    expect(again.aborted).toBe(true);
    expect(forgotten.deadline()).toBeDefined();
    cancelBefore();
  });
});

// Long enough, all of them, that the real clock does not come to their end while a busy machine is between two lines.
describe("fakes that fake timers and not the clock", () => {
  test("a context has expired once setTimeout's clock has advanced by its duration", () => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    for (const ms of [100, 101, 102, 110, 1000]) {
      const [ctx] = withTimeout(root, ms);
      const { signal } = ctx; // not polled here: the real clock goes on
      vi.advanceTimersByTime(ms - 1);
      expect(signal.aborted).toBe(false);
      vi.advanceTimersByTime(1);
      expect(signal.aborted).toBe(true);
      expect(ctx.err()).toBeInstanceOf(DeadlineExceededError);
      expect(vi.getTimerCount()).toBe(0);
    }
  });

  test("each of several contexts has, when its own duration is over", () => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const contexts = [700, 1000, 2500, 1000.5, 100].map(
      (ms) => [ms, withTimeout(root, ms)[0].signal] as const,
    );
    let clock = 0;
    for (const step of [99, 1, 599, 1, 299, 1, 1, 1498, 1]) {
      vi.advanceTimersByTime(step);
      clock += step;
      for (const [ms, signal] of contexts) {
        expect(signal.aborted, `${String(ms)} at ${String(clock)}`).toBe(ms <= clock);
      }
    }
    expect(clock).toBe(2500);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("29. a duration that no timer can hold neither fires early nor late under such fakes", () => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { signal } = withTimeout(root, 1000 * hour)[0];
    vi.advanceTimersByTime(1000 * hour - 1);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(signal.aborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("also when the library is loaded under the fakes", async () => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    vi.resetModules();
    const copy = await import("../../src/context/index.js");
    expect(copy.withTimeout).not.toBe(withTimeout);
    const [ctx] = copy.withTimeout(copy.background, 1000);
    vi.advanceTimersByTime(1000);
    expect(ctx.err()).toBeInstanceOf(copy.DeadlineExceededError);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("whatever fraction of a millisecond the real clock stands at, to the millisecond", () => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    for (let i = 0; i < 2000; i++) {
      const at = performance.now();
      const ms = 100 + ((i * 37) % 5000);
      const { signal } = withTimeout(root, ms)[0];
      vi.advanceTimersByTime(ms - 1);
      expect(signal.aborted, `early: ${String(ms)} ms from ${String(at)} on`).toBe(false);
      vi.advanceTimersByTime(1);
      expect(signal.aborted, `late: ${String(ms)} ms from ${String(at)} on`).toBe(true);
    }
    expect(vi.getTimerCount()).toBe(0);
  });

  test("node:test's mock timers", () => {
    vi.useRealTimers();
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      const [ctx] = withTimeout(root, 1000);
      const [cancelled, cancel] = withTimeout(root, 500);
      cancel();
      mock.timers.tick(999);
      expect(ctx.err()).toBeUndefined();
      mock.timers.tick(1);
      expect(ctx.err()).toBeInstanceOf(DeadlineExceededError);
      expect(cancelled.err()).toBeInstanceOf(CanceledError);
    } finally {
      mock.timers.reset();
    }
  });

  test("sleep is woken by such a fake, too", async () => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const slept = sleep(root, 1000);
    vi.advanceTimersByTime(1000);
    await expect(slept).resolves.toBeUndefined();
  });
});

describe("in a process of its own", () => {
  const use = `import { background, sleep, withTimeout, withDeadline, withCancel } from "lifeguard/context";\n`;

  test("the timers of deadlines never keep the process alive", async () => {
    const exit = await runScript(`${use}
      const [ctx] = withTimeout(background, 60_000);
      withDeadline(background, Date.now() + 3_000_000_000);
      ctx.done().then(() => console.log("fired"));
      ctx.signal.addEventListener("abort", () => console.log("aborted"));
      console.log("end");`);
    expect(exit).toEqual({ code: 0, signal: null, stdout: "end\n", stderr: "" });
  });

  test("sleep does keep the process alive", async () => {
    const exit = await runScript(`${use}
      withTimeout(background, 60_000);
      sleep(background, 20).then(() => console.log("woke"));`);
    expect(exit).toEqual({ code: 0, signal: null, stdout: "woke\n", stderr: "" });
  });

  test("a sleep that was cancelled does not", async () => {
    const exit = await runScript(`${use}
      const [ctx, cancel] = withCancel(background);
      sleep(ctx, 60_000).catch((error) => console.log(error.code));
      cancel();`);
    expect(exit).toEqual({ code: 0, signal: null, stdout: "ABORT_ERR\n", stderr: "" });
  });

  test("a deadline ends a longer sleep on the real clock, and then nothing is left to wait for", async () => {
    const exit = await runScript(`${use}
      const [ctx] = withTimeout(background, 20, "enough");
      sleep(ctx, 60_000).catch((error) => console.log(error.code, error.cause));`);
    expect(exit).toEqual({ code: 0, signal: null, stdout: "ERR_DEADLINE_EXCEEDED enough\n", stderr: "" });
  });

  test("a poll in a blocked event loop sees the deadline pass on the real clock", async () => {
    const exit = await runScript(`${use}
      const [ctx] = withTimeout(background, 20);
      while (ctx.err() === undefined);
      console.log(ctx.err().name, ctx.signal.aborted);`);
    expect(exit).toEqual({ code: 0, signal: null, stdout: "TimeoutError true\n", stderr: "" });
  });
});
