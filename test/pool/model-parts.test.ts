/** The queue and its room alone, each against a model: what model.test.ts sees of them only through a whole pool. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { background, withCancel } from "../../src/context/index.js";
import { type Queued, TaskQueue } from "../../src/pool/queue.js";
import { Room } from "../../src/pool/room.js";
import { turn } from "../support/turn.js";

interface Item extends Queued<Item> {
  readonly id: number;
}

type QueueStep =
  | { readonly do: "push"; readonly priority: number; readonly deadline: number }
  | { readonly do: "take"; readonly count: number }
  | { readonly do: "put back"; readonly by: number }
  | { readonly do: "remove"; readonly at: number };

const deadline = fc.constantFrom(1, 2, 3, Infinity);
const priority = fc.constantFrom(0, 0, 1, -1, 0.5);

const queueStep: fc.Arbitrary<QueueStep> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("push" as const), priority, deadline }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("take" as const), count: fc.integer({ min: 1, max: 5 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("put back" as const), by: fc.nat(100) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("remove" as const), at: fc.nat(100) }) },
);

test.each(["fifo", "deadline"] as const)(
  "a queue, %s, is an array that is sorted: also for who comes back, and for how many are ahead",
  (order) => {
    fc.assert(
      fc.property(fc.array(queueStep, { maxLength: 120, size: "max" }), priority, deadline, (steps, p, d) => {
        const queue = new TaskQueue<Item>(order);
        let inside: Item[] = [];
        let taken: Item[] = [];
        let id = 0;
        const key = (item: Item): number => (order === "deadline" ? item.deadline : 0);
        const before = (a: Item, b: Item): number =>
          b.priority - a.priority || (key(a) === key(b) ? 0 : key(a) - key(b)) || a.id - b.id;
        for (const step of steps) {
          switch (step.do) {
            case "push": {
              const { priority, deadline } = step;
              const item = {
                id: ++id,
                priority,
                deadline,
                slot: -1,
                order: 0,
                next: undefined,
                prev: undefined,
              };
              queue.push(item);
              inside.push(item);
              break;
            }
            case "take":
              for (let i = 0; i < step.count && inside.length > 0; i++) {
                const item = queue.peek()!;
                queue.remove(item);
                taken.push(item);
                inside = inside.filter((each) => each !== item);
              }
              break;
            case "put back":
              // In whatever order: each knows its place.
              for (const item of [...taken].sort((a, b) => ((a.id * step.by) % 7) - ((b.id * step.by) % 7)))
                queue.putBack(item);
              inside.push(...taken);
              taken = [];
              break;
            case "remove": {
              const [item] = inside.splice(step.at % Math.max(1, inside.length), 1);
              if (item !== undefined) queue.remove(item);
              break;
            }
            default:
              step satisfies never;
          }
          inside.sort(before);
          expect(queue.size).toBe(inside.length);
          expect(queue.peek()?.id).toBe(inside[0]?.id);
          const newcomer = { id: id + 1, priority: p, deadline: d } as Item;
          expect(queue.ahead(p, d)).toBe(inside.filter((item) => before(item, newcomer) < 0).length);
        }
      }),
      { numRuns: 100 },
    );
  },
  120_000,
);

type RoomStep =
  | { readonly do: "free"; readonly count: number }
  | { readonly do: "wait" | "use" | "turn" }
  | { readonly do: "cancel"; readonly at: number };

const roomStep: fc.Arbitrary<RoomStep> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("free" as const), count: fc.nat(3) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom("wait" as const, "use" as const, "turn" as const) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cancel" as const), at: fc.nat(100) }) },
);

test("room is told of in turn, to no more than there is room for until the event loop turns, and nobody is forgotten", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(roomStep, { maxLength: 60, size: "max" }), async (steps) => {
      let free = 0;
      const room = new Room(() => free);
      const told = new Map<number, string>();
      const cancels = new Map<number, () => void>();
      // The model: who waits, what each was told, and for how many the room that there is has been promised.
      let waiting: number[] = [];
      const ought = new Map<number, string>();
      let promised = 0;
      let isTurning = false as boolean;
      const tell = (): void => {
        while (waiting.length > 0 && free - promised > 0) {
          ought.set(waiting.shift()!, "room");
          promised++;
          isTurning = true;
        }
      };
      let id = 0;
      for (const step of [...steps, ...ending]) {
        switch (step.do) {
          case "free":
            free = step.count;
            room.check();
            tell();
            break;
          case "wait": {
            const mine = ++id;
            const [ctx, cancel] = withCancel(background);
            cancels.set(mine, cancel);
            room.wait(ctx).then(
              () => told.set(mine, "room"),
              (error: unknown) => told.set(mine, error === ctx.err() ? "err()" : "another error"),
            );
            waiting.push(mine);
            tell();
            break;
          }
          case "use":
            if (promised === 0) break;
            promised--;
            room.used();
            break;
          case "cancel": {
            const at = waiting[step.at % Math.max(1, waiting.length)];
            if (at === undefined) break;
            cancels.get(at)?.();
            waiting = waiting.filter((each) => each !== at);
            ought.set(at, "err()");
            break;
          }
          case "turn":
            await turn();
            if (!isTurning) break;
            isTurning = false;
            promised = 0;
            tell();
            break;
          default:
            step satisfies never;
        }
        // What has been settled is told, without the event loop turning.
        for (let i = 0; i < 10; i++) await Promise.resolve();
        expect(new Map([...told].sort())).toEqual(new Map([...ought].sort()));
      }
      expect(told.size).toBe(id);
    }),
    { numRuns: 60 },
  );
}, 120_000);

/** With room for one, everybody gets it within a turn each. */
const ending: readonly RoomStep[] = [
  { do: "free", count: 1 },
  ...Array.from({ length: 70 }, () => ({ do: "turn" as const })),
];
