/** The watch on another thread's notice, with both sides on one thread: what it makes of each notice, and when it looks at the clock. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { background, cause, remaining, withCancel, withTimeout } from "../../src/context/index.js";
import { Node } from "../../src/context/node.js";
import { Stride } from "../../src/context/watch.js";
import { carry } from "../../src/workers/carry.js";
import {
  CANCELED,
  CANCELED_WITH_CAUSE,
  EXPIRED,
  EXPIRED_WITH_CAUSE,
  type Notice,
  noticeWord,
} from "../../src/workers/lane.js";
import { dueOf, NoticeWatch } from "../../src/workers/notice-watch.js";
import type { Deadline } from "../../src/workers/terms.js";

const EPOCH = 5;

class Fetching extends NoticeWatch {
  fetched = 0;
  protected override cause(): unknown {
    this.fetched++;
    return "fetched";
  }
}

function watched(deadline?: Deadline, when = Infinity, isPaced = true) {
  const words = new Int32Array(new SharedArrayBuffer(4));
  const notice = (kind: Notice, epoch = EPOCH) => Atomics.store(words, 0, noticeWord(epoch, kind));
  words[0] = noticeWord(EPOCH, 0);
  const watch = new Fetching(words, EPOCH, deadline, when, isPaced);
  const node = new Node(background, null, watch);
  watch.attach(node);
  return { watch, node, notice };
}

/** A deadline of a task, 100 ms from now. */
const in100 = (): [Deadline, number] => [
  { when: 0, wall: Date.now() + 100, cause: carry("late") },
  performance.now() + 100,
];

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a notice", () => {
  const kinds: [kind: string, notice: Notice, code: string, why: unknown][] = [
    ["canceled", CANCELED, "ABORT_ERR", undefined],
    ["canceled with a cause", CANCELED_WITH_CAUSE, "ABORT_ERR", "fetched"],
    ["expired", EXPIRED, "ERR_DEADLINE_EXCEEDED", "late"],
    ["expired with a cause", EXPIRED_WITH_CAUSE, "ERR_DEADLINE_EXCEEDED", "fetched"],
  ];

  test.each(kinds)("that says %s ends the context so at the next poll", (_, kind, code, why) => {
    const { watch, node, notice } = watched(...in100());
    expect(node.err()).toBeUndefined();
    notice(kind);
    expect(node.err()).toMatchObject({ code });
    expect(cause(node)).toBe(why ?? node.err());
    expect(watch.fetched).toBe(why === "fetched" ? 1 : 0);
  });

  test("is all that a poll needs: the clock is not read beside it", () => {
    const { node, notice } = watched(...in100());
    const clock = vi.spyOn(performance, "now");
    notice(CANCELED);
    expect(node.err()).toMatchObject({ code: "ABORT_ERR" });
    expect(clock).not.toHaveBeenCalled();
  });

  test("that the deadline has passed has no cause where none was announced", () => {
    for (const deadline of [undefined, { when: 0, wall: 0, cause: undefined }]) {
      const { node, notice } = watched(deadline);
      notice(EXPIRED);
      expect(cause(node)).toBe(node.err());
      expect(node.err()).toMatchObject({ code: "ERR_DEADLINE_EXCEEDED" });
    }
  });

  test("of a later epoch cancels what is left of this one", () => {
    const { node, notice } = watched();
    notice(0, EPOCH + 1);
    expect(node.err()).toMatchObject({ code: "ABORT_ERR" });
  });

  test("is seen by what is derived, also below a deadline of its own, and by questions other than err()", () => {
    const { node, notice } = watched();
    const [timed] = withTimeout(node, 3_600_000);
    const [child] = withCancel(timed);
    expect(child.err()).toBeUndefined();
    notice(CANCELED_WITH_CAUSE);
    expect(cause(child)).toBe("fetched");
    expect([node.err(), timed.err()]).toEqual([child.err(), child.err()]);
  });

  test("is seen by the very next poll below a deadline, however far off its next look at the clock is", () => {
    const { node, notice } = watched();
    const [timed] = withTimeout(node, 3_600_000);
    // The clock stands still, so that there are as many polls between two looks as there may be.
    for (let polls = 0; polls < 3; polls++) timed.err();
    expect(Node.is(timed) ? timed.watch?.left : undefined).toBeGreaterThan(1);
    notice(CANCELED);
    expect(timed.err()).toMatchObject({ code: "ABORT_ERR" });
  });

  test("is seen by a look of the library's own, which takes no poll away", () => {
    const { watch, node, notice } = watched();
    expect(node.err()).toBeUndefined();
    const { left } = watch;
    watch.glance();
    expect([watch.left, node.ending]).toEqual([left, null]);
    notice(CANCELED);
    watch.ring();
    expect(node.ending).not.toBeNull();
  });
});

describe("the deadline", () => {
  test("is past at its very moment, for a close look, with the cause that was announced", () => {
    const { node } = watched(...in100());
    vi.advanceTimersByTime(99);
    expect(cause(node)).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(cause(node)).toBe("late");
  });

  test("is seen by a question other than err() between two looks of the polls", () => {
    const { node } = watched(...in100());
    // The clock stands still, so that there are as many polls between two looks as there may be.
    for (let polls = 0; polls < 3; polls++) node.err();
    vi.advanceTimersByTime(100);
    expect(node.err()).toBeUndefined();
    expect(cause(node)).toBe("late");
    expect(node.err()).toMatchObject({ code: "ERR_DEADLINE_EXCEEDED" });
  });

  test("is looked at by polls on a stride, and by none of them where there is no deadline", () => {
    const clock = vi.spyOn(performance, "now");
    const [far] = [watched({ when: 0, wall: 0, cause: undefined }, 3_600_000)];
    const never = watched();
    for (let polls = 0; polls < 10 * Stride.LONGEST; polls++) never.node.err();
    expect(clock).toHaveBeenCalledTimes(0);
    for (let polls = 0; polls < 10 * Stride.LONGEST; polls++) far.node.err();
    expect(clock.mock.calls.length).toBeGreaterThan(5);
    expect(clock.mock.calls.length).toBeLessThan(20);
  });

  test("of what is derived from a paced one is looked at on a stride, too; from one that is not, at each poll", () => {
    const looks = (isPaced: boolean) => {
      const { node } = watched(undefined, Infinity, isPaced);
      const [timed] = withTimeout(node, 3_600_000);
      const clock = vi.spyOn(performance, "now");
      clock.mockClear();
      for (let polls = 0; polls < 640; polls++) timed.err();
      return clock.mock.calls.length;
    };
    expect(looks(true)).toBeLessThan(20);
    expect(looks(false)).toBe(640);
  });

  test("needs no poll where its alarm rings", () => {
    const { watch, node } = watched(...in100());
    vi.advanceTimersByTime(99);
    watch.ring();
    expect(node.ending).toBeNull();
    vi.advanceTimersByTime(1);
    watch.ring();
    expect(node.ending?.cause()).toBe("late");
  });

  test("is told, and what is left to it", () => {
    const [deadline, when] = in100();
    const { node } = watched(deadline, when);
    expect([node.deadline(), remaining(node)]).toEqual([deadline.wall, 100]);
    vi.advanceTimersByTime(30);
    expect(remaining(node)).toBe(70);
    const free = watched();
    expect([free.node.deadline(), remaining(free.node)]).toEqual([undefined, Infinity]);
  });

  test("comes from the clock that threads share; without one there is none", () => {
    vi.useRealTimers();
    expect(dueOf(undefined)).toBe(Infinity);
    const shared = Number(process.hrtime.bigint()) / 1e6;
    const left = dueOf({ when: shared + 3_600_000, wall: 0, cause: undefined }) - performance.now();
    expect(Math.round(left / 600_000)).toBe(6);
  });
});
