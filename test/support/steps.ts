/** Pools that have seen `step` of the fixture steps.mjs to be short, so that the next ones go into envelopes together. */
import { background, type Pool, type PoolOptions, type Task } from "lifeguard";
import { pooled, threadGate } from "./pool.js";

export interface Steps {
  readonly pool: Pool;
  /** Word `id` counts how often that step has begun. */
  readonly begun: Int32Array;
  /** Has all threads held while `submit` is called: what that submits goes to them together when they are let go. */
  together<T>(submit: () => T): Promise<T>;
  step(id: number, how: string, ...args: readonly unknown[]): Task<unknown>;
}

export async function stepsOf(options: PoolOptions = {}): Promise<Steps> {
  const { threads = 1 } = options;
  const pool = pooled({ threads, ...options }, "steps.mjs");
  await pool.ready();
  const begun = new Int32Array(new SharedArrayBuffer(4 * 4096));
  const together = async <T>(submit: () => T): Promise<T> => {
    const gate = threadGate();
    const held = Array.from({ length: threads }, () => pool.run(background, "hold", gate.view));
    await gate.entered(threads);
    const submitted = submit();
    gate.open();
    await Promise.all(held);
    return submitted;
  };
  // The first ones are slow: they are compiled. The average forgets.
  for (let i = 0; i < 60; i++) await pool.run(background, "step", begun, 0, "value", "undefined");
  return {
    pool,
    begun,
    together,
    step: (id, how, ...args) => pool.submit(background, "step", [begun, id, how, ...args]),
  };
}
