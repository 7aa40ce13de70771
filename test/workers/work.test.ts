/**
 * What a worker makes of an envelope, also of one whose tasks may be cut off, at the moments that no pool brings about at will. The
 * test has the main thread's side of the lane, and a guard whose cuts come when it says.
 */
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { afterEach, describe, expect, test } from "vitest";
import type { Context } from "../../src/context/context.js";
import { type Carried, unpack } from "../../src/workers/carry.js";
import { Guard } from "../../src/workers/guard.js";
import {
  CANCELED,
  type Claim,
  DONE,
  DROPPED,
  EXPIRED,
  FAILED,
  FALSE,
  GUARDED,
  INTERRUPTED,
  INTERRUPTING,
  KILLING,
  Lane,
  NULL,
  NUMBER,
  OFFERED,
  POSTED,
  REPLIED,
  STARTED,
  STOPPED,
  STOPPED_EXPIRED,
  TRUE,
  UNDEFINED,
} from "../../src/workers/lane.js";
import { Mailbox } from "../../src/workers/mailbox.js";
import { BY_LETTER, type Parcel, type Terms } from "../../src/workers/messages.js";
import type { Place } from "../../src/workers/place.js";
import { sharedNow } from "../../src/workers/shared-clock.js";
import { exitUnder, type Seat, type TaskFunction, Work } from "../../src/workers/work.js";
import { turn } from "../support/turn.js";

const EPOCH = 1;

/** Runs what it is given. */
class FakeGuard {
  readonly isLeaving = false;
  run(work: () => void, _timeout?: number): boolean {
    work();
    return true;
  }
}

const channel = new MessageChannel();
afterEach(() => {
  posted();
  channel.port1.unref();
  channel.port2.unref();
});

/** What has come from the worker's side; none of it comes twice. */
function posted(): unknown[] {
  const got: unknown[] = [];
  for (
    let at = receiveMessageOnPort(channel.port2);
    at !== undefined;
    at = receiveMessageOnPort(channel.port2)
  )
    got.push((at.message as Parcel).value);
  return got;
}

/** The tasks of an envelope, each called without arguments where `counts` does not say otherwise, and where they stand. */
function envelopeOf(
  tasks: readonly TaskFunction[],
  counts: readonly number[] = tasks.map(() => 0),
  { isGuarded = true, terms = none }: { isGuarded?: boolean; terms?: Terms } = {},
) {
  const lane = new Lane();
  const guard = new FakeGuard();
  lane.offer(EPOCH, tasks.length);
  const seat: Seat = {
    lane,
    mailbox: new Mailbox(channel.port1),
    tasks: new Map(tasks.map((task, at) => [`task ${String(at)}`, task])),
    guard: () => guard as unknown as Guard,
    current: undefined,
  };
  const work = new Work(seat, {
    type: "envelope",
    epoch: EPOCH,
    count: tasks.length,
    names: [...seat.tasks.keys()],
    terms: [terms],
    calls: tasks.flatMap((_, at) => [at, 0, counts[at]]),
    ...(isGuarded && { guarded: true as const }),
  });
  return {
    guard,
    lane,
    seat,
    work,
    /** What main does when a task overruns, before the cut is on its way. */
    interrupt: (place = 0) => lane.move(EPOCH, place, GUARDED, INTERRUPTING),
    stands: (place: number, claim: Claim) => lane.stands(EPOCH, place, claim),
  };
}

const none: Terms = { deadline: undefined, values: undefined };

/** Whether the promise settles before the event loop has turned a few times. */
async function isPending(promise: unknown): Promise<boolean> {
  let isOver = false;
  void Promise.resolve(promise).then(() => {
    isOver = true;
  });
  for (let i = 0; i < 5; i++) await turn();
  return !isOver;
}

const real = Guard.open({ isBeingCut: () => false, broken() {}, exiting() {} }) as Guard;

/** Cuts off the first run for real, after a while that is enough for what comes before, on a busy machine too, and calls `then`. */
function cutFirst(envelope: ReturnType<typeof envelopeOf>, then: () => void): void {
  const { guard } = envelope;
  const { run } = guard;
  guard.run = (work) => {
    guard.run = run;
    const isOver = real.run(work, 400);
    then();
    return isOver;
  };
}

describe("process.exit under a task", () => {
  const under = (claim: Claim): { lane: Lane; place: Place; stands: (claim: Claim) => boolean } => {
    const { lane, seat } = envelopeOf([() => {}]);
    lane.move(EPOCH, 0, OFFERED, claim);
    const place = { lane, mailbox: seat.mailbox, epoch: EPOCH, at: 0, isLeft: false };
    return { lane, place, stands: (what) => lane.stands(EPOCH, 0, what) };
  };

  test("from then on it can be cut off as little as one that has returned a promise", () => {
    const { lane, place, stands } = under(GUARDED);
    exitUnder(place, false);
    expect([stands(STARTED), lane.isAwaiting(EPOCH, 0)]).toEqual([true, true]);
  });

  test("waits for the cut that is under way", () => {
    const { place, stands } = under(INTERRUPTING);
    expect(real.run(() => exitUnder(place, false), 50)).toBe(false);
    expect(stands(INTERRUPTING)).toBe(true);
  });

  test.each([
    ["that the thread has made itself is not waited for", INTERRUPTING, true],
    ["has been given up for the hard stop is not waited for", KILLING, false],
  ] as const)("one %s", (_, claim, isOwn) => {
    const { place, stands } = under(claim);
    expect(real.run(() => exitUnder(place, isOwn), 10_000)).toBe(true);
    expect(stands(claim)).toBe(true);
  });
});

describe("a task that ends by itself while a cut is on its way", () => {
  test("sleeps until the cut has come, and has ended as it did", () => {
    const seen: string[] = [];
    const envelope = envelopeOf([
      () => {
        envelope.interrupt();
        return 7;
      },
      () => {
        seen.push("next");
      },
    ]);
    cutFirst(envelope, () => seen.push("cut"));
    expect(envelope.work.proceed()).toBe(true);
    expect(seen).toEqual(["cut", "next"]);
    expect(envelope.stands(0, DONE) && envelope.stands(1, DONE)).toBe(true);
    expect([envelope.lane.ended(0), envelope.lane.number(0)]).toEqual([NUMBER, 7]);
    expect(envelope.lane.ended(1)).toBe(UNDEFINED);
  });

  test("the same with what it threw", () => {
    const envelope = envelopeOf([
      () => {
        envelope.interrupt();
        throw new RangeError("my own");
      },
    ]);
    cutFirst(envelope, () => {});
    void envelope.work.proceed();
    expect(envelope.stands(0, DONE)).toBe(true);
    expect(envelope.lane.ended(0)).toBe(FAILED);
  });

  test("the same with a promise it returned: from then on nothing of it is cut, and the next one follows", async () => {
    let resolve: (value: number) => void = () => {};
    const envelope = envelopeOf([
      () => {
        envelope.interrupt();
        return new Promise<number>((settle) => {
          resolve = settle;
        });
      },
      () => 4,
    ]);
    cutFirst(envelope, () => {});
    const answer = envelope.work.proceed();
    expect(envelope.stands(0, STARTED)).toBe(true);
    expect(envelope.lane.isAwaiting(EPOCH, 0)).toBe(true);
    expect(envelope.interrupt()).toBe(false);
    resolve(3);
    expect(await answer).toBe(true);
    expect([envelope.lane.ended(0), envelope.lane.number(0)]).toEqual([NUMBER, 3]);
    expect([envelope.lane.ended(1), envelope.lane.number(1)]).toEqual([NUMBER, 4]);
  });

  test("whose thread is being ended instead: it does not answer, and takes nothing more", async () => {
    const envelope = envelopeOf([
      () => {
        envelope.interrupt();
        return 7;
      },
      () => {
        throw new Error("must not be called");
      },
    ]);
    // The second grace is over before the cut has come.
    cutFirst(envelope, () => envelope.lane.move(EPOCH, 0, INTERRUPTING, KILLING));
    expect(await isPending(envelope.work.proceed())).toBe(true);
    expect(envelope.stands(0, KILLING)).toBe(true);
    expect(envelope.stands(1, OFFERED)).toBe(true);
  });

  test("the same when that is decided while the worker finds out about the cut", async () => {
    const envelope = envelopeOf([
      () => {
        envelope.interrupt();
        return 7;
      },
      () => 2,
    ]);
    const { lane } = envelope;
    const stands = lane.stands.bind(lane);
    cutFirst(envelope, () => {
      lane.stands = (epoch, place, claim) => {
        const was = stands(epoch, place, claim);
        if (claim === INTERRUPTING) lane.move(EPOCH, 0, INTERRUPTING, KILLING);
        return was;
      };
    });
    expect(await isPending(envelope.work.proceed())).toBe(true);
    expect(envelope.stands(0, KILLING)).toBe(true);
    expect(envelope.stands(1, OFFERED)).toBe(true);
  });
});

test("letters are out of the port before a task begins that might be cut off while it takes something out", () => {
  const letter = { type: "letter", epoch: EPOCH, place: 1, args: [{ nested: [1] }], values: undefined };
  let got: unknown;
  const envelope = envelopeOf(
    [
      () => {
        // As if it had been cut off right behind this.
        while (receiveMessageOnPort(channel.port1) !== undefined);
      },
      (_ctx, value) => {
        got = value;
      },
    ],
    [0, BY_LETTER],
  );
  channel.port2.postMessage(letter);
  expect(envelope.work.proceed()).toBe(true);
  expect(got).toEqual({ nested: [1] });
});

test("a task whose arguments have got lost on their way fails, uncalled, and the next one runs", () => {
  const envelope = envelopeOf(
    [
      () => {
        throw new Error("must not be called");
      },
      () => 2,
    ],
    [BY_LETTER, 0],
  );
  expect(envelope.work.proceed()).toBe(true);
  expect(envelope.lane.ended(0)).toBe(FAILED);
  expect(posted().map((error) => unpack(error as Carried))).toEqual([
    new Error("the arguments did not arrive"),
  ]);
  expect([envelope.lane.ended(1), envelope.lane.number(1)]).toEqual([NUMBER, 2]);
});

describe("a task that nobody may cut off", () => {
  const once = (task: TaskFunction) => envelopeOf([task], [0], { isGuarded: false });

  test.each([
    [undefined, UNDEFINED],
    [null, NULL],
    [true, TRUE],
    [false, FALSE],
    [-0, NUMBER],
  ])("is not cut off while it runs, and what it returns stands in the lane: %o", (value, ended) => {
    const envelope = once(() => {
      expect(envelope.stands(0, STARTED)).toBe(true);
      expect(envelope.interrupt()).toBe(false);
      return value;
    });
    expect(envelope.work.proceed()).toBe(true);
    expect(envelope.stands(0, DONE)).toBe(true);
    expect(envelope.lane.ended(0)).toBe(ended);
    expect(envelope.lane.number(0)).toBe(ended === NUMBER ? value : 0);
    expect(posted()).toEqual([]);
  });

  test("a text is the answer itself, of the last one; what others return goes by itself", () => {
    const { work, lane } = envelopeOf([() => "first", () => [2], () => "last"], undefined, {
      isGuarded: false,
    });
    expect(work.proceed()).toBe("last");
    expect([0, 1, 2].map((place) => lane.ended(place))).toEqual([POSTED, POSTED, REPLIED]);
    expect(posted()).toEqual(["first", [2]]);
  });

  test.each([
    ["a cancellation", CANCELED, STOPPED],
    ["its deadline", EXPIRED, STOPPED_EXPIRED],
  ] as const)(
    "has stopped when it throws the error of %s, and nothing has to be sent of it",
    (_, notice, ended) => {
      const envelope = once((ctx) => {
        expect(ctx.err()).toBeUndefined();
        envelope.lane.post(EPOCH, 0, notice);
        throw ctx.err() as Error;
      });
      expect(envelope.work.proceed()).toBe(true);
      expect(envelope.stands(0, DONE)).toBe(true);
      expect(envelope.lane.ended(0)).toBe(ended);
      expect(posted()).toEqual([]);
    },
  );

  test("has failed when it throws an error of its own, cancelled or not", () => {
    const envelope = once(() => {
      envelope.lane.post(EPOCH, 0, CANCELED);
      throw new RangeError("my own");
    });
    void envelope.work.proceed();
    expect(envelope.lane.ended(0)).toBe(FAILED);
    expect(unpack(posted()[0] as Carried)).toMatchObject({ name: "RangeError", message: "my own" });
  });
});

describe("a watchdog that goes off", () => {
  const soon: Terms = {
    deadline: { when: sharedNow() + 3_600_000, wall: Date.now() + 3_600_000, cause: undefined },
    values: undefined,
    watchdog: 1000,
  };

  /** Goes off when what it watches has just been worked through. */
  const late = (envelope: ReturnType<typeof envelopeOf>): void => {
    envelope.guard.run = (work, timeout) => {
      work();
      return timeout === undefined;
    };
  };

  test("when the task is over already changes nothing, and the next one follows", () => {
    const envelope = envelopeOf([() => 7, () => 8], undefined, { terms: soon });
    late(envelope);
    expect(envelope.work.proceed()).toBe(true);
    expect([0, 1].map((place) => envelope.lane.ended(place))).toEqual([NUMBER, NUMBER]);
    expect([0, 1].map((place) => envelope.lane.number(place))).toEqual([7, 8]);
  });

  test("when the task is waiting for its promise leaves that alone", async () => {
    let resolve: (value: number) => void = () => {};
    const envelope = envelopeOf(
      [
        () =>
          new Promise<number>((settle) => {
            resolve = settle;
          }),
      ],
      undefined,
      { terms: soon },
    );
    late(envelope);
    const answer = envelope.work.proceed();
    expect(envelope.stands(0, STARTED)).toBe(true);
    resolve(3);
    expect(await answer).toBe(true);
    expect([envelope.lane.ended(0), envelope.lane.number(0)]).toEqual([NUMBER, 3]);
  });

  test("before the task has begun drops it, uncalled", () => {
    const envelope = envelopeOf(
      [
        () => {
          throw new Error("must not be called");
        },
      ],
      undefined,
      { terms: soon },
    );
    envelope.guard.run = (work, timeout) => {
      if (timeout === undefined) work();
      return timeout === undefined;
    };
    expect(envelope.work.proceed()).toBe(true);
    expect(envelope.stands(0, DROPPED)).toBe(true);
    expect(posted()).toEqual([]);
  });
});

describe("a task that is cut off", () => {
  test("is over, and the next one runs", () => {
    const envelope = envelopeOf([
      () => {
        envelope.interrupt();
        while (true);
      },
      () => 2,
    ]);
    cutFirst(envelope, () => {});
    expect(envelope.work.proceed()).toBe(true);
    expect(envelope.lane.ended(0)).toBe(INTERRUPTED);
    expect(envelope.stands(0, DONE) && envelope.stands(1, DONE)).toBe(true);
    expect(envelope.lane.number(1)).toBe(2);
    expect(envelope.seat.current).toBeUndefined();
  });

  test("whose thread is being ended: it does not answer, and takes nothing more", async () => {
    const envelope = envelopeOf([
      () => {
        envelope.interrupt();
        while (true);
      },
      () => 2,
    ]);
    cutFirst(envelope, () => envelope.lane.move(EPOCH, 0, INTERRUPTING, KILLING));
    expect(await isPending(envelope.work.proceed())).toBe(true);
    expect(envelope.stands(0, KILLING)).toBe(true);
    expect(envelope.stands(1, OFFERED)).toBe(true);
  });

  test("its context is over, and what it left behind sees that", () => {
    let ctx: Context | undefined;
    const envelope = envelopeOf([
      (given) => {
        ctx = given;
        envelope.interrupt();
        while (true);
      },
    ]);
    cutFirst(envelope, () => {});
    void envelope.work.proceed();
    expect(ctx?.err()).toMatchObject({ code: "ABORT_ERR" });
  });
});
