/** One task over many inputs: what is read, run, delivered, and what stops it. */
import {
  type Batch,
  background,
  type Context,
  cause,
  type MapOptions,
  type Pool,
  transfer,
  withCancel,
  withTimeout,
} from "lifeguard";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Delegating } from "../support/contexts.js";
import { openableGate } from "../support/gate.js";
import { heapUsed } from "../support/memory.js";
import {
  expectBalanced,
  expectWhole,
  failure,
  pooled,
  rejection,
  threadGate,
  until,
} from "../support/pool.js";
import { settles, turn } from "../support/turn.js";

// One pool for all: each test leaves it whole, or the next one fails.
let pool: Pool;
beforeAll(async () => {
  pool = pooled({ threads: 2, grace: 0 }, "items.mjs");
  await pool.ready();
});
afterAll(() => pool.destroy());

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

interface Item {
  readonly begun: Int32Array;
  readonly id: number;
  readonly how?: string;
  readonly gate?: Int32Array;
}

/** `count` items, of which some do as they are told. */
function items(
  count: number,
  told: Readonly<Record<number, string>> = {},
): { begun: Int32Array; inputs: Item[] } {
  const begun = new Int32Array(new SharedArrayBuffer(4 * count));
  return { begun, inputs: range(count).map((id) => ({ begun, id, how: told[id] ?? "id" })) };
}

/** What a reader gets, and how it ends. */
async function read(batch: Batch<unknown>): Promise<{ got: unknown[]; error?: unknown }> {
  const got: unknown[] = [];
  try {
    for await (const result of batch) got.push(result);
    return { got };
  } catch (error) {
    return { got, error };
  }
}

/** Inputs that say how many of them were read, and whether they were closed. */
function counted(count = Number.POSITIVE_INFINITY): Iterable<number> & { read: number; closed: number } {
  const inputs = {
    read: 0,
    closed: 0,
    *[Symbol.iterator]() {
      try {
        while (inputs.read < count) yield inputs.read++;
      } finally {
        inputs.closed++;
      }
    },
  };
  return inputs;
}

const chunks: NonNullable<MapOptions["chunk"]>[] = ["auto", 1, 7, 64];

describe("inputs", () => {
  const expected = range(500).map((x) => 2 * x);
  async function* asynchronous(): AsyncGenerator<number> {
    for (const x of range(500)) {
      if (x % 100 === 0) await turn();
      yield x;
    }
  }
  const kinds: Record<string, () => Iterable<number> | AsyncIterable<number>> = {
    array: () => range(500),
    set: () => new Set(range(500)),
    "typed array": () => Int32Array.from(range(500)),
    generator: () => range(500).values(),
    "async generator": asynchronous,
  };
  for (const [kind, inputs] of Object.entries(kinds)) {
    test.each(chunks)(`${kind}, chunk %s: each runs once, results in their order`, async (chunk) => {
      const { started } = pool.stats();
      const batch = pool.map(background, "double", inputs(), { chunk });
      expect(await batch.results()).toEqual(expected);
      expect(batch.progress).toEqual({ done: 500, total: 500 });
      expect(pool.stats().started).toBe(started + 500);
      expect(await read(pool.map(background, "double", inputs(), { chunk }))).toEqual({ got: expected });
      await expectWhole(pool);
    });
  }

  test("none at all: no results, and the end", async () => {
    expect(await pool.map(background, "double", []).results()).toEqual([]);
    expect(await read(pool.map(background, "double", new Set<number>()))).toEqual({ got: [] });
    expect(await read(pool.map(background, "double", [][Symbol.iterator]()))).toEqual({ got: [] });
  });

  test("the task gets its input as the one argument after its context", async () => {
    const inputs = [undefined, null, 1, "one", [1, 2], { a: 1 }];
    expect(await pool.map(background, "argumentsOf", inputs).results()).toEqual(
      inputs.map((input) => [input]),
    );
  });

  test("a text is its characters, as in a loop", async () => {
    expect(await pool.map(background, "same", "añ😀").results()).toEqual(["a", "ñ", "😀"]);
  });

  test("the total is known for arrays, sets and maps at once, for others at their end", async () => {
    expect(pool.map(background, "double", [1, 2, 3]).progress.total).toBe(3);
    expect(pool.map(background, "double", new Set([1, 2])).progress.total).toBe(2);
    const batch = pool.map(background, "double", counted(20));
    expect(batch.progress).toEqual({ done: 0, total: undefined });
    await batch.results();
    expect(batch.progress).toEqual({ done: 20, total: 20 });
  });

  test("what was marked for transfer moves along", async () => {
    const inputs = range(20).map((size) => {
      const bytes = new Uint8Array(size + 1);
      return size % 3 === 0 ? transfer(bytes, [bytes.buffer]) : bytes;
    });
    expect(await pool.map(background, "lengthOf", inputs, { chunk: 8 }).results()).toEqual(
      range(20).map((i) => i + 1),
    );
    expect(inputs.map(({ byteLength }) => byteLength)).toEqual(
      range(20).map((i) => (i % 3 === 0 ? 0 : i + 1)),
    );
    const given = (await pool.map(background, "give", [1, 2, 3]).results()) as Uint8Array[];
    expect(given.map(({ byteLength }) => byteLength)).toEqual([1, 2, 3]);
  });

  test("what moved along is not lost with the thread of another item", async () => {
    const inputs = range(12).map((i) => {
      if (i % 4 === 0) return "exit";
      const bytes = new Uint8Array(i);
      return transfer(bytes, [bytes.buffer]);
    });
    const records = await pool
      .map(background, "lengthOf", inputs, { chunk: 4, concurrency: 1, onError: "settle" })
      .results();
    expect(records.map((record) => (record.status === "fulfilled" ? record.value : "crashed"))).toEqual(
      range(12).map((i) => (i % 4 === 0 ? "crashed" : i)),
    );
    await expectWhole(pool);
  });
});

describe("back-pressure", () => {
  test.each([
    ["auto", 32],
    [1, 32],
    [50, 200],
  ] as const)(
    "nobody reads: chunk %s reads no more than %i inputs, and no thread goes on",
    async (chunk, most) => {
      const inputs = counted();
      const batch = pool.map(background, "double", inputs, { chunk });
      await until(() => batch.progress.done === most && pool.stats().idle === 2);
      for (let i = 0; i < 20; i++) await turn();
      expect(inputs.read).toBe(most);
      expect(pool.stats()).toMatchObject({ idle: 2, running: 0, queued: 0 });
      batch.cancel();
      await batch[Symbol.asyncIterator]().return?.();
      expect(inputs.closed).toBe(1);
    },
  );

  test("a reader that stops reading stops the reading of inputs", async () => {
    const inputs = counted();
    const batch = pool.map(background, "double", inputs);
    const reader = batch[Symbol.asyncIterator]();
    for (const at of [100, 1000, 3000]) {
      for (let i = await lastOf(reader); i < at; i++) await reader.next();
      await until(() => pool.stats().running === 0 && pool.stats().queued === 0);
      for (let i = 0; i < 20; i++) await turn();
      expect(inputs.read).toBeLessThanOrEqual(2 * at + 32 + 2048);
      expect(inputs.read).toBeGreaterThanOrEqual(at);
    }
    await reader.return?.();
    expect(inputs.closed).toBe(1);
    await expectWhole(pool);
  });

  /** The index of the next result. */
  async function lastOf(reader: AsyncIterator<unknown>): Promise<number> {
    const { value } = (await reader.next()) as IteratorYieldResult<number>;
    return value / 2 + 1;
  }

  test("an async input is asked for one at a time, and what has come runs without the next", async () => {
    const gates = range(3).map(() => openableGate<number>());
    let asked = 0;
    const inputs: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          const gate = gates[asked++];
          return gate === undefined
            ? { done: true as const, value: undefined }
            : { done: false as const, value: await gate.opened };
        },
      }),
    };
    const reader = pool.map(background, "double", inputs)[Symbol.asyncIterator]();
    for (const [i, gate] of gates.entries()) {
      const next = reader.next();
      await until(() => asked === i + 1);
      gate.open(i);
      expect(await next).toEqual({ done: false, value: 2 * i });
    }
    expect(await reader.next()).toEqual({ done: true, value: undefined });
  });

  test("one slow item does not keep the others from running, up to the bound", async () => {
    const gate = threadGate();
    const begun = new Int32Array(new SharedArrayBuffer(4 * 40));
    const inputs = range(40).map((id) => ({ begun, id, how: id === 0 ? "wait" : "id", gate: gate.view }));
    const batch = pool.map(background, "item", inputs, { chunk: 1 });
    await until(() => batch.progress.done === 31);
    gate.open();
    expect(await batch.results()).toEqual(range(40));
  });
});

describe("order", () => {
  test("as they come: the quick ones first", async () => {
    const gate = threadGate();
    const { inputs } = items(10);
    const slow = { ...(inputs[0] as Item), how: "wait", gate: gate.view };
    const batch = pool.map(background, "item", [slow, ...inputs.slice(1)], { ordered: false });
    const reader = batch[Symbol.asyncIterator]();
    const got: unknown[] = [];
    for (let i = 0; i < 9; i++) got.push((await reader.next()).value);
    gate.open();
    got.push((await reader.next()).value);
    expect(got).toHaveLength(10);
    expect(got[9]).toBe(0);
    expect([...(got as number[])].sort((a, b) => a - b)).toEqual(range(10));
    expect(await reader.next()).toEqual({ done: true, value: undefined });
  });

  test.each(["fifo", "deadline"] as const)(
    "%s: batches without an end share the threads, with each other and with run",
    async (order) => {
      await using busy = pooled({ threads: 1, order }, "items.mjs");
      const readers = range(5).map(() => busy.map(background, "double", counted())[Symbol.asyncIterator]());
      const counts = readers.map(() => 0);
      const over = { isOver: false };
      const reading = readers.map(async (reader, i) => {
        while (!over.isOver) {
          await reader.next();
          counts[i] = (counts[i] as number) + 1;
        }
        await reader.return?.();
      });
      for (let i = 0; i < 20; i++) expect(await busy.run(background, "same", i)).toBe(i);
      await until(() => counts.every((count) => count > 100));
      over.isOver = true;
      await Promise.all(reading);
    },
  );

  test("an idle thread takes what is there, though it is less than a chunk, when nothing more may be read", async () => {
    const gate = threadGate();
    const inputs = range(100).map((id) => ({ id, how: id === 0 ? "wait" : "id", gate: gate.view }));
    const batch = pool.map(background, "item", inputs, { chunk: 7 });
    await until(() => batch.progress.done === 31);
    gate.open();
    expect(await batch.results()).toHaveLength(100);
  });

  test("several reads at a time are answered in turn", async () => {
    const reader = pool.map(background, "double", range(5))[Symbol.asyncIterator]();
    const steps = await Promise.all(range(7).map(() => reader.next()));
    expect(steps.map(({ value }) => value as unknown)).toEqual([0, 2, 4, 6, 8, undefined, undefined]);
  });

  test.each([1, 2, 5])("concurrency %i: never more than that at once, and no less", async (concurrency) => {
    const words = new Int32Array(new SharedArrayBuffer(8));
    const atOnce = Math.min(concurrency, 2);
    // Each waits until as many are there as can be.
    const inputs = range(60).map(() => ({ words, atOnce }));
    await pool.map(background, "company", inputs, { concurrency, chunk: 3 }).results();
    expect(words[1]).toBe(atOnce);
  });

  test("a task of a lower priority waits for all of its inputs, though the batch got its thread from the queue", async () => {
    await using single = pooled({ threads: 1 }, "items.mjs");
    const gate = threadGate();
    const blocker = single.submit(background, "item", [{ id: 0, how: "wait", gate: gate.view }]);
    const order: string[] = [];
    const low = single.submit(background, "same", ["low"], { priority: -1 });
    const batch = single.map(background, "same", range(20), { chunk: 1 });
    const told = [low.result.then(() => order.push("low")), batch.results().then(() => order.push("batch"))];
    await until(() => Atomics.load(gate.view, 0) === 1);
    gate.open();
    await Promise.all([blocker.result, ...told]);
    expect(order).toEqual(["batch", "low"]);
  });

  test("tasks that are submitted meanwhile wait for a chunk, not for the batch", async () => {
    await using single = pooled({ threads: 1 }, "items.mjs");
    const batch = single.map(background, "double", counted());
    const reader = batch[Symbol.asyncIterator]();
    for (let i = 0; i < 1000; i++) await reader.next();
    let read = 0;
    const answer = { isThere: false };
    const run = single.run(background, "same", "hello").then(() => {
      answer.isThere = true;
    });
    while (!answer.isThere) {
      await reader.next();
      read++;
    }
    await run;
    expect(read).toBeLessThan(10_000);
    await reader.return?.();
  });
});

describe("onError: cancel", () => {
  test.each(chunks)(
    "chunk %s: the first failure cancels the rest, and comes after what was there",
    async (chunk) => {
      const { begun, inputs } = items(400, { 150: "fail" });
      const { got, error } = await read(pool.map(background, "item", inputs, { chunk, concurrency: 1 }));
      expect(error).toMatchObject({ name: "RangeError", message: "item 150" });
      expect(got).toEqual(range(150));
      expect(begun.every((times) => times <= 1)).toBe(true);
      expect(begun[399]).toBe(0);
      await expectWhole(pool);
    },
  );

  test("those that run see it as the cause, and are waited for", async () => {
    await using patient = pooled({ threads: 2, grace: Number.POSITIVE_INFINITY }, "items.mjs");
    const { begun, inputs } = items(2, { 0: "poll", 1: "fail beside" });
    const batch = patient.map(background, "item", inputs, { chunk: 1 });
    expect(await failure(batch.results())).toMatchObject({ message: "item 1" });
    expect(patient.stats()).toMatchObject({ running: 0, outcomes: { stopped: 1, failed: 1 } });
    expect([...begun]).toEqual([1, 1]);
  });

  test("a failure after the batch was cancelled is not its failure", async () => {
    await using patient = pooled({ threads: 1, grace: Number.POSITIVE_INFINITY }, "items.mjs");
    const { begun, inputs } = items(1, { 0: "late failure" });
    const batch = patient.map(background, "item", inputs);
    await until(() => begun[0] === 1);
    batch.cancel("why");
    expect(await failure(batch.results())).toMatchObject({ code: "ABORT_ERR", cause: "why" });
  });

  test.each(["exit", "uncloneable"])("%s", async (how) => {
    const { begun, inputs } = items(300, { 100: how });
    const { got, error } = await read(pool.map(background, "item", inputs, { chunk: 30 }));
    // The other thread's chunk may have been an earlier one.
    expect(got).toEqual(range(Math.min(got.length, 100)));
    expect(error).toMatchObject({ code: how === "exit" ? "ERR_WORKER_CRASHED" : "ERR_NOT_CLONEABLE" });
    expect(begun.every((times) => times <= 1)).toBe(true);
    await expectWhole(pool);
  });
});

describe("onError: settle", () => {
  const record = (id: number): unknown => ({ status: "fulfilled", value: id });

  test.each(chunks)("chunk %s: one record for each input, whatever happened to it", async (chunk) => {
    const told = { 20: "fail", 57: "exit", 130: "uncloneable", 131: "fail", 299: "exit" };
    const { begun, inputs } = items(300, told);
    const batch = pool.map(background, "item", inputs, { chunk, onError: "settle" });
    const records = await batch.results();
    expect(records).toHaveLength(300);
    for (const [id, got] of records.entries()) if (!(id in told)) expect(got).toEqual(record(id));
    const reasons = Object.keys(told).map((id) => records[Number(id)]);
    expect(reasons).toMatchObject([
      { status: "rejected", reason: { message: "item 20" } },
      { status: "rejected", reason: { code: "ERR_WORKER_CRASHED" } },
      { status: "rejected", reason: { code: "ERR_NOT_CLONEABLE" } },
      { status: "rejected", reason: { message: "item 131" } },
      { status: "rejected", reason: { code: "ERR_WORKER_CRASHED" } },
    ]);
    expect([...begun]).toEqual(Array<number>(300).fill(1));
    expect(batch.progress).toEqual({ done: 300, total: 300 });
    await expectWhole(pool);
  });

  test("an input that cannot be cloned, at position 57,123, is one record, and the others run once", async () => {
    const { outcomes } = pool.stats();
    function* inputs(): Generator {
      for (let i = 0; i < 60_000; i++) yield i === 57_123 ? () => {} : i;
    }
    const records = await pool.map(background, "same", inputs(), { onError: "settle" }).results();
    expect(records).toHaveLength(60_000);
    const bad = records.findIndex(({ status }) => status === "rejected");
    expect(bad).toBe(57_123);
    expect(records[bad]).toMatchObject({
      reason: {
        code: "ERR_NOT_CLONEABLE",
        message: expect.stringContaining('argument 1 of task "same", input 57123 ') as string,
      },
    });
    expect(records.every((each, i) => i === bad || (each.status === "fulfilled" && each.value === i))).toBe(
      true,
    );
    expect(pool.stats().outcomes).toMatchObject({
      completed: outcomes.completed + 59_999,
      failed: outcomes.failed + 1,
    });
    await expectWhole(pool);
  });

  test("a context as an input is refused as one", async () => {
    const [first, second] = await pool
      .map(background, "same", [background, 1], { onError: "settle" })
      .results();
    expect(first).toMatchObject({
      reason: { code: "ERR_NOT_CLONEABLE", message: expect.stringContaining("is a context") as string },
    });
    expect(second).toEqual(record(1));
  });

  test("cancelled: what has been read has its record, then the reader gets err()", async () => {
    const { begun, inputs } = items(200, { 40: "poll" });
    const [ctx, cancel] = withCancel(background);
    const batch = pool.map(ctx, "item", inputs, { chunk: 10, concurrency: 1, onError: "settle" });
    const reading = read(batch);
    await until(() => begun[40] === 1);
    cancel("enough");
    const { got, error } = await reading;
    expect(error).toBe(ctx.err());
    const records = got as PromiseSettledResult<number>[];
    expect(records.length).toBeGreaterThan(40);
    expect(records.length).toBeLessThan(200);
    expect(records.slice(0, 40)).toEqual(range(40).map(record));
    for (const each of records.slice(40)) expect(each).toEqual({ status: "rejected", reason: ctx.err() });
    expect(begun[41]).toBe(0);
    await expectWhole(pool);
  });

  test("cancelled when all of it has been read: a record for each, and no error", async () => {
    const { begun, inputs } = items(5, { 1: "best" });
    const [ctx, cancel] = withCancel(background);
    await using patient = pooled({ threads: 1, grace: Number.POSITIVE_INFINITY }, "items.mjs");
    const batch = patient.map(ctx, "item", inputs, { chunk: 5, onError: "settle" });
    await until(() => begun[1] === 1);
    cancel();
    expect((await batch.results()).map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "rejected",
      "rejected",
      "rejected",
    ]);
  });
});

describe("what stops it", () => {
  test("a deadline: the results that are there come first, then the error, and nothing runs on", async () => {
    const { begun, inputs } = items(200, { 40: "poll", 41: "poll" });
    const [ctx, cancel] = withTimeout(background, 3_600_000);
    await using patient = pooled({ threads: 2, grace: Number.POSITIVE_INFINITY }, "items.mjs");
    await patient.ready();
    const [short] = withTimeout(ctx, 80, "out of time");
    const batch = patient.map(short, "item", inputs, { chunk: 1 });
    const { got, error } = await read(batch);
    expect(error).toBe(short.err());
    expect(error).toMatchObject({ code: "ERR_DEADLINE_EXCEEDED", cause: "out of time" });
    expect(got).toEqual(range(got.length));
    expect(patient.stats()).toMatchObject({ running: 0, queued: 0 });
    expect(begun.every((times) => times <= 1)).toBe(true);
    cancel();
  });

  test("a deadline with best-so-far results: they are there, too", async () => {
    await using patient = pooled({ threads: 2, grace: Number.POSITIVE_INFINITY }, "items.mjs");
    await patient.ready();
    // Until both have begun in time.
    for (let ms = 100; ; ms *= 2) {
      const { begun, inputs } = items(200, { 1: "best", 2: "best" });
      const [ctx] = withTimeout(background, ms);
      const { got, error } = await read(patient.map(ctx, "item", inputs, { chunk: 1 }));
      expect(error).toBe(ctx.err());
      if (begun[1] === 0 || begun[2] === 0) continue;
      expect(got).toEqual([0, 1, 2]);
      return;
    }
  });

  test("in order, what lies behind a gap is not delivered; as they come, it is", async () => {
    for (const ordered of [true, false]) {
      const gate = threadGate();
      const { begun, inputs } = items(6, { 1: "poll" });
      const [ctx, cancel] = withCancel(background);
      await using patient = pooled({ threads: 2, grace: Number.POSITIVE_INFINITY }, "items.mjs");
      const batch = patient.map(ctx, "item", inputs, { chunk: 1, ordered });
      await until(() => batch.progress.done === 5 && begun[1] === 1);
      cancel();
      gate.open();
      const { got, error } = await read(batch);
      expect(error).toBe(ctx.err());
      expect([...(got as number[])].sort((a, b) => a - b)).toEqual(ordered ? [0] : [0, 2, 3, 4, 5]);
    }
  });

  test("a batch of which everything is there when its context ends is complete", async () => {
    const [ctx, cancel] = withCancel(background);
    const { begun, inputs } = items(3, { 2: "best" });
    await using patient = pooled({ threads: 1, grace: Number.POSITIVE_INFINITY }, "items.mjs");
    const batch = patient.map(ctx, "item", inputs);
    await until(() => begun[2] === 1);
    cancel();
    expect(await batch.results()).toEqual([0, 1, 2]);
  });

  test("batch.cancel(): its own context ends, with the cause; repeated calls change nothing", async () => {
    const { begun, inputs } = items(100, { 10: "poll" });
    const batch = pool.map(background, "item", inputs, { chunk: 20, concurrency: 1 });
    await until(() => begun[10] === 1);
    batch.cancel("enough");
    batch.cancel("again");
    const error = await failure(batch.results());
    expect(error).toMatchObject({ code: "ABORT_ERR", cause: "enough" });
    expect(begun[11]).toBe(0);
    batch.cancel("late");
    await expectWhole(pool);
  });

  test("its chunk overruns: it is stopped hard, and none of the chunk's others begins", async () => {
    const { begun, inputs } = items(100, { 10: "spin" });
    const [ctx, cancel] = withCancel(background);
    const batch = pool.map(ctx, "item", inputs, { chunk: 20, concurrency: 1 });
    await until(() => begun[10] === 1);
    cancel();
    const { got, error } = await read(batch);
    expect(got).toEqual(range(10));
    expect(error).toBe(ctx.err());
    expect(begun[11]).toBe(0);
    await expectWhole(pool);
  });

  test("a context that has ended: no input is read", async () => {
    const [ctx, cancel] = withCancel(background);
    cancel("before");
    const inputs = counted();
    const { got, error } = await read(pool.map(ctx, "double", inputs));
    expect({ got, error }).toEqual({ got: [], error: ctx.err() });
    expect(inputs).toMatchObject({ read: 0, closed: 0 });
  });

  test("a custom context whose deadline passes before it says so itself: the batch ends when an item has seen it", async () => {
    const at = Date.now() + 30;
    class Late extends Delegating {
      override deadline(): number {
        return at;
      }
      override done(): Promise<void> {
        return new Promise(() => {});
      }
      override err(): undefined {
        return undefined;
      }
    }
    for (const onError of ["cancel", "settle"] as const) {
      const { inputs } = items(200, { 20: "poll" });
      const { got, error } = await read(
        pool.map(new Late(background), "item", inputs, { chunk: 4, concurrency: 1, onError }),
      );
      expect(error).toMatchObject({ code: "ERR_DEADLINE_EXCEEDED" });
      expect(got.length).toBeLessThan(200);
    }
    await expectWhole(pool);
  });

  test("leaving the loop cancels what is left, and waits until it has stopped", async () => {
    const inputs = counted(1_000_000);
    const { stopped } = pool.stats().outcomes;
    for await (const result of pool.map(background, "double", inputs)) if (result === 20) break;
    expect(pool.stats()).toMatchObject({ running: 0, queued: 0 });
    expect(pool.stats().outcomes.stopped).toBe(stopped);
    expect(inputs.closed).toBe(1);
    expect(inputs.read).toBeLessThan(100);
  });

  test("leaving waits for one that does not stop at once, and the iterator is at its end", async () => {
    const { begun, inputs } = items(10, { 3: "spin" });
    const batch = pool.map(background, "item", inputs, { chunk: 4 });
    const reader = batch[Symbol.asyncIterator]();
    await until(() => begun[3] === 1);
    expect(await reader.next()).toEqual({ done: false, value: 0 });
    const left = reader.return?.("value");
    expect(pool.stats().outcomes.terminated + pool.stats().stuck).toBeGreaterThan(0);
    expect(await left).toEqual({ done: true, value: "value" });
    expect(pool.stats()).toMatchObject({ stuck: 0, running: 0 });
    expect(await reader.next()).toEqual({ done: true, value: undefined });
    await expectWhole(pool);
  });

  test("an error thrown in the loop leaves it, and is what its caller gets", async () => {
    const inputs = counted();
    const loop = async (): Promise<void> => {
      for await (const result of pool.map(background, "double", inputs))
        if (result === 6) throw new Error("no more");
    };
    expect(await failure(loop())).toMatchObject({ message: "no more" });
    expect(inputs.closed).toBe(1);
    await expectWhole(pool);
  });

  test("cancelling from inside the loop: the rest is dropped", async () => {
    const [ctx, cancel] = withCancel(background);
    const inputs = counted();
    const got: unknown[] = [];
    const loop = async (): Promise<void> => {
      for await (const result of pool.map(ctx, "double", inputs)) {
        got.push(result);
        if (result === 6) cancel("seen enough");
      }
    };
    expect(await rejection(loop())).toBe(ctx.err());
    expect(got.slice(0, 4)).toEqual([0, 2, 4, 6]);
    expect(cause(ctx)).toBe("seen enough");
    expect(inputs.closed).toBe(1);
    await expectWhole(pool);
  });
});

describe("inputs that misbehave", () => {
  const thrown = new Error("no more inputs");
  function* failing(): Generator<number> {
    yield* range(50);
    throw thrown;
  }

  test.each(["cancel", "settle"] as const)("they throw in the middle, onError %s", async (onError) => {
    const { got, error } = await read(pool.map(background, "double", failing(), { onError }));
    expect(error).toBe(thrown);
    const values = range(50).map((x) => 2 * x);
    if (onError === "settle") expect(got).toEqual(values.map((value) => ({ status: "fulfilled", value })));
    else expect(got).toEqual(values.slice(0, got.length));
    await expectWhole(pool);
  });

  test("an async one rejects", async () => {
    async function* inputs(): AsyncGenerator<number> {
      yield 1;
      throw thrown;
    }
    expect(await rejection(pool.map(background, "double", inputs()).results())).toBe(thrown);
  });

  test.each([
    [
      "throws when opened",
      {
        [Symbol.iterator]: () => {
          throw thrown;
        },
      },
    ],
    [
      "has a getter that throws",
      {
        [Symbol.iterator]: () => ({
          next: () => ({
            done: false,
            get value(): number {
              throw thrown;
            },
          }),
        }),
      },
    ],
  ])("one that %s", async (_, inputs) => {
    expect(await rejection(pool.map(background, "double", inputs as Iterable<number>).results())).toBe(
      thrown,
    );
    await expectWhole(pool);
  });

  test("an iterator that returns no iterator result", async () => {
    const inputs = { [Symbol.iterator]: () => ({ next: () => 5 }) } as unknown as Iterable<number>;
    expect(await failure(pool.map(background, "double", inputs).results())).toBeInstanceOf(TypeError);
  });

  const throwing = Object.freeze({
    "a value that cannot be read": {
      done: false,
      get value(): number {
        throw thrown;
      },
    },
    "an end that cannot be read": {
      get done(): boolean {
        throw thrown;
      },
      value: 1,
    },
  });
  describe.each(["cancel", "settle"] as const)("onError %s", (onError) => {
    test.each(Object.entries(throwing))("a step with %s, in time or late", async (_, step) => {
      const inTime = { [Symbol.iterator]: () => ({ next: () => step }) };
      const late = { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve(step) }) };
      for (const inputs of [inTime, late] as Iterable<number>[]) {
        expect(await rejection(pool.map(background, "double", inputs, { onError }).results())).toBe(thrown);
      }
    });

    test("a late step that is no object ends it: nothing more is asked for", async () => {
      let asked = 0;
      const inputs = { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve(++asked) }) };
      const { error } = await read(pool.map(background, "double", inputs as never, { onError }));
      expect(error).toBeInstanceOf(TypeError);
      expect(asked).toBe(1);
    });
  });

  test("a step that has a `then` which is no function is a step", async () => {
    let at = 0;
    const inputs = {
      // biome-ignore lint/suspicious/noThenProperty: this is what is tested
      [Symbol.iterator]: () => ({ next: () => ({ done: at === 3, value: at++, then: undefined }) }),
    };
    expect(await pool.map(background, "double", inputs as Iterable<number>).results()).toEqual([0, 2, 4]);
  });

  test("a clean-up that never ends holds up the reader, not the pool", async () => {
    const doomed = pooled({}, "items.mjs");
    let asked = 0;
    const inputs: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        // Two steps, and then one that comes late enough for the batch to be between steps.
        next: () => Promise.resolve({ done: false as const, value: asked++ }),
        return: () => new Promise(() => {}),
      }),
    };
    const batch = doomed.map(background, "double", inputs);
    await until(() => batch.progress.done === 32);
    const reader = batch[Symbol.asyncIterator]();
    const left = reader.return?.() as Promise<unknown>;
    await doomed.destroy();
    expect(await settles(left)).toBe(false);
    expectBalanced(doomed.stats());
  });

  test("an envelope that cannot be posted though each input by itself can: they go one by one", async () => {
    let reads = 0;
    const moody = {
      // In an envelope of several it is looked at, posted, and, when that fails, tried: the second of each three fails.
      get value() {
        if (++reads % 3 === 2) throw new Error("not now");
        return "fine";
      },
    };
    const inputs = [1, moody, 2, 3, 4, 5];
    const results = await pool.map(background, "same", inputs, { chunk: 6, concurrency: 1 }).results();
    expect(results).toEqual([1, { value: "fine" }, 2, 3, 4, 5]);
    expect(reads).toBe(4);
    await expectWhole(pool);
  });

  test("one that never comes: cancelling ends the batch all the same", async () => {
    async function* inputs(): AsyncGenerator<number> {
      yield 1;
      await new Promise(() => {});
    }
    const [ctx, cancel] = withCancel(background);
    const reader = pool.map(ctx, "double", inputs())[Symbol.asyncIterator]();
    expect(await reader.next()).toEqual({ done: false, value: 2 });
    const next = reader.next();
    expect(await settles(next)).toBe(false);
    cancel();
    expect(await rejection(next)).toBe(ctx.err());
    await expectWhole(pool);
  });

  test("their own clean-up is waited for, and what it throws is nobody's", async () => {
    const gate = openableGate();
    let isClean = false;
    async function* inputs(): AsyncGenerator<number> {
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        await gate.opened;
        isClean = true;
        // biome-ignore lint/correctness/noUnsafeFinally: this is what is tested
        throw new Error("from the clean-up");
      }
    }
    const batch = pool.map(background, "double", inputs());
    const reader = batch[Symbol.asyncIterator]();
    // As many as may be read ahead: no step is under way now.
    await until(() => batch.progress.done === 32);
    const left = reader.return?.();
    expect(await settles(left as Promise<unknown>)).toBe(false);
    gate.open();
    expect(await left).toEqual({ done: true, value: undefined });
    expect(isClean).toBe(true);
  });

  test("inputs that use the pool, and cancel their own batch, while they are read", async () => {
    const inner: Promise<unknown>[] = [];
    const [ctx, cancel] = withCancel(background);
    function* inputs(): Generator<number> {
      for (let i = 0; ; i++) {
        inner.push(pool.run(background, "same", i));
        if (i === 40) cancel("from the inputs");
        yield i;
      }
    }
    const { error } = await read(pool.map(ctx, "double", inputs()));
    expect(error).toBe(ctx.err());
    expect(await Promise.all(inner)).toEqual(range(inner.length));
    expect(inner).toHaveLength(41);
    await expectWhole(pool);
  });
});

describe("the reader", () => {
  test("results(): repeated calls return the same promise, and take what has not been read", async () => {
    const batch = pool.map(background, "double", range(10));
    const reader = batch[Symbol.asyncIterator]();
    await reader.next();
    const results = batch.results();
    expect(batch.results()).toBe(results);
    expect(await results).toEqual(
      range(10)
        .slice(1)
        .map((x) => 2 * x),
    );
    expect(() => batch[Symbol.asyncIterator]()).toThrow(/results\(\) has been called/);
  });

  test("reads that wait are answered before results() takes the rest", async () => {
    const batch = pool.map(background, "double", range(10));
    const reader = batch[Symbol.asyncIterator]();
    const waiting = [reader.next(), reader.next()];
    const results = batch.results();
    expect((await Promise.all(waiting)).map(({ value }) => value as unknown)).toEqual([0, 2]);
    expect(await results).toEqual(
      range(10)
        .slice(2)
        .map((x) => 2 * x),
    );
  });

  test("a read that nobody listens to is no unhandled rejection by way of a cancellation", async () => {
    const unhandled: unknown[] = [];
    const listen = (error: unknown): void => {
      unhandled.push(error);
    };
    process.on("unhandledRejection", listen);
    try {
      const [ctx, cancel] = withCancel(background);
      const never: AsyncIterable<number> = {
        [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
      };
      void pool.map(ctx, "double", never)[Symbol.asyncIterator]().next();
      void pool.map(ctx, "double", never).results();
      const left = pool.map(background, "double", never)[Symbol.asyncIterator]();
      const waiting = left.next();
      cancel();
      await left.return?.();
      expect(await waiting).toEqual({ done: true, value: undefined });
      for (let i = 0; i < 5; i++) await turn();
    } finally {
      process.off("unhandledRejection", listen);
    }
    expect(unhandled).toEqual([]);
  });

  test("results() after the end of it all", async () => {
    const batch = pool.map(background, "double", range(10));
    await until(() => batch.progress.done === 10);
    await turn();
    expect(await batch.results()).toEqual(range(10).map((x) => 2 * x));
  });

  test("a failed batch says so once, to whoever reads it late", async () => {
    const { inputs } = items(3, { 1: "fail" });
    const batch = pool.map(background, "item", inputs, { concurrency: 1 });
    await until(() => pool.stats().running === 0 && batch.progress.done >= 2);
    for (let i = 0; i < 5; i++) await turn();
    expect(await read(batch)).toMatchObject({ got: [0], error: { message: "item 1" } });
    // Once: who asks again is told that, or the failure.
    expect((await read(batch)).error).toMatchObject({ code: "ERR_INVALID_ARG" });
    expect(await failure(batch.results())).toMatchObject({ message: "item 1" });
  });

  test("a batch is read once: a second loop, at the same time or afterwards, is an error", async () => {
    const batch = pool.map(background, "double", range(10));
    const [first, second] = await Promise.all([read(batch), read(batch)]);
    expect(first.got).toHaveLength(10);
    expect(second).toMatchObject({ got: [], error: { code: "ERR_INVALID_ARG" } });
    expect((await read(batch)).error).toMatchObject({
      message: expect.stringContaining("read once") as string,
    });
  });
});

describe("bad input", () => {
  const wrong: [string, () => unknown, string][] = [
    ["no context", () => pool.map(undefined as unknown as Context, "double", []), "Pool.map: ctx"],
    ["no name", () => pool.map(background, 5 as unknown as string, []), "Pool.map: name"],
    ["a number", () => pool.map(background, "double", 5 as unknown as number[]), "Pool.map: inputs"],
    ["null", () => pool.map(background, "double", null as unknown as number[]), "Pool.map: inputs"],
    [
      "an array-like",
      () => pool.map(background, "double", { length: 1 } as unknown as number[]),
      "Pool.map: inputs",
    ],
    ...(
      [
        { concurrency: 0 },
        { concurrency: 1.5 },
        { concurrency: "2" },
        { concurrency: Number.NaN },
        { chunk: -1 },
        { chunk: 0 },
        { chunk: 2.5 },
        { chunk: "all" },
        { chunk: Number.POSITIVE_INFINITY },
        { ordered: 1 },
        { onError: "ignore" },
      ] as unknown as MapOptions[]
    ).map((options): [string, () => unknown, string] => [
      JSON.stringify(options),
      () => pool.map(background, "double", [], options),
      `Pool.map: options.${Object.keys(options)[0]}`,
    ]),
    ["options that are none", () => pool.map(background, "double", [], 5 as MapOptions), "Pool.map: options"],
  ];
  test.each(wrong)("%s: throws ERR_INVALID_ARG at once, and names what", (_, call, where) => {
    expect(call).toThrow(expect.objectContaining({ name: "TypeError", code: "ERR_INVALID_ARG" }) as Error);
    expect(call).toThrow(where);
  });

  test("an unknown task: the reader gets it, and no input is read", async () => {
    const inputs = counted();
    expect(await failure(pool.map(background, "nothing of that name", inputs).results())).toMatchObject({
      code: "ERR_UNKNOWN_TASK",
    });
    expect(inputs.read).toBe(0);
  });

  test("an unknown task on a pool that does not know its tasks yet", async () => {
    await using fresh = pooled({}, "items.mjs");
    const { got, error } = await read(fresh.map(background, "nothing of that name", counted()));
    expect(got).toEqual([]);
    expect(error).toMatchObject({ code: "ERR_UNKNOWN_TASK" });
  });

  test("a module that cannot be loaded", async () => {
    await using broken = pooled({}, "throws-while-loading.mjs");
    const inputs = counted();
    expect(await failure(broken.map(background, "double", inputs).results())).toMatchObject({
      code: "ERR_TASK_MODULE",
    });
    expect(
      await failure(broken.map(background, "double", inputs, { onError: "settle" }).results()),
    ).toMatchObject({
      code: "ERR_TASK_MODULE",
    });
  });

  test("a closed pool", async () => {
    const closed = pooled({}, "items.mjs");
    await closed.close();
    expect(await failure(closed.map(background, "double", [1]).results())).toMatchObject({
      code: "ERR_POOL_CLOSED",
    });
  });
});

describe("with the pool", () => {
  test("its counts are tasks: each input is one", async () => {
    await using fresh = pooled({ threads: 2 }, "items.mjs");
    await fresh.map(background, "double", range(300)).results();
    expect(fresh.stats()).toMatchObject({
      submitted: 300,
      started: 300,
      queued: 0,
      outcomes: { completed: 300 },
    });
    const { inputs } = items(300, { 20: "fail" });
    await read(fresh.map(background, "item", inputs, { chunk: 10 }));
    const stats = fresh.stats();
    expect(stats.outcomes.failed).toBe(1);
    expect(stats.started).toBeLessThan(600);
    expectBalanced(stats);
  });

  test("maxQueue is for tasks: a batch holds itself back", async () => {
    await using small = pooled({ threads: 1, maxQueue: 0 }, "items.mjs");
    await small.ready();
    expect(await small.map(background, "double", range(200)).results()).toHaveLength(200);
  });

  test("close() finishes what there is, read or not", async () => {
    const closing = pooled({}, "items.mjs");
    const read = closing.map(background, "double", range(500)).results();
    const unread = closing.map(background, "double", counted(500));
    await until(() => unread.progress.done === 32);
    await closing.close();
    expect(await read).toHaveLength(500);
    expect(await unread.results()).toEqual(range(500).map((x) => 2 * x));
  });

  test("close(ctx) cancels it when ctx ends", async () => {
    const closing = pooled({}, "items.mjs");
    const batch = closing.map(background, "double", counted());
    const [ctx, cancel] = withCancel(background);
    const closed = closing.close(ctx);
    await until(() => batch.progress.done > 100);
    cancel("no patience");
    await closed;
    expect(await failure(batch.results())).toMatchObject({
      code: "ABORT_ERR",
      cause: { code: "ERR_POOL_CLOSED", cause: "no patience" },
    });
  });

  test("destroy() cancels it, and what waits for its reader is still there", async () => {
    const doomed = pooled({}, "items.mjs");
    const batch = doomed.map(background, "double", counted());
    await until(() => batch.progress.done === 32);
    await doomed.destroy();
    const { got, error } = await read(batch);
    expect(got).toEqual(range(32).map((x) => 2 * x));
    expect(error).toMatchObject({ code: "ABORT_ERR", cause: { code: "ERR_POOL_CLOSED" } });
    expectBalanced(doomed.stats());
  });

  test("a batch that is over is not held by the context it was made under, nor its inputs by its handle", async () => {
    const [ctx, cancel] = withCancel(background);
    const finished = async (): Promise<WeakRef<object>> => {
      const batch = pool.map(ctx, "double", range(5));
      await batch.results();
      return new WeakRef(batch);
    };
    const handles: unknown[] = [];
    const fed = async (): Promise<WeakRef<object>> => {
      const inputs = range(5);
      const batch = pool.map(ctx, "double", inputs);
      handles.push(batch);
      await batch.results();
      return new WeakRef(inputs);
    };
    for (const ref of [await finished(), await fed()]) {
      for (let round = 0; round < 10 && ref.deref() !== undefined; round++) {
        await turn();
        heapUsed();
      }
      expect(ref.deref()).toBeUndefined();
    }
    expect(handles).toHaveLength(1);
    cancel();
  });
});
