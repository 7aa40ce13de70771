/** What lies ready for the reader of a batch, in process: the pool that fills it is the test. */
import { expect, test } from "vitest";
import { Delivery } from "../../src/pool/delivery.js";

test("of thousands that lie ready each is read once, in its turn, in whatever order they came", async () => {
  const COUNT = 5000;
  let taken = 0;
  const delivery = new Delivery({
    taken: () => taken++,
    left: () => Promise.resolve(),
  });
  for (let at = COUNT - 1; at >= 0; at--) delivery.put(at, at);
  const got: unknown[] = [];
  // More come when some have been read, as in a pool.
  for (let i = 0; i < COUNT; i++) {
    got.push((await delivery.next()).value);
    delivery.put(COUNT + i, COUNT + i);
  }
  delivery.finish(undefined);
  for await (const result of delivery) got.push(result);
  expect(got).toEqual(Array.from({ length: 2 * COUNT }, (_, i) => i));
  expect([delivery.delivered, taken]).toEqual([2 * COUNT, 2 * COUNT]);
});
