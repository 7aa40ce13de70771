/** The order of the queue, against an array that is sorted anew each time. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Queued, TaskQueue } from "../../src/pool/queue.js";

class Item implements Queued<Item> {
  slot = -1;
  order = 0;
  next: Item | undefined;
  prev: Item | undefined;
  readonly id: number;
  readonly priority: number;
  readonly deadline: number;

  constructor(id: number, priority: number, deadline: number) {
    this.id = id;
    this.priority = priority;
    this.deadline = deadline;
  }
}

/** Takes everything out, in order. */
function drain(queue: TaskQueue<Item>): number[] {
  const ids: number[] = [];
  for (let item = queue.peek(); item !== undefined; item = queue.peek()) {
    queue.remove(item);
    ids.push(item.id);
  }
  return ids;
}

describe("order", () => {
  test("fifo: first in, first out, whatever the deadlines", () => {
    const queue = new TaskQueue<Item>("fifo");
    for (const item of [new Item(1, 0, 30), new Item(2, 0, 10), new Item(3, 0, 20)]) queue.push(item);
    expect(drain(queue)).toEqual([1, 2, 3]);
  });

  test("deadline: the earliest first, those without one last, equals as they came", () => {
    const queue = new TaskQueue<Item>("deadline");
    const never = Number.POSITIVE_INFINITY;
    for (const item of [
      new Item(1, 0, never),
      new Item(2, 0, 20),
      new Item(3, 0, 10),
      new Item(4, 0, never),
      new Item(5, 0, 10),
    ]) {
      queue.push(item);
    }
    expect(drain(queue)).toEqual([3, 5, 2, 1, 4]);
  });

  test.each(["fifo", "deadline"] as const)("%s: a higher priority goes before either", (order) => {
    const queue = new TaskQueue<Item>(order);
    for (const item of [new Item(1, 0, 1), new Item(2, 5, 9), new Item(3, -1, 0), new Item(4, 5, 9)])
      queue.push(item);
    expect(drain(queue)).toEqual([2, 4, 1, 3]);
  });

  test("an item that is put back is next again", () => {
    const queue = new TaskQueue<Item>("fifo");
    const first = new Item(1, 0, 0);
    queue.push(first);
    queue.push(new Item(2, 0, 0));
    queue.remove(first);
    queue.putBack(first);
    expect(drain(queue)).toEqual([1, 2]);
  });

  test("items that are put back in any order come in the one they had", () => {
    for (const order of [
      [1, 2, 3, 4],
      [4, 3, 2, 1],
      [3, 4, 1, 2],
    ]) {
      const queue = new TaskQueue<Item>("fifo");
      const items = [1, 2, 3, 4, 5, 6].map((id) => new Item(id, 0, 0));
      for (const item of items) queue.push(item);
      for (const item of items.slice(0, 4)) queue.remove(item);
      for (const id of order) queue.putBack(items[id - 1] as Item);
      expect(drain(queue)).toEqual([1, 2, 3, 4, 5, 6]);
    }
  });

  test("a priority whose last item has gone does not hide the others", () => {
    const queue = new TaskQueue<Item>("fifo");
    const high = new Item(1, 9, 0);
    queue.push(high);
    queue.remove(high);
    queue.push(new Item(2, 0, 0));
    expect(queue.peek()?.id).toBe(2);
  });

  test("removing what is not in changes nothing", () => {
    const queue = new TaskQueue<Item>("fifo");
    const item = new Item(1, 0, 0);
    queue.push(item);
    queue.remove(item);
    queue.remove(item);
    queue.remove(new Item(2, 0, 0));
    expect(queue.size).toBe(0);
  });
});

type Step =
  | { readonly do: "push"; readonly priority: number; readonly deadline: number }
  | { readonly do: "take" | "putBack" }
  | { readonly do: "remove"; readonly at: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("push" as const),
      priority: fc.integer({ min: -2, max: 2 }),
      deadline: fc.integer({ min: 0, max: 9 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("take" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("putBack" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("remove" as const), at: fc.nat() }) },
);

test.each(["fifo", "deadline"] as const)(
  "%s: whatever comes and goes, the next is the one the rules name",
  (order) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const queue = new TaskQueue<Item>(order);
        const model: { item: Item; place: number }[] = [];
        let place = 0;
        let front = 0;
        let taken: Item | undefined;
        let id = 0;
        const sorted = () =>
          model.sort(
            (a, b) =>
              b.item.priority - a.item.priority ||
              (order === "deadline"
                ? a.item.deadline - b.item.deadline || a.item.id - b.item.id
                : a.place - b.place),
          );
        for (const action of steps) {
          switch (action.do) {
            case "push": {
              const item = new Item(++id, action.priority, action.deadline);
              queue.push(item);
              model.push({ item, place: ++place });
              break;
            }
            case "take":
              taken = queue.peek();
              if (taken !== undefined) queue.remove(taken);
              sorted().shift();
              break;
            case "putBack":
              if (taken === undefined) break;
              queue.putBack(taken);
              model.push({ item: taken, place: --front });
              taken = undefined;
              break;
            case "remove": {
              if (model.length === 0) break;
              const [gone] = model.splice(action.at % model.length, 1);
              if (gone !== undefined) queue.remove(gone.item);
              break;
            }
            default:
              action satisfies never;
          }
          expect(queue.size).toBe(model.length);
          expect(queue.peek()?.id).toBe(sorted()[0]?.item.id);
        }
      }),
    );
  },
);
