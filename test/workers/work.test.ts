/**
 * What a worker makes of an envelope whose tasks may be cut off, at the moments that no pool brings about at will. The test has the
 * main thread's side of the lane, and a guard whose cuts come when it says.
 */
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { afterEach, describe, expect, test } from "vitest";
import type { Context } from "../../src/context/context.js";
import { Guard } from "../../src/workers/guard.js";
import {
  DONE,
  FAILED,
  GUARDED,
  INTERRUPTED,
  INTERRUPTING,
  KILLING,
  Lane,
  NUMBER,
  OFFERED,
  STARTED,
  UNDEFINED,
} from "../../src/workers/lane.js";
import { Mailbox } from "../../src/workers/mailbox.js";
import { BY_LETTER, type Envelope } from "../../src/workers/messages.js";
import { type Seat, type TaskFunction, Work } from "../../src/workers/work.js";
import { turn } from "../support/turn.js";

const EPOCH = 1;

/** Runs what it is given. */
class FakeGuard {
  run(work: () => void): boolean {
    work();
    return true;
  }
}

const channel = new MessageChannel();
afterEach(() => {
  channel.port1.unref();
  channel.port2.unref();
});

/** The tasks of an envelope, each called without arguments where `counts` does not say otherwise, and where they stand. */
function envelopeOf(tasks: readonly TaskFunction[], counts: readonly number[] = tasks.map(() => 0)) {
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
    terms: [none],
    calls: tasks.flatMap((_, at) => [at, 0, counts[at]]),
    guarded: true,
  });
  return {
    guard,
    lane,
    seat,
    work,
    /** What main does when a task overruns, before the cut is on its way. */
    interrupt: (place = 0) => lane.move(EPOCH, place, GUARDED, INTERRUPTING),
    stands: (place: number, claim: typeof DONE | typeof STARTED | typeof OFFERED | typeof KILLING) =>
      lane.stands(EPOCH, place, claim),
  };
}

const none: Envelope["terms"][number] = { deadline: undefined, values: undefined };

/** Whether the promise settles before the event loop has turned a few times. */
async function isPending(promise: unknown): Promise<boolean> {
  let isOver = false;
  void Promise.resolve(promise).then(() => {
    isOver = true;
  });
  for (let i = 0; i < 5; i++) await turn();
  return !isOver;
}

const real = Guard.open({ isBeingCut: () => false, broken() {} }) as Guard;

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
