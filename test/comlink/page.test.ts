/** The shared memory of contexts on their way: whose word is where, and when a slot may be used again. */
import { describe, expect, test } from "vitest";
import { causeBytes, causeFrom, toJson } from "../../src/comlink/cause-bytes.js";
import { ARENA_BYTES, Page, SLOTS } from "../../src/comlink/page.js";
import { Slot, slotsInUse } from "../../src/comlink/slots.js";
import { Ending } from "../../src/context/ending.js";
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
      written(() => {
        page.arrived(3, 1);
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

  test("a context has arrived when the receiver says so, and no other", () => {
    const page = new Page(1);
    page.open(0, 1);
    expect(page.hasArrived(0, 1)).toBe(false);
    received(page).arrived(0, 1);
    expect(page.hasArrived(0, 1)).toBe(true);
    expect(page.hasArrived(0, 2)).toBe(false);
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
    const causeOf = (slot: Slot): unknown => {
      const carried = causeFrom(slot.page.cause(slot.at));
      return carried && unpack(carried);
    };
    const one = Slot.take();
    const two = Slot.take();
    const shared = new Ending(false, { text: "x".repeat(1000) });
    for (const slot of [one, two]) slot.putCause(shared, CANCELED_WITH_CAUSE);
    expect(causeOf(one)).toEqual(causeOf(two));
    // Until the pages have changed: the arena of the first is used up.
    const pages = new Set<number>();
    for (let n = 0; n < 100; n++) {
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
});

describe("a cause in bytes", () => {
  const back = (value: unknown, room: number): unknown => {
    const carried = causeFrom(causeBytes(carry(value), room));
    return carried && unpack(carried);
  };

  test("is itself again", () => {
    const error = Object.assign(new RangeError("why", { cause: new Error("deep") }), { code: "E" });
    const again = back(error, ARENA_BYTES) as RangeError & { code: string };
    expect(again).toBeInstanceOf(RangeError);
    expect(again).toMatchObject({ message: "why", code: "E", cause: { message: "deep" } });
    expect(again.stack).toBe(error.stack);
    expect(back(new Map([[1, 2n]]), ARENA_BYTES)).toEqual(new Map([[1, 2n]]));
  });

  test("goes without its stacks where there is little room, as a stand-in where there is less, or not at all", () => {
    const error = new Error("why", { cause: new Error("deep") });
    const bare = back(error, 700) as Error;
    expect(bare).toMatchObject({ message: "why", cause: { message: "deep" } });
    const standIn = back("z".repeat(5000), 600) as Error;
    expect(standIn).toBeInstanceOf(TypeError);
    expect(standIn.message).toContain("there was no room for it");
    expect(back("z".repeat(5000), 100)).toBe(undefined);
  });

  test("what V8 cannot serialize has a stand-in", () => {
    const again = back(new SharedArrayBuffer(4), ARENA_BYTES);
    expect(again).toBeInstanceOf(TypeError);
    expect((again as Error).message).toContain("could not be sent");
  });

  test("as JSON it is plain data, or refused", () => {
    for (const value of [1, "text", null, true, { a: [1, { b: "c" }] }, new RangeError("why")])
      expect(unpack(JSON.parse(toJson(carry(value))) as never)).toEqual(value);
    for (const value of [new Date(), new Map(), 1n, Number.NaN, new Uint8Array(1), { at: new Date() }])
      expect(() => toJson(carry(value))).toThrow("JSON cannot carry");
  });
});
