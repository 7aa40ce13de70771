/** The heap under the alarms and the queue: order, places, and what is left of it when execution is ended inside. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Heap } from "../../src/context/heap.js";

interface Item {
  slot: number;
  key: number;
}

function heapOf(keys: readonly number[]): { heap: Heap<Item>; items: Item[] } {
  const heap = new Heap<Item>((a, b) => a.key < b.key);
  const items = keys.map((key) => ({ slot: -1, key }));
  for (const item of items) heap.push(item);
  return { heap, items };
}

function drain(heap: Heap<Item>): number[] {
  const keys: number[] = [];
  for (let item = heap.pop(); item !== undefined; item = heap.pop()) {
    expect(item.slot).toBe(-1);
    keys.push(item.key);
  }
  return keys;
}

function sorted(keys: readonly number[]): number[] {
  return [...keys].sort((a, b) => a - b);
}

const someKeys = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 60 });

test("comes out in order, whatever was taken out in between", () => {
  fc.assert(
    fc.property(someKeys, fc.array(fc.nat(59)), (keys, removals) => {
      const { heap, items } = heapOf(keys);
      const left = new Set(items);
      for (const at of removals) {
        const item = items[at];
        if (item === undefined) continue;
        heap.remove(item);
        left.delete(item);
      }
      expect(heap.size).toBe(left.size);
      expect(drain(heap)).toEqual(sorted([...left].map(({ key }) => key)));
    }),
  );
});

test("what takes the place of one taken out goes up where it is less than what is above it", () => {
  // 3 comes from the other branch, to below 10.
  const { heap, items } = heapOf([0, 10, 1, 11, 12, 20, 3]);
  heap.remove(items[3] as Item);
  expect(drain(heap)).toEqual([0, 1, 3, 10, 12, 20]);
});

test("counts those that are such, and takes none out", () => {
  const { heap } = heapOf([4, 1, 3, 2]);
  expect(heap.count(({ key }) => key > 1)).toBe(3);
  expect(heap.size).toBe(4);
});

describe("repair", () => {
  test("whatever the order was before", () => {
    fc.assert(
      fc.property(someKeys, someKeys, (keys, others) => {
        const { heap, items } = heapOf(keys);
        for (const [at, item] of items.entries()) item.key = others[at] ?? item.key;
        heap.repair();
        const now = items.map(({ key }) => key);
        expect(drain(heap)).toEqual(sorted(now));
      }),
    );
  });

  // V8 ends execution at the head of a function at the earliest: the comparison is one, so all that can be met is met there.
  test("loses nothing, wherever a comparison was the last thing that ran", () => {
    fc.assert(
      fc.property(someKeys, fc.nat(40), fc.boolean(), (keys, after, pushes) => {
        let left = Number.POSITIVE_INFINITY;
        const cut = new Error("cut");
        const heap = new Heap<Item>((a, b) => {
          if (left-- === 0) throw cut;
          return a.key < b.key;
        });
        const items = keys.map((key) => ({ slot: -1, key }));
        for (const item of items) heap.push(item);
        const expected = new Set(items);
        left = after % 6;
        try {
          if (pushes || items.length === 0) {
            const late = { slot: -1, key: -1 };
            expected.add(late);
            heap.push(late);
          } else {
            const gone = items[after % items.length] as Item;
            expected.delete(gone);
            heap.remove(gone);
          }
        } catch (error) {
          expect(error).toBe(cut);
        }
        left = Number.POSITIVE_INFINITY;
        heap.repair();
        expect(drain(heap)).toEqual(sorted([...expected].map(({ key }) => key)));
      }),
    );
  });
});
