/** The context of a task, with both sides of its lane on one thread: what ends it, what it takes off again, and how its looks are counted. */
import { MessageChannel } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { background, cause, withCancel, withTimeout } from "../../src/context/index.js";
import type { Node } from "../../src/context/node.js";
import { Stride } from "../../src/context/watch.js";
import { carry } from "../../src/workers/carry.js";
import { CANCELED, CANCELED_WITH_CAUSE, EXPIRED, Lane } from "../../src/workers/lane.js";
import { Mailbox } from "../../src/workers/mailbox.js";
import type { Wake } from "../../src/workers/messages.js";
import { type Place, placeKey } from "../../src/workers/place.js";
import { COUNT, GAPS, Probe, type ProbeMode, STAMPS } from "../../src/workers/probe.js";
import { TaskNode } from "../../src/workers/task-context.js";

const EPOCH = 3;
const AT = 1;
const channel = new MessageChannel();

/** A task at the second place of a lane, with a deadline in so many ms where there is one. */
function task(ms = Infinity, mode?: ProbeMode) {
  const lane = new Lane();
  lane.offer(EPOCH, 2);
  const place: Place = { lane, mailbox: new Mailbox(channel.port1), epoch: EPOCH, at: AT, isLeft: false };
  const deadline = ms === Infinity ? undefined : { when: 0, wall: Date.now() + ms, cause: carry("late") };
  const probe = mode === undefined ? null : new Probe(mode);
  const terms = { deadline, values: undefined };
  const node = new TaskNode(place, terms, background, performance.now() + ms, probe);
  return { lane, place, node, probe: probe as Probe };
}

function wake(about: Partial<Wake> = {}): Wake {
  return { type: "wake", epoch: EPOCH, place: AT, notice: CANCELED, cause: undefined, ...about };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  channel.port1.unref();
  channel.port2.unref();
});

test("a task's context knows its place, and is called a task", () => {
  const { node, place } = task();
  expect(node.value(placeKey)).toBe(place);
  expect(String(withCancel(node)[0])).toMatch(/\.task\.withCancel$/);
});

describe("a cause", () => {
  test("is taken out of the port by the poll that sees the notice", () => {
    const { node, lane } = task();
    channel.port2.postMessage(wake({ notice: CANCELED_WITH_CAUSE, cause: carry("why") }));
    lane.post(EPOCH, AT, CANCELED_WITH_CAUSE);
    expect(node.err()).toMatchObject({ code: "ABORT_ERR", cause: "why" });
  });

  test("that is not there is none", () => {
    for (const posted of [[], [wake({ notice: CANCELED_WITH_CAUSE })]]) {
      const { node, lane } = task();
      for (const each of posted) channel.port2.postMessage(each);
      lane.post(EPOCH, AT, CANCELED_WITH_CAUSE);
      expect(cause(node)).toBe(node.err());
      expect(node.err()).toMatchObject({ code: "ABORT_ERR" });
    }
  });

  test("comes along with the event that ends waiting", () => {
    const { node } = task();
    const { signal } = node;
    node.receive(wake({ notice: CANCELED_WITH_CAUSE, cause: carry("why") }));
    expect(signal.aborted).toBe(true);
    expect(cause(node)).toBe("why");
  });
});

test("an event for another task is not for this one", () => {
  const { node } = task();
  for (const other of [{ epoch: EPOCH + 1 }, { place: AT + 1 }]) node.receive(wake(other));
  expect(node.ending).toBeNull();
  node.receive(wake());
  expect(node.ending).not.toBeNull();
});

describe("a task that awaits something", () => {
  test("says so in the lane, and its deadline needs no poll from then on", () => {
    const { node, lane } = task(100);
    const { signal } = node;
    expect([lane.isAwaiting(EPOCH, AT), vi.getTimerCount(), node.listens]).toEqual([false, 0, false]);
    node.awaits();
    expect([lane.isAwaiting(EPOCH, AT), vi.getTimerCount(), node.listens]).toEqual([true, 1, true]);
    vi.advanceTimersByTime(100);
    expect(signal.aborted).toBe(true);
    expect(cause(node)).toBe("late");
  });

  test("has no timer without a deadline", () => {
    const { node } = task();
    node.awaits();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("hears of what no message came for, and has no timer then", () => {
    const { node, lane } = task(100);
    lane.post(EPOCH, AT, CANCELED);
    node.awaits();
    expect(node.ending).not.toBeNull();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("that has ended before looks no more, and has no timer", () => {
    const { node } = task(100);
    node.receive(wake());
    const clock = vi.spyOn(performance, "now");
    node.awaits();
    expect(clock).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("takes its timer off when it ends otherwise, and those who wait hear of it", async () => {
    const { node } = task(100);
    const done = node.done();
    node.awaits();
    node.over();
    expect(vi.getTimerCount()).toBe(0);
    await expect(done).resolves.toBeUndefined();
  });
});

test("a task that is over has left its place, and what it left behind sees that", () => {
  const { node, place } = task();
  const [child] = withCancel(node);
  node.over();
  expect(place.isLeft).toBe(true);
  expect(child.err()).toMatchObject({ code: "ABORT_ERR" });
});

describe("one that is measured", () => {
  const counting: readonly ProbeMode[] = [COUNT, GAPS];

  /** How many looks are counted while this is done. */
  function looks(mode: ProbeMode, act: (node: Node, lane: Lane) => void, ms?: number): number {
    const { node, lane, probe } = task(ms, mode);
    probe.around(() => {
      act(node, lane);
    })(node);
    return probe.polls;
  }
  const polling = (polls: number) => (node: Node) => {
    for (let poll = 0; poll < polls; poll++) node.err();
  };

  test.each([
    ["with a deadline", 3_600_000],
    ["without", Infinity],
  ])("has each of its polls counted, and none where only moments are stamped, %s", (_, ms) => {
    for (const polls of [0, 1, 2, 64, 65, 66, 1000]) {
      expect(counting.map((mode) => looks(mode, polling(polls), ms))).toEqual([polls, polls]);
      expect(looks(STAMPS, polling(polls), ms)).toBe(0);
    }
  });

  test("has other questions counted as well, and the poll that sees the notice", () => {
    for (const mode of counting) {
      const asking = (node: Node, lane: Lane) => {
        polling(10)(node);
        expect(cause(node)).toBeUndefined();
        polling(10)(node);
        lane.post(EPOCH, AT, CANCELED);
        expect(node.err()).toBeDefined();
        polling(10)(node);
      };
      expect(looks(mode, asking)).toBe(22);
    }
  });

  test("has polls below a deadline of its own counted, each of which looks", () => {
    const below = (node: Node) => {
      const [timed] = withTimeout(node, 3_600_000);
      for (let poll = 0; poll < 100; poll++) timed.err();
    };
    // One more for the look at its parent when it is derived.
    expect(counting.map((mode) => looks(mode, below))).toEqual([101, 101]);
  });

  test("has what is derived from it look at each poll where polls count, and on a stride otherwise", () => {
    const paced = (mode?: ProbeMode) => task(Infinity, mode).node.watch?.paced;
    expect([paced(), paced(STAMPS), paced(COUNT), paced(GAPS)]).toEqual([true, true, false, false]);
  });

  test("looks closely at each poll only where the time between them is measured", () => {
    const left = (mode: ProbeMode) => {
      const { node } = task(Infinity, mode);
      node.err();
      return node.watch?.left;
    };
    expect([left(STAMPS), left(COUNT), left(GAPS)]).toEqual([Stride.LONGEST, Stride.LONGEST, 1]);
  });

  test("notes that it has seen its end, and whether it was told or looked", () => {
    const [told, looked] = [task(Infinity, STAMPS), task(Infinity, STAMPS)];
    told.node.receive(wake());
    looked.lane.post(EPOCH, AT, EXPIRED);
    expect(looked.probe.seen).toBeUndefined();
    looked.node.err();
    for (const { probe } of [told, looked]) expect(probe.seen).toBeGreaterThan(0);
    expect([told.probe.isHeard, looked.probe.isHeard]).toEqual([true, false]);
  });

  test("notes nothing of an end that comes after it was over", () => {
    const { node, probe } = task(Infinity, STAMPS);
    node.over();
    node.receive(wake());
    expect(probe.seen).toBeUndefined();
  });
});
