/** Values that move instead of being copied. */
import { MessageChannel } from "node:worker_threads";
import { background, type Pool, transfer } from "lifeguard";
import * as worker from "lifeguard/worker";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectWhole, failure, pooled } from "../support/pool.js";

let pool: Pool;
beforeAll(() => {
  pool = pooled({ threads: 1 });
});
afterAll(() => pool.destroy());

test("arguments are copied unless they are marked", async () => {
  const bytes = new Uint8Array(16);
  expect(await pool.run(background, "byteLength", bytes)).toBe(16);
  expect(bytes.byteLength).toBe(16);
  expect(await pool.run(background, "byteLength", transfer(bytes, [bytes.buffer]))).toBe(16);
  expect(bytes.byteLength).toBe(0);
});

test("options.transfer does the same for all arguments, and both may name the same buffer", async () => {
  const one = new Uint8Array(8);
  const two = new Uint8Array(4);
  const marked = transfer(one, [one.buffer]);
  const { result } = pool.submit(background, "echo", [marked, two], { transfer: [one.buffer, two.buffer] });
  expect(await result).toEqual([new Uint8Array(8), new Uint8Array(4)]);
  expect([one.byteLength, two.byteLength]).toEqual([0, 0]);
});

test("arguments move when the task is handed over, not before", async () => {
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const first = pool.run(background, "hold", gate);
  const bytes = new Uint8Array(8);
  const second = pool.submit(background, "byteLength", [bytes], { transfer: [bytes.buffer] });
  expect(bytes.byteLength).toBe(8);
  second.cancel();
  Atomics.store(gate, 1, 1);
  Atomics.notify(gate, 1);
  await first;
  await failure(second.result);
  expect(bytes.byteLength).toBe(8); // dropped: it is still the caller's
});

test("results move when they are marked", async () => {
  expect(await pool.run(background, "buffer", 16)).toEqual(new Uint8Array(16).fill(7));
  expect(await pool.run(background, "keep", 16)).toEqual(new Uint8Array(16).fill(7));
  expect(await pool.run(background, "keptLength")).toBe(0);
});

test("a result whose buffer is gone already: ERR_NOT_CLONEABLE, and the thread lives", async () => {
  expect((await failure(pool.run(background, "gone", 8))).code).toBe("ERR_NOT_CLONEABLE");
  expect((await failure(pool.run(background, "goneBuffer"))).code).toBe("ERR_NOT_CLONEABLE");
  await expectWhole(pool, 1);
});

test("ports move, too", async () => {
  const { port1, port2 } = new MessageChannel();
  const task = pool.submit(background, "byteLength", [{ byteLength: 1, port2 }], { transfer: [port2] });
  expect(await task.result).toBe(1);
  port1.close();
});

test("returns the value itself, and does nothing outside a pool", () => {
  const value = { bytes: new Uint8Array(4) };
  expect(transfer(value, [value.bytes.buffer])).toBe(value);
  expect(value.bytes.byteLength).toBe(4);
  expect(worker.transfer).toBe(transfer);
});
