/** The shared memory of contexts on their way: whose word is where, and when a slot may be used again. */
import { describe, expect, test, vi } from "vitest";
import { briefCauseBytes, causeBytes, causeFrom, toJson } from "../../src/comlink/cause-bytes.js";
import { ARENA_TO, Page, RESERVE_BYTES, SLOTS } from "../../src/comlink/page.js";
import { receive } from "../../src/comlink/received.js";
import { Slot, slotsInUse } from "../../src/comlink/slots.js";
import { SHARED } from "../../src/comlink/wire.js";
import { Ending } from "../../src/context/ending.js";
import { afterFunc } from "../../src/context/index.js";
import { carry, unpack } from "../../src/workers/carry.js";
import { CANCELED, CANCELED_WITH_CAUSE, EXPIRED, LIVE, noticeWord } from "../../src/workers/lane.js";

/** The same page as its receiver has it. */
function received(page: Page): Page {
  return new Page(page.id, page.buffer);
}

describe("a page", () => {
  test("each slot has its own words, seen by the other side", () => {
    const page = new Page(1);
    const other = received(page);
    for (let slot = 0; slot < SLOTS; slot++) page.open(slot, slot + 1);
    for (let slot = 0; slot < SLOTS; slot++) expect(other.notice(slot)[0]).toBe(noticeWord(slot + 1, LIVE));
    page.post(5, 6, EXPIRED);
    expect(other.notice(5)[0]).toBe(noticeWord(6, EXPIRED));
    expect([4, 6].map((slot) => other.notice(slot)[0])).toEqual([noticeWord(5, LIVE), noticeWord(7, LIVE)]);
  });

  test("what the two sides write lies on different cache lines", () => {
    const page = new Page(1);
    const words = new Int32Array(page.buffer);
    const written = (write: () => void): number => {
      const before = [...words];
      write();
      return [...words].findIndex((word, at) => word !== before[at]);
    };
    const line = (at: number): number => Math.floor((at * 4) / 64);
    const bySender = [
      written(() => {
        page.open(3, 1);
      }),
      written(() => {
        page.pointToCause(3, 8, 9);
      }),
    ];
    const byReceiver = [
      written(() => {
        page.awaits(3, 1);
      }),
    ];
    const next = written(() => {
      page.open(4, 1);
    });
    expect(new Set(bySender.map(line)).size).toBe(1);
    expect(new Set(byReceiver.map(line)).size).toBe(1);
    expect(new Set([...bySender, ...byReceiver, next].map(line)).size).toBe(3);
  });

  test("nobody is woken who does not wait", async () => {
    const page = new Page(1);
    const seen = page.signals();
    page.open(0, 1);
    page.post(0, 1, CANCELED);
    page.wake(0, 1);
    expect(page.signals()).toBe(seen);
    page.awaits(0, 1);
    const woken = page.nextSignal(seen);
    page.wake(0, 1);
    expect(await woken).toBe("ok");
    expect(page.signals()).toBe(seen + 1);
    // It came before the wait.
    expect(page.nextSignal(seen)).toBe(undefined);
    // An earlier context's wish is not the next one's.
    page.open(0, 2);
    page.wake(0, 2);
    expect(page.signals()).toBe(seen + 1);
  });
});

describe("a slot", () => {
  test("is used again once its call is over, for another context, which the old word does not speak of", () => {
    const first = Slot.take();
    const { at, epoch, page } = first;
    const word = noticeWord(epoch, LIVE);
    expect(page.notice(at)[0]).toBe(word);
    first.leave(true);
    const second = Slot.take();
    expect([second.page, second.at]).toEqual([page, at]);
    expect(second.epoch).not.toBe(epoch);
    expect(page.notice(at)[0]).not.toBe(word);
    second.leave(true);
  });

  test("is not, when nobody knows whether it is still read", () => {
    const first = Slot.take();
    first.leave(false);
    const second = Slot.take();
    expect(second.page === first.page && second.at === first.at).toBe(false);
    second.leave(true);
  });

  test("there are as many as are asked for", () => {
    const before = slotsInUse();
    const slots = Array.from({ length: 3 * SLOTS }, () => Slot.take());
    expect(new Set(slots.map(({ page, at }) => `${String(page.id)} ${String(at)}`)).size).toBe(3 * SLOTS);
    expect(slotsInUse()).toBe(before + 3 * SLOTS);
    for (const slot of slots) slot.leave(true);
    expect(slotsInUse()).toBe(before);
  });

  test("contexts of one page that end together have one cause; a page with little room for causes is given up", () => {
    const one = Slot.take();
    const two = Slot.take();
    const shared = new Ending(false, { text: "x".repeat(1000) });
    for (const slot of [one, two]) slot.putCause(shared, CANCELED_WITH_CAUSE);
    expect(causeOf(one)).toEqual(causeOf(two));
    // Until the pages have changed: the arena of the first is used up.
    const pages = new Set<number>();
    for (let n = 0; n < 1500; n++) {
      const slot = Slot.take();
      pages.add(slot.page.id);
      const ending = new Ending(false, `${String(n)} ${"y".repeat(2000)}`);
      slot.putCause(ending, CANCELED_WITH_CAUSE);
      expect(causeOf(slot)).toBe(ending.given());
      slot.leave(true);
    }
    expect(pages.size).toBeGreaterThan(2);
    one.leave(true);
    two.leave(true);
  });

  test("whatever the causes of the others take, each has its own: cut short, when there is no room for more", () => {
    const slots = Array.from({ length: 2 * SLOTS }, () => Slot.take());
    slots.forEach((slot, n) => {
      const error = new RangeError(`${String(n)} ${"z".repeat(5000)}`, { cause: new Error("deep") });
      slot.putCause(new Ending(false, Object.assign(error, { code: "E_BIG" })), CANCELED_WITH_CAUSE);
    });
    slots.forEach((slot, n) => {
      const cause = causeOf(slot) as RangeError & { code: string };
      expect(cause).toBeInstanceOf(RangeError);
      expect(cause.code).toBe("E_BIG");
      expect(cause.message.startsWith(`${String(n)} zzz`)).toBe(true);
    });
    const messages = slots.map((slot) => (causeOf(slot) as Error).message.length);
    expect(messages.filter((length) => length > 5000).length).toBeGreaterThan(10);
    expect(messages.filter((length) => length < 200).length).toBeGreaterThan(10);
    for (const slot of slots) slot.leave(true);
  });
});

function causeOf(slot: Slot): unknown {
  return unpack(causeFrom(slot.page.cause(slot.at)));
}

describe("a cause in bytes", () => {
  const back = (value: unknown, room: number): unknown => {
    const bytes = causeBytes(carry(value), room);
    return bytes && unpack(causeFrom(bytes));
  };
  const briefly = (value: unknown, room = RESERVE_BYTES): unknown => {
    const bytes = briefCauseBytes(carry(value), room);
    expect(bytes.length).toBeLessThanOrEqual(room);
    return unpack(causeFrom(bytes));
  };

  test("is itself again", () => {
    const error = Object.assign(new RangeError("why", { cause: new Error("deep") }), { code: "E" });
    const again = back(error, ARENA_TO) as RangeError & { code: string };
    expect(again).toBeInstanceOf(RangeError);
    expect(again).toMatchObject({ message: "why", code: "E", cause: { message: "deep" } });
    expect(again.stack).toBe(error.stack);
    expect(back(new Map([[1, 2n]]), ARENA_TO)).toEqual(new Map([[1, 2n]]));
  });

  test("goes without its stacks where there is little room, or not at all", () => {
    const error = new Error("why", { cause: new Error("deep") });
    expect(back(error, 700)).toMatchObject({ message: "why", cause: { message: "deep" } });
    expect(back(error, 100)).toBe(undefined);
    // What V8 cannot serialize.
    expect(back(new SharedArrayBuffer(4), ARENA_TO)).toBe(undefined);
  });

  test("the least of it fits into any slot", () => {
    const big = "ö→".repeat(5000);
    const error = Object.assign(new RangeError(big, { cause: new Error(big) }), { code: big, detail: big });
    expect(briefly(error)).toBeInstanceOf(RangeError);
    Object.defineProperty(error, "name", { value: big });
    class Odd extends Error {}
    Object.defineProperty(Odd, "name", { value: big });
    for (const each of [error, new Odd(big), Object.assign(new Error("e"), { code: 5 })])
      expect(briefly(each)).toBeInstanceOf(Error);
    expect(briefly(Object.assign(new Error("short"), { code: 5 }))).toMatchObject({
      message: "short",
      code: 5,
    });
    const standIn = briefly(new SharedArrayBuffer(4)) as Error;
    expect(standIn).toBeInstanceOf(TypeError);
    expect(standIn.message).toContain("could not be sent to another thread");
  });

  test("as JSON it is plain data, or refused", () => {
    for (const value of [1, "text", null, true, { a: [1, { b: "c" }] }, new RangeError("why")])
      expect(unpack(JSON.parse(toJson(carry(value))) as never)).toEqual(value);
    for (const value of [new Date(), new Map(), 1n, Number.NaN, new Uint8Array(1), { at: new Date() }])
      expect(() => toJson(carry(value))).toThrow("JSON cannot carry");
  });
});

describe("a context that has been received", () => {
  test("hears of an end that comes just before it says that somebody waits", async () => {
    const slot = Slot.take();
    const { page, at, epoch } = slot;
    const { ctx } = receive([SHARED, page.buffer, page.id, at, epoch]);
    const { awaits } = Page.prototype;
    const spy = vi.spyOn(Page.prototype, "awaits").mockImplementation(function (this: Page, ...args) {
      // The sender has looked, and seen nobody waiting.
      slot.post(CANCELED);
      slot.wake();
      awaits.apply(this, args);
    });
    // Which asks nothing after this.
    const ended = new Promise<void>((resolve) => afterFunc(ctx, resolve));
    spy.mockRestore();
    await ended;
    expect(ctx.err()?.code).toBe("ABORT_ERR");
    slot.leave(true);
  });

  test("keeps its page, however many others come", async () => {
    const slots = Array.from({ length: 40 * SLOTS }, () => Slot.take());
    const first = slots[0]!;
    const received = slots
      .filter((_, n) => n % SLOTS === 0)
      .map(({ page, at, epoch }) => receive([SHARED, page.buffer, page.id, at, epoch]).ctx);
    const done = received.map((ctx) => ctx.done());
    first.post(CANCELED);
    first.wake();
    await done[0];
    expect(received.map((ctx) => ctx.err()?.code)).toEqual([
      "ABORT_ERR",
      ...Array<undefined>(39).fill(undefined),
    ]);
    for (const slot of slots) {
      slot.post(CANCELED);
      slot.wake();
    }
    await Promise.all(done);
    for (const slot of slots) slot.leave(false);
  });
});
