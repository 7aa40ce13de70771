/** What a measured task leaves behind about itself. */
import { background, type Pool, type SubmitOptions, withCancel } from "lifeguard";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  COUNT,
  GAPS,
  Probe,
  type Probed,
  type ProbeMode,
  probeKey,
  STAMPS,
  stamp,
} from "../../src/workers/probe.js";
import { openableGate } from "../support/gate.js";
import { expectWhole, pooled, settled, threadGate } from "../support/pool.js";

let pool: Pool;
beforeAll(async () => {
  pool = pooled({ threads: 1 }, "measured.mjs");
  await pool.ready();
});
afterAll(() => pool.destroy());

function submit(mode: ProbeMode, name: string, ...args: unknown[]) {
  const probe = new Probe(mode);
  const options: Probed & SubmitOptions = { [probeKey]: probe.buffer };
  const [ctx, cancel] = withCancel(background);
  return { probe, cancel, task: pool.submit(ctx, name, args, options) };
}

describe("a probe", () => {
  test("stamps begin and end on the clock of all threads", async () => {
    const before = stamp();
    const { probe, task } = submit(STAMPS, "polls", 3);
    await task.result;
    const { began, ended } = probe;
    expect(before).toBeLessThan(began);
    expect(began).toBeLessThanOrEqual(ended ?? 0);
    expect(ended).toBeLessThan(stamp());
    expect(probe).toMatchObject({ hasBegun: true, hasEnded: true, seen: undefined, polls: 0 });
  });

  for (const name of ["polls", "pollsDerived", "pollsBelowTimeout", "pollsWrapped"]) {
    test.each([0, 1, 1000])(`counts each poll: ${name}, %i times`, async (times) => {
      const { probe, task } = submit(COUNT, name, times);
      expect(await task.result).toBe(times);
      expect(probe.polls).toBe(times);
    });
  }

  test("measures the times between polls, from the begin to the end", async () => {
    const { probe, task } = submit(GAPS, "pausesOnce", 5, 20);
    await task.result;
    const { longest, squares } = probe.gaps(probe.ended ?? 0);
    expect(probe.polls).toBe(5);
    expect(longest).toBeGreaterThanOrEqual(20e6);
    expect(longest).toBeLessThanOrEqual((probe.ended ?? 0) - probe.began);
    expect(squares).toBeGreaterThanOrEqual(longest ** 2);
    // The longest of them times all of them.
    expect(squares).toBeLessThanOrEqual(1.001 * longest * ((probe.ended ?? 0) - probe.began));
  });

  test("the time after the last poll is a gap too, also of a task that does not end by itself", () => {
    const probe = new Probe(GAPS);
    const from = stamp();
    const task = probe.around(() => {
      expect(probe.gaps(probe.began + 7).longest).toBe(7);
      probe.polled(1);
    });
    task(background);
    expect(probe.began).toBeGreaterThanOrEqual(from);
    expect(probe.gaps(0).longest).toBeGreaterThan(0);
    expect(new Probe(probe.buffer).gaps(0)).toEqual(probe.gaps(0));
  });

  test("says when the end was seen, by a look", async () => {
    const gate = threadGate();
    const { probe, cancel, task } = submit(STAMPS, "pollsOnceOpen", gate.view);
    await gate.entered();
    cancel();
    const cancelled = stamp();
    gate.open();
    expect(await settled(task)).toBe("stopped");
    expect(probe.seen).toBeGreaterThan(cancelled);
    expect(probe.seen).toBeLessThanOrEqual(probe.ended ?? 0);
    expect(probe.isHeard).toBe(false);
  });

  test("or by a message, when the task awaits something", async () => {
    const gate = threadGate();
    const { probe, cancel, task } = submit(STAMPS, "waits", gate.view);
    await gate.entered();
    const before = stamp();
    cancel();
    expect(await settled(task)).toBe("stopped");
    expect(probe.seen).toBeGreaterThan(before);
    expect(probe.isHeard).toBe(true);
  });

  test("of a task that never looks, nothing: what the pool looks at after its end is not the task's", async () => {
    const gate = threadGate();
    const { probe, cancel, task } = submit(COUNT, "ignores", gate.view);
    await gate.entered();
    cancel();
    gate.open();
    expect(await settled(task)).toBe("completed");
    expect(probe).toMatchObject({ seen: undefined, polls: 0, hasEnded: true });
  });

  test("of a task that throws: its end", async () => {
    const { probe, task } = submit(STAMPS, "fails");
    expect(await settled(task)).toBe("failed");
    expect(probe.hasEnded).toBe(true);
  });

  test("of an async task: the end of its promise", async () => {
    const gate = threadGate();
    const { probe, task } = submit(STAMPS, "resolvesOnceOpen", gate.view);
    await gate.entered();
    expect(probe).toMatchObject({ hasBegun: true, hasEnded: false });
    gate.open();
    expect(await task.result).toBe("value");
    expect(probe.hasEnded).toBe(true);
    await expectWhole(pool, 1);
  });

  test("lasts as long as the promise: looks of what goes on after the function has returned count, later ones do not", async () => {
    const probe = new Probe(COUNT);
    const gate = openableGate<string>();
    const promise = probe.around(async () => {
      const value = await gate.opened;
      probe.polled(2);
      probe.saw(true);
      return value;
    })(background);
    expect(probe).toMatchObject({ hasBegun: true, hasEnded: false, ended: undefined });
    gate.open("value");
    expect(await promise).toBe("value");
    const { seen } = probe;
    expect(seen).toBeLessThanOrEqual(probe.ended ?? 0);
    probe.polled(1);
    probe.saw(false);
    expect(probe).toMatchObject({ hasEnded: true, polls: 2, isHeard: true, seen });
  });

  test("is one task's: others under the same context have their own, or none", async () => {
    const [ctx, cancel] = withCancel(background);
    const probes = [new Probe(COUNT), new Probe(COUNT)];
    const tasks = [
      ...probes.map((probe, at) => {
        const options: Probed & SubmitOptions = { [probeKey]: probe.buffer };
        return pool.submit(ctx, "polls", [at + 1], options);
      }),
      pool.submit(ctx, "polls", [7]),
    ];
    expect(await Promise.all(tasks.map(({ result }) => result))).toEqual([1, 2, 7]);
    expect(probes.map(({ polls }) => polls)).toEqual([1, 2]);
    cancel();
  });
});
