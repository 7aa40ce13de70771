/** The words of a lane: every fork of the claim has one winner, and a word of another task is never taken for this one's. */
import { describe, expect, test } from "vitest";
import {
  CANCELED,
  CANCELED_WITH_CAUSE,
  type Claim,
  DONE,
  DROPPED,
  EXPIRED,
  EXPIRED_WITH_CAUSE,
  KILLING,
  Lane,
  LIVE,
  nextEpoch,
  noticeWord,
  OFFERED,
  readNotice,
  STARTED,
} from "../../src/workers/lane.js";

const LAST = 2 ** 28 - 1;
const epochs = [1, 2, 1000, LAST - 1, LAST];

test("epochs count up and start over at 1", () => {
  expect([0, 1, LAST - 1, LAST].map(nextEpoch)).toEqual([1, 2, LAST, 1]);
});

test.each(epochs)(
  "a notice for epoch %i comes back as it was written, on the other side of the buffer too",
  (epoch) => {
    const lane = new Lane();
    const there = new Lane(lane.buffer);
    lane.offer(epoch);
    expect(there.notice[0]).toBe(noticeWord(epoch, LIVE));
    for (const notice of [LIVE, CANCELED, CANCELED_WITH_CAUSE, EXPIRED, EXPIRED_WITH_CAUSE] as const) {
      lane.post(epoch, notice);
      expect(readNotice(there.notice[0] as number, epoch)).toBe(notice);
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
          lane.offer(epoch);
          const moved = lane.move(epoch, from, to);
          expect(moved).toBe(from === OFFERED);
          expect(lane.stands(epoch, moved ? to : OFFERED)).toBe(true);
        }
      }
    }
  });

  test("of a task cannot be moved by one of another epoch", () => {
    const lane = new Lane();
    lane.offer(7);
    expect(lane.move(6, OFFERED, STARTED)).toBe(false);
    expect(lane.stands(6, OFFERED)).toBe(false);
    expect(lane.stands(7, OFFERED)).toBe(true);
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
    for (const [winner, loser] of [
      [one, other],
      [other, one],
    ] as const) {
      const lane = new Lane();
      const there = new Lane(lane.buffer);
      lane.offer(3);
      if (one[0] === STARTED) lane.move(3, OFFERED, STARTED);
      expect(lane.move(3, winner[0], winner[1])).toBe(true);
      expect(there.move(3, loser[0], loser[1])).toBe(false);
      expect(there.stands(3, winner[1])).toBe(true);
    }
  });
});

test("progress starts at 0 with each task, and keeps eight digits", () => {
  const lane = new Lane();
  lane.offer(1);
  expect(lane.progress).toBe(0);
  for (const fraction of [0, 1e-8, 0.123456789, 0.5, 1]) {
    lane.progress = fraction;
    expect(lane.progress).toBeCloseTo(fraction, 8);
  }
  lane.offer(2);
  expect(lane.progress).toBe(0);
});

test("what different threads write is 64 bytes apart, and 64 bytes from both ends", () => {
  const lane = new Lane();
  const bytes = new Int32Array(lane.buffer);
  const written = (write: () => void): number[] => {
    bytes.fill(0);
    write();
    return [...bytes.keys()].filter((at) => bytes[at] !== 0).map((at) => at * 4);
  };
  const places = [
    ...written(() => lane.post(1, CANCELED)),
    ...written(() => {
      Atomics.store(bytes, 0, 0);
      lane.progress = 1;
    }),
  ];
  bytes.fill(0);
  lane.offer(1);
  const all = [...bytes.keys()].filter((at) => bytes[at] !== 0).map((at) => at * 4);
  const sorted = [...new Set([...places, ...all])].sort((a, b) => a - b);
  expect(sorted).toHaveLength(3);
  const edges = [0, ...sorted, lane.buffer.byteLength];
  for (const [i, at] of edges.slice(1).entries())
    expect(at - (edges[i] as number)).toBeGreaterThanOrEqual(64);
});
