/** The words of a lane: every fork of the claim has one winner, and a word of another task is never taken for this one's. */
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  CANCELED,
  CANCELED_WITH_CAUSE,
  type Claim,
  DONE,
  DROPPED,
  EXPIRED,
  EXPIRED_WITH_CAUSE,
  INTERRUPTING,
  KILLING,
  Lane,
  LIVE,
  NUMBER,
  nextEpoch,
  noticeWord,
  OFFERED,
  PLACES,
  readEpoch,
  readNotice,
  STARTED,
  STOPPED,
} from "../../src/workers/lane.js";

const LAST = 2 ** 28 - 1;
const epochs = [1, 2, 1000, LAST - 1, LAST];
const places = [0, 1, 17, PLACES - 1];

test("epochs count up and start over at 1", () => {
  expect([0, 1, LAST - 1, LAST].map(nextEpoch)).toEqual([1, 2, LAST, 1]);
});

test.each(epochs)(
  "a notice for epoch %i comes back as it was written, on the other side of the buffer too",
  (epoch) => {
    const lane = new Lane();
    const there = new Lane(lane.buffer);
    lane.offer(epoch, PLACES);
    for (const place of places) {
      expect(there.notice(place)[0]).toBe(noticeWord(epoch, LIVE));
      for (const notice of [LIVE, CANCELED, CANCELED_WITH_CAUSE, EXPIRED, EXPIRED_WITH_CAUSE] as const) {
        lane.post(epoch, place, notice);
        expect(readNotice(there.notice(place)[0] as number, epoch)).toBe(notice);
        expect(readEpoch(there.notice(place)[0] as number)).toBe(epoch);
      }
    }
  },
);

test("the notice of any other epoch reads as cancelled", () => {
  for (const epoch of epochs) {
    for (const other of epochs.filter((each) => each !== epoch)) {
      for (const notice of [LIVE, CANCELED, CANCELED_WITH_CAUSE, EXPIRED, EXPIRED_WITH_CAUSE] as const) {
        expect(readNotice(noticeWord(other, notice), epoch)).toBe(CANCELED);
      }
    }
  }
});

describe("the claim", () => {
  const states: readonly Claim[] = [OFFERED, STARTED, DONE, DROPPED, KILLING];

  test("moves only from where it stands", () => {
    for (const epoch of epochs) {
      for (const from of states) {
        for (const to of states) {
          const lane = new Lane();
          lane.offer(epoch, 3);
          const moved = lane.move(epoch, 1, from, to);
          expect(moved).toBe(from === OFFERED);
          expect(lane.stands(epoch, 1, moved ? to : OFFERED)).toBe(true);
          expect(lane.stands(epoch, 0, OFFERED)).toBe(true);
          expect(lane.stands(epoch, 2, OFFERED)).toBe(true);
        }
      }
    }
  });

  test("of a task cannot be moved by one of another epoch, or at another place", () => {
    const lane = new Lane();
    lane.offer(7, 2);
    expect(lane.move(6, 0, OFFERED, STARTED)).toBe(false);
    expect(lane.stands(6, 0, OFFERED)).toBe(false);
    expect(lane.move(7, 2, OFFERED, STARTED)).toBe(false);
    expect(lane.stands(7, 0, OFFERED)).toBe(true);
    expect(lane.stands(7, 1, OFFERED)).toBe(true);
  });

  test.each([
    [
      [OFFERED, STARTED],
      [OFFERED, DROPPED],
    ],
    [
      [STARTED, DONE],
      [STARTED, KILLING],
    ],
  ] as const)("goes to whoever is first, and the other is told: %j or %j", (one, other) => {
    for (const place of places) {
      for (const [winner, loser] of [
        [one, other],
        [other, one],
      ] as const) {
        const lane = new Lane();
        const there = new Lane(lane.buffer);
        lane.offer(3, PLACES);
        if (one[0] === STARTED) lane.move(3, place, OFFERED, STARTED);
        expect(lane.move(3, place, winner[0], winner[1])).toBe(true);
        expect(there.move(3, place, loser[0], loser[1])).toBe(false);
        expect(there.stands(3, place, winner[1])).toBe(true);
      }
    }
  });
});

test("a shorter envelope leaves the places behind it to the epoch before", () => {
  const lane = new Lane();
  lane.offer(1, 3);
  lane.offer(2, 1);
  expect(lane.stands(2, 0, OFFERED)).toBe(true);
  expect(lane.stands(2, 1, OFFERED)).toBe(false);
  expect(readNotice(lane.notice(1)[0] as number, 2)).toBe(CANCELED);
});

test("progress starts at 0 with each task, keeps eight digits, and is its place's own", () => {
  const lane = new Lane();
  lane.offer(1, 2);
  for (const place of [0, 1]) expect(lane.progress(place)).toBe(0);
  for (const fraction of [0, 1e-8, 0.123456789, 0.5, 1]) {
    lane.setProgress(1, fraction);
    expect(lane.progress(1)).toBeCloseTo(fraction, 8);
    expect(lane.progress(0)).toBe(0);
  }
  lane.offer(2, 2);
  expect(lane.progress(1)).toBe(0);
});

test("how a task ended comes out on the other side, to the last bit of its number", () => {
  const lane = new Lane();
  const there = new Lane(lane.buffer);
  for (const place of places) {
    for (const number of [0, -0, 0.1, Number.MAX_VALUE, Number.NaN, Number.NEGATIVE_INFINITY]) {
      there.report(place, NUMBER, number, 0.25);
      expect([lane.ended(place), lane.number(place), lane.took(place)]).toEqual([NUMBER, number, 0.25]);
      there.report(place, STOPPED, 0, 2);
      expect([lane.ended(place), lane.number(place), lane.took(place)]).toEqual([STOPPED, 0, 2]);
    }
  }
});

test("awaiting is told for one task, at one place", () => {
  const lane = new Lane();
  lane.awaits(4, 1);
  expect(lane.isAwaiting(4, 1)).toBe(true);
  expect(lane.isAwaiting(4, 0)).toBe(false);
  expect(lane.isAwaiting(5, 1)).toBe(false);
});

test("what different threads write is 64 bytes apart, and 64 bytes from both ends", () => {
  const written = (write: (lane: Lane) => void): number[] => {
    const lane = new Lane();
    const bytes = new Int32Array(lane.buffer);
    write(lane);
    return [...bytes.keys()].filter((at) => bytes[at] !== 0).map((at) => at * 4);
  };
  const every = (write: (lane: Lane, place: number) => void) => (lane: Lane) => {
    for (let place = 0; place < PLACES; place++) write(lane, place);
  };
  const main = written(every((lane, place) => lane.post(1, place, CANCELED)));
  const both = written((lane) => lane.offer(1, PLACES)).filter((at) => !main.includes(at));
  const worker = written(
    every((lane, place) => {
      lane.setProgress(place, 1);
      lane.awaits(1, place);
      lane.report(place, STOPPED, 1, 1);
    }),
  );
  for (const words of [main, both]) expect(words).toHaveLength(PLACES);
  const end = new Lane().buffer.byteLength;
  const edges = [[0], main, both, worker, [end]].map(
    (words) => [Math.min(...words), Math.max(...words)] as const,
  );
  for (const [i, [from]] of edges.slice(1).entries())
    expect(from - (edges[i]?.[1] as number)).toBeGreaterThanOrEqual(64);
});

test("an envelope of one is as fresh as one of several", () => {
  const lane = new Lane();
  lane.offer(1, 2);
  lane.post(1, 0, CANCELED);
  lane.setProgress(0, 0.5);
  lane.offer(2, 1);
  expect(lane.notice(0)[0]).toBe(noticeWord(2, LIVE));
  expect(lane.progress(0)).toBe(0);
});

test("no two words lie on one another: what is written to one changes no other", () => {
  const lane = new Lane();
  lane.offer(5, PLACES);
  for (let place = 0; place < PLACES; place++) {
    lane.post(5, place, EXPIRED);
    lane.move(5, place, OFFERED, STARTED);
    lane.setProgress(place, 0.25);
    lane.awaits(5, place);
    lane.report(place, STOPPED, place + 0.5, 8);
  }
  for (let place = 0; place < PLACES; place++) {
    expect([
      lane.notice(place)[0],
      lane.stands(5, place, STARTED),
      lane.progress(place),
      lane.isAwaiting(5, place),
      lane.ended(place),
      lane.number(place),
      lane.took(place),
    ]).toEqual([noticeWord(5, EXPIRED), true, 0.25, true, STOPPED, place + 0.5, 8]);
  }
});

describe("sleeping on a claim", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test("goes on for as long as it stands there, however often it is woken", () => {
    const lane = new Lane();
    lane.offer(3, 2);
    lane.move(3, 1, OFFERED, INTERRUPTING);
    const words = new Int32Array(lane.buffer);
    const slept: unknown[] = [];
    vi.spyOn(Atomics, "wait").mockImplementation((claims, place, word) => {
      slept.push([Number(claims[place]), place, word]);
      // The first time for nothing.
      if (slept.length === 2) lane.move(3, 1, INTERRUPTING, KILLING);
      return "ok";
    });
    lane.sleepWhile(3, 1, INTERRUPTING);
    const word = (3 << 3) | INTERRUPTING;
    expect(slept).toEqual([
      [word, 1, word],
      [word, 1, word],
    ]);
    expect(words).toContain((3 << 3) | KILLING);
  });

  test("does not begin where it stands elsewhere, or is another epoch's", () => {
    const lane = new Lane();
    lane.offer(3, 1);
    lane.move(3, 0, OFFERED, INTERRUPTING);
    const wait = vi.spyOn(Atomics, "wait").mockReturnValue("ok");
    lane.sleepWhile(3, 0, STARTED);
    lane.sleepWhile(2, 0, INTERRUPTING);
    expect(wait).not.toHaveBeenCalled();
  });
});
