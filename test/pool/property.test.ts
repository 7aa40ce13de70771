/** Whatever is submitted, cancelled, overrun or crashed in whatever order: what always holds. */
import fc from "fast-check";
import { background, type Outcome, Pool, type Task, withCancel, withTimeout } from "lifeguard";
import { describe, expect, test } from "vitest";
import { expectBalanced, failure, fixture } from "../support/pool.js";
import { turn } from "../support/turn.js";

const kinds = ["quick", "polite", "stubborn", "failing", "crashing", "unsendable"] as const;
type Kind = (typeof kinds)[number];

type Step =
  | { op: "submit"; kind: Kind; family: number; deadline: boolean; priority: number }
  | { op: "cancel"; at: number }
  | { op: "cancel family"; family: number }
  | { op: "turns"; count: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant("submit" as const),
      kind: fc.constantFrom(...kinds, "quick" as const, "polite" as const),
      family: fc.nat(2),
      deadline: fc.boolean(),
      priority: fc.integer({ min: -1, max: 1 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("cancel" as const), at: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("cancel family" as const), family: fc.nat(2) }) },
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant("turns" as const), count: fc.integer({ min: 1, max: 300 }) }),
  },
);

/** Which outcomes a task of each kind may have, cancelled or not. */
const allowed: Record<Kind, readonly Outcome[]> = {
  quick: ["completed", "dropped", "terminated"],
  polite: ["stopped", "dropped", "terminated"],
  stubborn: ["terminated", "dropped"],
  failing: ["failed", "dropped", "terminated"],
  crashing: ["crashed", "dropped", "terminated"],
  unsendable: ["failed", "dropped"],
};

const WORDS = { running: 0, most: 1, entered: 2, ids: 3 };

describe("a pool under random load", () => {
  for (const end of ["close", "destroy"] as const) {
    test(`${end}: every task settles once, nothing runs twice, never more at once than threads, the counts add up`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 3, maxLength: 40, size: "max" }),
          fc.record({
            threads: fc.integer({ min: 1, max: 2 }),
            spares: fc.integer({ min: 0, max: 1 }),
            order: fc.constantFrom("fifo" as const, "deadline" as const),
            grace: fc.constantFrom(0, 5),
          }),
          // Under one name they share envelopes: the pool has seen that they are short.
          fc.boolean(),
          async (steps, options, isMixed) => {
            // So that tasks run, and not only wait for threads to come up.
            const words = new Int32Array(new SharedArrayBuffer(4 * 200));
            await using pool = new Pool(fixture("counting.mjs"), options);
            await pool.ready();
            const warm = isMixed ? 40 : 0;
            const elsewhere = new Int32Array(new SharedArrayBuffer(4 * 200));
            for (let i = 0; i < warm; i++) await pool.run(background, "mixed", elsewhere, i, "quick");
            const families = [0, 1, 2].map(() => withCancel(background));
            const tasks: { task: Task<unknown>; kind: Kind; settlements: number }[] = [];
            for (const each of steps) {
              switch (each.op) {
                case "submit": {
                  const [family] = families[each.family]!;
                  const ctx = each.deadline ? withTimeout(family, 15)[0] : family;
                  const id = tasks.length + 1;
                  const args: unknown[] = [words, id, ...(isMixed ? [each.kind] : [])];
                  if (each.kind === "unsendable") args.push(() => {});
                  const task = pool.submit(ctx, isMixed ? "mixed" : each.kind, args, {
                    priority: each.priority,
                  });
                  const entry = { task, kind: each.kind, settlements: 0 };
                  const count = (): void => {
                    entry.settlements++;
                  };
                  task.result.then(count, count);
                  tasks.push(entry);
                  break;
                }
                case "cancel":
                  tasks[each.at % Math.max(1, tasks.length)]?.task.cancel("one");
                  break;
                case "cancel family":
                  families[each.family]![1]("all");
                  break;
                case "turns":
                  for (let i = 0; i < each.count; i++) await turn();
                  break;
                default:
                  each satisfies never;
              }
              expectBalanced(pool.stats());
              expect(pool.stats().running).toBeLessThanOrEqual(options.threads);
            }
            if (end === "close") for (const [, cancel] of families) cancel("the end");
            await pool[end]();
            await turn();

            const stats = pool.stats();
            expectBalanced(stats);
            expect(stats).toMatchObject({
              queued: 0,
              running: 0,
              stuck: 0,
              threads: 0,
              submitted: tasks.length + warm,
            });
            expect(tasks.map(({ settlements }) => settlements)).toEqual(tasks.map(() => 1));
            const counted: Record<string, number> = warm === 0 ? {} : { completed: warm };
            for (const { task, kind } of tasks) {
              expect(task.state).toBe("settled");
              expect(allowed[kind], kind).toContain(task.outcome);
              counted[task.outcome!] = (counted[task.outcome!] ?? 0) + 1;
            }
            expect(stats.outcomes).toMatchObject(counted);
            // Nothing has run twice, and nothing that was dropped has run at all.
            const ids = [...words.subarray(WORDS.ids, WORDS.ids + words[WORDS.entered]!)];
            expect(new Set(ids).size).toBe(ids.length);
            const dropped = tasks.flatMap(({ task }, i) => (task.outcome === "dropped" ? [i + 1] : []));
            expect(ids.filter((id) => dropped.includes(id))).toEqual([]);
            const begun = tasks.filter(
              ({ task, kind }) => task.outcome !== "dropped" && kind !== "unsendable",
            );
            expect(stats.started).toBe(begun.length + warm);
            // One that was stopped hard may have been so before its first line; all others have told their id.
            const told = tasks.flatMap((entry, i) =>
              begun.includes(entry) && entry.task.outcome !== "terminated" ? [i + 1] : [],
            );
            expect(ids).toEqual(expect.arrayContaining(told));
            expect(ids.length).toBeLessThanOrEqual(begun.length);
            // One that was stopped hard does not tell that it no longer runs.
            if (stats.outcomes.terminated === 0)
              expect(words[WORDS.most]).toBeLessThanOrEqual(options.threads);
            for (const { task } of tasks)
              if (task.outcome === "dropped") expect(await failure(task.result)).toBe(task.ctx.err());
          },
        ),
        { numRuns: 20 },
      );
    }, 120_000);
  }
});
