/**
 * Random programs, run with Go's own contexts and errgroup and with ours: everything that can be seen is the same. What a
 * program is, and why it has only one right trace: program.mjs. `npm run against-go` runs more of them.
 */

import type { CancelFunc, Context, ContextKey } from "lifeguard/context";
import * as lifeguard from "lifeguard/context";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compare, smallestOf } from "./agreement.mjs";
import { Theirs } from "./theirs.mjs";
import { findGo } from "./toolchain.mjs";

// Go is there in CI; elsewhere these are skipped where it is not.
const isRequired = process.env.LIFEGUARD_REQUIRE_GO === "1";
const missing = await findGo().then(
  () => undefined,
  (error: unknown) => error,
);

/** Building takes a minute where Go's standard library has not been built before. */
const BUILD = 600_000;

/** A cancel function that does something else. */
function cancelling(cancel: (cause?: unknown) => void): CancelFunc {
  return Object.assign(cancel, { [Symbol.dispose]: () => cancel() });
}

const faults: Record<string, Partial<typeof lifeguard>> = {
  "cancel drops the cause": {
    withCancel: (parent) => {
      const [ctx, cancel] = lifeguard.withCancel(parent);
      return [ctx, cancelling(() => cancel())];
    },
  },
  "a child of a cancelled parent has no cause": {
    withCancel: (parent) => {
      if (parent.err()?.code !== "ABORT_ERR") return lifeguard.withCancel(parent);
      const [ctx, cancel] = lifeguard.withCancel(lifeguard.background);
      cancel();
      return [ctx, cancel];
    },
  },
  "the cause of a deadline is dropped": {
    withDeadline: (parent, when) => lifeguard.withDeadline(parent, when),
  },
  "a deadline that is equal to the parent's counts as later": {
    withDeadline: (parent, when, cause) =>
      when === parent.deadline() ? lifeguard.withCancel(parent) : lifeguard.withDeadline(parent, when, cause),
  },
  "a past deadline wins over a cancelled parent": {
    withTimeout: (parent, ms, cause) =>
      lifeguard.withTimeout(ms <= 0 ? lifeguard.withoutCancel(parent) : parent, ms, cause),
  },
  "withoutCancel keeps the deadline": {
    withoutCancel: (parent) => lasting(parent),
  },
  "a value of nil does not hide another": {
    withValue: <T>(parent: Context, key: ContextKey<T>, value: T) =>
      value === null || value === undefined ? parent : lifeguard.withValue(parent, key, value),
  },
  "a function runs twice": {
    afterFunc: (ctx, fn) =>
      lifeguard.afterFunc(ctx, () => {
        fn();
        fn();
      }),
  },
  "stop is true twice": {
    afterFunc: (ctx, fn) => {
      const stop = lifeguard.afterFunc(ctx, fn);
      let prevented = false;
      return () => {
        prevented ||= stop();
        return prevented;
      };
    },
  },
  "the limit of a group is off by one": {
    Group: class extends lifeguard.Group {
      constructor(parent: Context, { limit = -1 }: lifeguard.GroupOptions = {}) {
        super(parent, { limit: limit < 0 ? limit : limit + 1 });
      }
    },
  },
  "wait does not report the failure": {
    Group: class extends lifeguard.Group {
      override async wait(): Promise<void> {
        await super.wait().catch(() => {});
      }
    },
  },
  "wait does not wait": {
    Group: class extends lifeguard.Group {
      override wait(): Promise<void> {
        return Promise.race([super.wait(), Promise.resolve()]);
      }
    },
  },
};

function lasting(parent: Context): Context {
  const ctx = lifeguard.withoutCancel(parent);
  return {
    deadline: () => parent.deadline(),
    done: () => ctx.done(),
    err: () => ctx.err(),
    value: (key) => ctx.value(key),
    throwIfDone: () => {},
    signal: ctx.signal,
  };
}

describe.skipIf(missing !== undefined && !isRequired)("against Go", () => {
  let theirs: Theirs | undefined;
  beforeAll(async () => {
    ({ theirs } = await Theirs.start());
  }, BUILD);
  afterAll(() => theirs?.close());

  async function agree(programs: number, seed: number): Promise<void> {
    if (theirs === undefined) expect.unreachable("Go's side has not been started");
    const { steps, differences } = await compare(lifeguard, theirs, { programs, seed });
    if (differences.length > 0) {
      const { text } = await smallestOf(lifeguard, theirs, differences);
      expect.fail(`${String(differences.length)} of ${String(programs)} programs differ. ${text}`);
    }
    expect(steps).toBeGreaterThan(10 * programs);
  }

  test("a thousand programs have the same traces", { timeout: BUILD }, () => agree(1000, 1));

  test("and so have some that nobody has seen before", { timeout: BUILD }, () =>
    agree(200, Math.floor(Math.random() * 2 ** 31)),
  );

  // What the comparison is worth: each of these is our library with one rule broken.
  test.for(Object.entries(faults))("it finds that %s", { timeout: BUILD }, async ([, fault]) => {
    if (theirs === undefined) expect.unreachable("Go's side has not been started");
    const broken = { ...lifeguard, ...fault };
    const { differences } = await compare(broken, theirs, { programs: 300, seed: 1 });
    expect(differences).not.toHaveLength(0);
    const { program, text } = await smallestOf(broken, theirs, differences.slice(0, 5));
    expect(program.steps.length, text).toBeLessThanOrEqual(4);
  });
});
