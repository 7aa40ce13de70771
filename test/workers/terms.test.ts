/** What the other thread is told of a context: its deadline, its end, and a cause only where that is news to it. */
import { describe, expect, test } from "vitest";
import { now } from "../../src/context/clock.js";
import { DeadlineWatch } from "../../src/context/deadline.js";
import { Ending } from "../../src/context/ending.js";
import { idle } from "../../src/context/watch.js";
import { unpack } from "../../src/workers/carry.js";
import { CANCELED, CANCELED_WITH_CAUSE, EXPIRED, EXPIRED_WITH_CAUSE } from "../../src/workers/lane.js";
import { Causes, deadlineOf, noticeOf } from "../../src/workers/terms.js";

const announced = new RangeError("too late");
const watch = new DeadlineWatch(now() + 60_000, Date.now() + 60_000, announced, null);

test("a deadline goes along with its cause, if it has one", () => {
  expect(deadlineOf(null)).toBeUndefined();
  expect(deadlineOf(idle)).toBeUndefined();
  const deadline = deadlineOf(watch);
  expect(deadline?.wall).toBe(watch.deadline());
  expect(deadline?.cause && unpack(deadline.cause)).toMatchObject({
    name: "RangeError",
    message: "too late",
  });
  expect(deadlineOf(new DeadlineWatch(watch.when, 5, undefined, null))).toMatchObject({
    wall: 5,
    cause: undefined,
  });
});

describe("the end of a context comes", () => {
  test.each([
    ["cancelled, without a cause", new Ending(false, undefined), CANCELED],
    ["cancelled, with a cause", new Ending(false, "why"), CANCELED_WITH_CAUSE],
    [
      "cancelled, with the cause announced for its deadline",
      new Ending(false, announced),
      CANCELED_WITH_CAUSE,
    ],
    ["expired, without a cause", new Ending(true, undefined), EXPIRED],
    ["expired, with the cause announced", new Ending(true, announced), EXPIRED],
    ["expired, with another cause", new Ending(true, "other"), EXPIRED_WITH_CAUSE],
  ])("with its cause where that has not been announced: %s", (_, ending, notice) => {
    const told = noticeOf(ending, watch);
    expect(told).toBe(notice);
    const given = ending.given();
    const cause = new Causes().of(ending, told);
    if (notice === CANCELED || notice === EXPIRED) expect(cause).toBeUndefined();
    else expect(cause && unpack(cause)).toEqual(given);
  });

  test("with a cause that is made ready once for all that end together", () => {
    const causes = new Causes();
    const ending = new Ending(false, { big: "cause" });
    const first = causes.of(ending, CANCELED_WITH_CAUSE);
    expect(causes.of(ending, CANCELED_WITH_CAUSE)).toBe(first);
    const next = causes.of(new Ending(true, "next"), EXPIRED_WITH_CAUSE);
    expect(next && unpack(next)).toBe("next");
  });
});
