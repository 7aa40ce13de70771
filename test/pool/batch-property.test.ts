/** Whatever the inputs do, whoever cancels, reads or leaves, in whatever order: what always holds of a batch. */
import fc from "fast-check";
import { background, type MapOptions, type Pool, withCancel, withTimeout } from "lifeguard";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectBalanced, expectWhole, pooled } from "../support/pool.js";
import { turn } from "../support/turn.js";

let pool: Pool;
beforeAll(async () => {
  pool = pooled({ threads: 2, grace: 1 }, "items.mjs");
  await pool.ready();
});
afterAll(() => pool.destroy());

const how = fc.oneof(
  { weight: 60, arbitrary: fc.constant("id") },
  { weight: 2, arbitrary: fc.constantFrom("fail", "uncloneable", "exit", "cannot be sent") },
  // Ends only when its context does.
  { weight: 1, arbitrary: fc.constantFrom("poll", "spin", "best") },
);

/** When something is done: at which result, or after how many turns of the event loop. */
const moment = fc.record({ at: fc.nat(60), turns: fc.nat(30) });

/** Mostly not. */
const seldom = <T>(weight: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

const scene = fc.record({
  hows: fc.array(how, { maxLength: 120, size: "max" }),
  isAsync: fc.boolean(),
  throwsAt: seldom(5, fc.nat(150)),
  options: fc.record(
    {
      chunk: fc.constantFrom<NonNullable<MapOptions["chunk"]>>("auto", 1, 3, 16, 200),
      concurrency: fc.constantFrom(1, 2, 5),
      ordered: fc.boolean(),
      onError: fc.constantFrom("cancel" as const, "settle" as const),
    },
    { requiredKeys: [] },
  ),
  reader: fc.constantFrom("loop" as const, "results" as const, "late" as const),
  cancelled: seldom(2, moment),
  leaves: seldom(3, moment),
  deadline: seldom(3, fc.integer({ min: 0, max: 20 })),
});

test("each input runs once at most, results are its own and in order, all of it settles, the pool is whole", async () => {
  await fc.assert(
    fc.asyncProperty(
      scene,
      async ({ hows, isAsync, throwsAt, options, reader, cancelled, leaves, deadline }) => {
        const before = pool.stats();
        const begun = new Int32Array(new SharedArrayBuffer(4 * (hows.length + 1)));
        const broken = new Error("the inputs are broken");
        const source = { read: 0, closed: 0, isExhausted: false };
        function* inputs(): Generator {
          try {
            for (const [id, each] of hows.entries()) {
              if (id === throwsAt) throw broken;
              source.read++;
              yield each === "cannot be sent"
                ? { begun, id, how: "id", fn: () => {} }
                : { begun, id, how: each };
            }
            source.isExhausted = true;
          } finally {
            source.closed++;
          }
        }
        async function* asynchronous(): AsyncGenerator {
          for (const input of inputs()) {
            if (source.read % 10 === 0) await turn();
            yield input;
          }
        }
        const [family, cancel] = withCancel(background);
        // Something has to end those that wait for their end.
        const [ctx, clear] = withTimeout(family, deadline ?? 60);
        const batch = pool.map(ctx, "item", isAsync ? asynchronous() : inputs(), options);

        const got: unknown[] = [];
        let error: unknown;
        let hasLeft = false;
        const timed = (async () => {
          if (cancelled === null) return;
          for (let i = 0; i < cancelled.turns; i++) await turn();
          cancel("by the test");
        })();
        if (reader === "late") for (let i = 0; i < 40; i++) await turn();
        try {
          if (reader === "results") {
            got.push(...(await batch.results()));
          } else {
            for await (const result of batch) {
              got.push(result);
              if (leaves?.at === got.length) {
                hasLeft = true;
                break;
              }
            }
          }
        } catch (thrown) {
          error = thrown;
        }
        await timed;

        // Nothing of it goes on.
        const stats = pool.stats();
        expect(stats).toMatchObject({ queued: 0, running: 0, stuck: 0 });
        expectBalanced(stats);
        expect(stats.submitted - before.submitted).toBeLessThanOrEqual(source.read);
        // A step that was under way is not waited for.
        if (isAsync) for (let i = 0; i < 3; i++) await turn();
        expect(source.closed).toBe(source.read === 0 && source.closed === 0 ? 0 : 1);
        // Nothing has run twice.
        expect(begun.every((times) => times <= 1)).toBe(true);
        // What the reader got is the inputs' own, in order where that was asked for.
        const settles = options.onError === "settle";
        const isOrdered = options.ordered ?? true;
        const ids = got.map((result, i) => {
          if (!settles) return result as number;
          const record = result as PromiseSettledResult<number>;
          if (record.status === "fulfilled") return record.value;
          return isOrdered ? i : -1;
        });
        const told = ids.filter((id) => id >= 0);
        expect(new Set(told).size).toBe(told.length);
        if (isOrdered) expect(ids).toEqual(ids.map((_, i) => i));
        for (const id of settles ? [] : told) expect(["id", "best"]).toContain(hows[id]);
        // A failure is one that there was a reason for.
        if (error === undefined) {
          if (!hasLeft) expect(got).toHaveLength(hows.length);
        } else if (error !== ctx.err() && error !== broken) {
          expect(settles).toBe(false);
          expect(hows.some((each) => ["fail", "uncloneable", "exit", "cannot be sent"].includes(each))).toBe(
            true,
          );
        }
        if (error === broken) expect(throwsAt).toBeLessThan(hows.length);
        clear();
        cancel();
        await expectWhole(pool);
      },
    ),
    { numRuns: 80 },
  );
}, 120_000);
