/** What a task sees of its context inside its worker. */

import {
  background,
  cause,
  contextKey,
  type Pool,
  sharedKey,
  withCancel,
  withDeadline,
  withoutCancel,
  withTimeout,
  withValue,
} from "lifeguard";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Labelled } from "../support/contexts.js";
import { expectWhole, failure, pooled, rejection, settled, threadGate } from "../support/pool.js";

let pool: Pool;
beforeAll(async () => {
  pool = pooled({ grace: Infinity });
  await pool.ready();
});
afterAll(() => pool.destroy());

/** What `look` in the fixture sends back. */
interface Look {
  same: boolean;
  err?: { class: string; name: string; code: string; message: string; isError: boolean };
  errCauseIsCause: boolean;
  causeIsErr: boolean;
  cause: unknown;
  aborted: boolean;
  reasonIsErr: boolean;
  deadline: number | undefined;
}

async function lookAfterCancel(style: string, ...causes: unknown[]): Promise<Look> {
  const [ctx, cancel] = withCancel(background);
  const gate = threadGate();
  const looked = pool.run(ctx, style, gate.view, "look");
  await gate.entered();
  cancel(...causes);
  return (await looked) as Look;
}

const canceled = {
  class: "CanceledError",
  name: "AbortError",
  code: "ABORT_ERR",
  message: "context canceled",
  isError: true,
};
const expired = {
  class: "DeadlineExceededError",
  name: "TimeoutError",
  code: "ERR_DEADLINE_EXCEEDED",
  message: "context deadline exceeded",
  isError: true,
};

test("a live context: no error, no cause, signal not aborted", async () => {
  expect(await pool.run(background, "look")).toEqual({
    same: true,
    err: undefined,
    errCauseIsCause: true,
    causeIsErr: false,
    cause: undefined,
    aborted: false,
    reasonIsErr: false,
    deadline: undefined,
  });
});

for (const style of ["pollThen", "awaitThen"]) {
  describe(`${style}: a cancellation`, () => {
    test("without a cause: err() is a CanceledError, the same at every call, and its own cause", async () => {
      const seen = await lookAfterCancel(style);
      expect(seen).toMatchObject({
        same: true,
        err: canceled,
        causeIsErr: true,
        aborted: true,
        reasonIsErr: true,
      });
    });

    for (const why of [
      "a string",
      0,
      "",
      false,
      null,
      12n,
      { plain: ["object"] },
      new Map([[1, { two: 3 }]]),
      new Date(7),
    ]) {
      const label =
        typeof why === "bigint" ? "12n" : `${why?.constructor.name ?? "null"} ${JSON.stringify(why)}`;
      test(`with ${label} as the cause`, async () => {
        const seen = await lookAfterCancel(style, why);
        expect(seen).toMatchObject({
          same: true,
          err: canceled,
          errCauseIsCause: true,
          causeIsErr: false,
          reasonIsErr: true,
        });
        expect(seen.cause).toEqual(why);
      });
    }

    test("with an error of a class of its own: class, code, own properties, stack and cause cross", async () => {
      class QuotaError extends RangeError {
        override readonly name = "QuotaError";
        readonly code = "E_QUOTA";
        readonly detail = { limit: 5 };
      }
      const why = new QuotaError("too much", { cause: new TypeError("because") });
      const seen = await lookAfterCancel(style, why);
      expect(seen).toMatchObject({
        err: canceled,
        errCauseIsCause: true,
        cause: {
          class: "QuotaError",
          name: "QuotaError",
          message: "too much",
          code: "E_QUOTA",
          detail: { limit: 5 },
          base: "RangeError",
          text: "QuotaError: too much",
          cause: { class: "TypeError", message: "because", base: "TypeError" },
        },
      });
      expect((seen.cause as { stack: string }).stack).toContain("task-context.test.ts");
    });

    for (const [label, why, says] of [
      ["a function", () => {}, /a function could not be cloned/],
      ["a symbol", Symbol("s"), /Symbol\(s\) could not be cloned/],
      ["an object with a function", { fn() {} }, /could not be cloned/],
      ["a context", background, /could not be cloned/],
      ["a promise", Promise.resolve(), /could not be cloned/],
    ] as const) {
      test(`with ${label} as the cause: a stand-in says that it could not be cloned; here it stays what it is`, async () => {
        const [ctx, cancel] = withCancel(background);
        const gate = threadGate();
        const looked = pool.run(ctx, style, gate.view, "look");
        await gate.entered();
        cancel(why);
        expect(cause(ctx)).toBe(why);
        const seen = (await looked) as Look;
        expect(seen).toMatchObject({ err: canceled, cause: { base: "TypeError" } });
        expect((seen.cause as Error).message).toMatch(says);
      });
    }

    test("of an ancestor, and of the task alone, look the same", async () => {
      const gate = threadGate();
      const task = pool.submit(background, style, [gate.view, "look"]);
      await gate.entered();
      task.cancel("mine");
      expect(await task.result).toMatchObject({ err: canceled, cause: "mine" });
    });

    test("by an expired ancestor with a cause: DeadlineExceededError and that cause", async () => {
      const [ctx] = withTimeout(background, 40, new RangeError("too slow"));
      const gate = threadGate();
      const task = pool.submit(ctx, style, [gate.view, "look"]);
      const outcome = await settled(task);
      if (outcome === "dropped") {
        expect(gate.read(0)).toBe(0); // a very busy machine
        return;
      }
      expect(await task.result).toMatchObject({
        err: expired,
        errCauseIsCause: true,
        cause: { class: "RangeError", message: "too slow" },
        aborted: true,
        reasonIsErr: true,
        deadline: ctx.deadline(),
      });
    });
  });
}

describe("deadlines", () => {
  test("deadline() and remaining() are those of the context given, the nearest one", async () => {
    const [outer] = withTimeout(background, 1000_000);
    const [ctx, cancel] = withTimeout(outer, 500_000);
    expect(await pool.run(ctx, "timing")).toEqual({
      deadline: ctx.deadline(),
      seconds: 500,
      unlimited: false,
    });
    const at = Date.now() + 250_000;
    const [dated, cancelDated] = withDeadline(ctx, at);
    expect(await pool.run(dated, "timing")).toEqual({ deadline: at, seconds: 250, unlimited: false });
    expect(await pool.run(outer, "timing")).toMatchObject({ deadline: outer.deadline(), seconds: 1000 });
    expect(await pool.run(background, "timing")).toMatchObject({ deadline: undefined, unlimited: true });
    expect(await pool.run(withoutCancel(ctx), "timing")).toMatchObject({
      deadline: undefined,
      unlimited: true,
    });
    cancelDated();
    cancel();
  });

  for (const style of ["pollAndTell", "awaitAndTell"]) {
    test(`${style}: a task stops at its deadline while the main thread is blocked`, async () => {
      const [ctx] = withTimeout(background, 150, "late");
      const gate = threadGate();
      const task = pool.submit(ctx, style, [gate.view]);
      await gate.entered();
      // From here on the event loop of this thread does not turn until the task has told that it has stopped.
      gate.blockUntilWritten(2);
      expect(gate.read(2)).toBe(2); // by its deadline
      expect(task.outcome).toBeUndefined();
      const error = await failure(task.result);
      expect(error).toBe(ctx.err());
      expect(error.code).toBe("ERR_DEADLINE_EXCEEDED");
      expect(cause(task.ctx)).toBe("late");
      expect(task.outcome).toBe("stopped");
      await expectWhole(pool);
    });

    test(`${style}: a cancellation is seen while the main thread is blocked right after cancel()`, async () => {
      const [ctx, cancel] = withCancel(background);
      const gate = threadGate();
      const task = pool.submit(ctx, style, [gate.view]);
      await gate.entered();
      cancel();
      gate.blockUntilWritten(2);
      expect(gate.read(2)).toBe(1);
      expect(await rejection(task.result)).toBe(ctx.err());
    });
  }

  test("what a context derived inside the worker adds ends alone, and the task's own lives on", async () => {
    await using derived = pooled({ threads: 1 }, "derived.mjs");
    expect(await derived.run(background, "innerTimeout")).toEqual({
      inner: "ERR_DEADLINE_EXCEEDED",
      cause: "inner",
      outer: undefined,
    });
  });

  for (const name of ["pollInner", "awaitInner"]) {
    test(`${name}: three levels deep in the worker it ends with the task's, in the same way`, async () => {
      await using derived = pooled({ threads: 1, grace: Infinity }, "derived.mjs");
      const [ctx, cancel] = withCancel(background);
      const gate = threadGate();
      const result = derived.run(ctx, name, gate.view);
      await gate.entered();
      cancel("from outside");
      gate.blockUntilWritten(2);
      expect(await result).toEqual({
        sameError: true,
        cause: "from outside",
        code: "ABORT_ERR",
        value: "layered",
      });
    });

    test(`${name}: the task's deadline ends it too, with the main thread blocked`, async () => {
      await using derived = pooled({ threads: 1, grace: Infinity }, "derived.mjs");
      await derived.ready();
      const [ctx] = withTimeout(background, 150, "outer");
      const gate = threadGate();
      const result = derived.run(ctx, name, gate.view);
      await gate.entered();
      gate.blockUntilWritten(2);
      expect(await result).toMatchObject({ sameError: true, cause: "outer", code: "ERR_DEADLINE_EXCEEDED" });
    });
  }
});

describe("values", () => {
  test("under shared keys cross, cloned; the nearest one of a key counts", async () => {
    const trace = sharedKey<unknown>("test.trace");
    const other = sharedKey<unknown>("test.other");
    const given = { id: 7, tags: new Set(["a"]) };
    const ctx = withValue(withValue(withValue(background, trace, "hidden"), other, 2), trace, given);
    expect(await pool.run(ctx, "traced", "test.trace", "test.other", "test.absent")).toEqual([
      given,
      2,
      undefined,
    ]);
    expect(await pool.run(withCancel(ctx)[0], "traceIs")).toEqual(given);
  });

  test("null and undefined hide those above, here and there", async () => {
    const trace = sharedKey<unknown>("test.trace");
    for (const nothing of [null, undefined]) {
      const ctx = withValue(withValue(background, trace, "hidden"), trace, nothing);
      expect(await pool.run(ctx, "traceIs")).toBe(nothing);
    }
  });

  test("under private keys stay here", async () => {
    const ctx = withValue(background, contextKey<unknown>("test.trace"), () => "would not even be cloneable");
    expect(await pool.run(ctx, "traced", "test.trace")).toEqual([undefined]);
    expect(await pool.run(ctx, "path")).not.toContain("test.trace");
  });

  test("of a custom context cross as well", async () => {
    const trace = sharedKey<unknown>("test.trace");
    const ctx = new Labelled<unknown>(withValue(background, sharedKey("test.below"), 1), trace, "labelled");
    expect(await pool.run(ctx, "traced", "test.trace", "test.below")).toEqual(["labelled", 1]);
  });

  test("do not leak from one task into the next one on the thread", async () => {
    await using single = pooled({ threads: 1 });
    const ctx = withValue(background, sharedKey("test.trace"), "first");
    expect(await single.run(ctx, "traceIs")).toBe("first");
    expect(await single.run(background, "traceIs")).toBeUndefined();
  });
});

describe("after the task has settled its context is over", () => {
  test("stray work sees it at its next poll; done() and the signal say so too", async () => {
    const [ctx, cancel] = withCancel(background);
    const gate = threadGate();
    await pool.run(ctx, "leaveBehind", gate.view);
    await Promise.all([gate.written(2), gate.written(3), gate.written(4)]);
    expect(gate.read(2)).toBe(1);
    expect(ctx.err()).toBeUndefined(); // the caller's own lives on
    cancel();
    await expectWhole(pool);
  });

  test("also here: the task's context ends with it, without an effect on the one it was given", async () => {
    const [ctx, cancel] = withCancel(background);
    const task = pool.submit(ctx, "add", [1, 2]);
    expect(task.ctx.err()).toBeUndefined();
    await task.result;
    expect(task.ctx.err()).toMatchObject({ code: "ABORT_ERR" });
    expect(task.ctx.signal.aborted).toBe(true);
    expect(ctx.err()).toBeUndefined();
    task.cancel("too late");
    expect(task).toMatchObject({ state: "settled", outcome: "completed" });
    cancel();
    expect(task.outcome).toBe("completed");
  });
});

describe("the task's own context on this side", () => {
  test("is a child of the one given: values, deadline and end are its parent's", async () => {
    const key = contextKey<string>("private");
    const [ctx, cancel] = withTimeout(withValue(background, key, "seen"), 1e6);
    const gate = threadGate();
    const task = pool.submit(ctx, "pollThen", [gate.view, "throw err"]);
    expect(task.ctx.value(key)).toBe("seen");
    expect(task.ctx.deadline()).toBe(ctx.deadline());
    expect(String(task.ctx)).toContain("task(pollThen)");
    await gate.entered();
    cancel("over");
    expect(task.ctx.err()).toBe(ctx.err());
    await task.ctx.done();
    expect(await rejection(task.result)).toBe(ctx.err());
  });
});
