/** Pools under test: gates that block threads, and what it means for a pool to be whole. */

import { background, Pool, type PoolOptions, type PoolStats, type Task } from "lifeguard";
import { expect } from "vitest";
import { turn } from "./turn.js";

/** The file URL of a task module among the fixtures. */
export function fixture(name: string): URL {
  return new URL(`../fixtures/${name}`, import.meta.url);
}

/** Resolves once `condition` holds: looks at every turn of the event loop, and lets the test's timeout end it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/**
 * Where threads come to and wait until the test lets them go on; `view` is handed to the tasks.
 * Word 0 counts the threads that have come, word 1 opens it, the others are for the test to use.
 */
export interface ThreadGate {
  readonly view: Int32Array;
  /** Resolves when `count` threads have come to the gate. */
  entered(count?: number): Promise<void>;
  open(): void;
  read(word: number): number;
  /** Resolves when the word holds something else than 0. */
  written(word: number): Promise<void>;
  /** The same with the thread of the test, its event loop included, blocked meanwhile. */
  blockUntilWritten(word: number): void;
}

export function threadGate(words = 32): ThreadGate {
  const view = new Int32Array(new SharedArrayBuffer(4 * words));
  const read = (word: number): number => Atomics.load(view, word);
  return {
    view,
    entered: (count = 1) => until(() => read(0) >= count),
    open() {
      Atomics.store(view, 1, 1);
      Atomics.notify(view, 1);
    },
    read,
    written: (word) => until(() => read(word) !== 0),
    blockUntilWritten(word) {
      const outcome = Atomics.wait(view, word, 0, 60_000);
      if (outcome === "timed-out") throw new Error(`nobody wrote word ${word}`);
    },
  };
}

/** A pool of the general task module, of two threads where nothing else is said. */
export function pooled(options: PoolOptions = {}, module = "tasks.mjs"): Pool {
  return new Pool(fixture(module), { threads: 2, ...options });
}

/** The error a promise rejects with; fails the test when it resolves. */
export async function rejection(promise: PromiseLike<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`expected a rejection, got ${String(value)}`);
}

/** The same, for errors of the usual kind. */
export async function failure(promise: PromiseLike<unknown>): Promise<Error & { code?: unknown }> {
  const error = await rejection(promise);
  expect(error).toBeInstanceOf(Error);
  return error as Error & { code?: unknown };
}

/** How the task ended, once it has; says nothing about its result. */
export async function settled(task: Task<unknown>): Promise<Task<unknown>["outcome"]> {
  await task.result.then(
    () => {},
    () => {},
  );
  return task.outcome;
}

/** `submitted` is the sum of everything the tasks can be. */
export function expectBalanced(stats: PoolStats): void {
  const ended = Object.values(stats.outcomes).reduce((sum, count) => sum + count, 0);
  expect(stats.queued + stats.running + stats.stuck + ended).toBe(stats.submitted);
}

/**
 * The pool is whole: nothing waits, runs or is stuck, and every one of its threads runs a task again, all of them at
 * once. The fixture's `meet` holds each until all have come.
 */
export async function expectWhole(pool: Pool, threads = 2): Promise<void> {
  const { view } = threadGate();
  const met = Array.from({ length: threads }, () => pool.run(background, "meet", view, threads));
  expect(new Set(await Promise.all(met)).size).toBe(threads);
  const stats = pool.stats();
  expect(stats).toMatchObject({ threads, idle: threads, stuck: 0, queued: 0, running: 0 });
  expectBalanced(stats);
}

/**
 * Runs `work` while another task of the pool is running on the other one of two threads, which has to come through
 * untouched; the pool has to be whole afterwards.
 */
export async function besideNeighbour(pool: Pool, work: (pool: Pool) => Promise<void>): Promise<void> {
  const gate = threadGate();
  const neighbour = pool.submit(background, "hold", [gate.view, "untouched"]);
  await gate.entered();
  await work(pool);
  expect(neighbour.state).toBe("running");
  gate.open();
  expect(await neighbour.result).toBe("untouched");
  await expectWhole(pool);
}
