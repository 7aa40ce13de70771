/** How cancelling grows: which sizes are told of, and which are left out. */
import { describe, expect, test } from "vitest";
import { type GrowthOptions, growth } from "../../src/bench/growth.js";
import type { Subject } from "../../src/bench/specimen.js";
import { background, withCancel } from "../../src/context/index.js";
import { expectWhole, pooled, threadGate } from "../support/pool.js";

/** Rounds of each size. */
const ROUNDS = 5;

/** Tasks that come to a gate, and look at nothing until it is open: so that only the test decides when they stop. */
function holding() {
  const pool = pooled({ threads: 1, spares: 0, grace: Number.POSITIVE_INFINITY });
  const gate = threadGate();
  const subject = { pool, name: "hold", args: [gate.view], tasks: 1, submit: {} } as unknown as Subject;
  return { pool, gate, subject };
}

const patient: GrowthOptions = {
  ctx: background,
  sizes: [1, 10, 100],
  time: 3_600_000,
  patience: 3_600_000,
  onSize: () => {},
};

describe("growth", () => {
  test("tells of each size what submitting, cancelling and settling take, and says when it comes to one", async () => {
    const { pool, gate, subject } = holding();
    await using _ = pool;
    gate.open();
    const sizes: number[] = [];
    const points = await growth(subject, { ...patient, onSize: (size) => sizes.push(size) });
    expect(sizes).toEqual([1, 10, 100]);
    expect(points.map(({ size }) => size)).toEqual([1, 10, 100]);
    for (const { submit, cancel, settled } of points) {
      expect(submit).toBeGreaterThan(0);
      expect(cancel).toBeGreaterThan(0);
      expect(settled).toBeGreaterThanOrEqual(cancel);
    }
    expect(pool.stats().submitted).toBe(ROUNDS * 111);
    await expectWhole(pool, 1);
  });

  test("takes the first size whatever time it takes, and no other when there is no time left", async () => {
    const { pool, gate, subject } = holding();
    await using _ = pool;
    gate.open();
    const points = await growth(subject, { ...patient, time: 0 });
    expect(points.map(({ size }) => size)).toEqual([1]);
    expect(pool.stats().submitted).toBe(ROUNDS);
  });

  test("leaves out the size during which its context ends, and submits nothing after that", async () => {
    const { pool, gate, subject } = holding();
    await using _ = pool;
    gate.open();
    const [ctx, cancel] = withCancel(background);
    const onSize = (size: number): void => {
      if (size === 10) cancel();
    };
    const points = await growth(subject, { ...patient, ctx, onSize });
    expect(points.map(({ size }) => size)).toEqual([1]);
    expect(pool.stats().submitted).toBe(ROUNDS);
  });

  test("does not wait for tasks that will not stop when its context ends", async () => {
    const { pool, gate, subject } = holding();
    await using _ = pool;
    gate.open();
    const [ctx, cancel] = withCancel(background);
    const onSize = (size: number): void => {
      if (size !== 10) return;
      Atomics.store(gate.view, 1, 0);
      void gate.entered(ROUNDS + 1).then(() => {
        cancel();
      });
    };
    const points = await growth(subject, { ...patient, ctx, onSize });
    expect(points.map(({ size }) => size)).toEqual([1]);
    expect(pool.stats()).toMatchObject({ running: 1, submitted: ROUNDS + 10 });
    gate.open();
    await expectWhole(pool, 1);
  });

  test("leaves out a size whose tasks have not settled when patience runs out, and those behind it", async () => {
    const pool = { submit: () => ({ result: new Promise(() => {}), outcome: undefined }) };
    const subject = { pool, name: "never", args: [], tasks: 1, submit: {} } as unknown as Subject;
    const sizes: number[] = [];
    const onSize = (size: number) => sizes.push(size);
    expect(await growth(subject, { ...patient, patience: 10, onSize })).toEqual([]);
    expect(sizes).toEqual([1]);
  });
});
