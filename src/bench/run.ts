/** A whole run of `lifeguard bench`: one case after the other, and the growth, until it is done or called off. */
import { builtInTasks } from "../bench-urls.js";
import type { Context } from "../context/context.js";
import { Pool } from "../pool/pool.js";
import { builtInCases, type Conditions, measureCase } from "./cases.js";
import { growth } from "./growth.js";
import { harnessCosts } from "./harness.js";
import { letGo } from "./let-go.js";
import { ownVersion, thisMachine } from "./machine.js";
import type { BenchReport, Case, Growth } from "./report.js";
import { within } from "./waiting.js";

/** What somebody who waits is told. */
export interface Progress {
  begin(what: string): void;
  step(done: number, of: number): void;
}

export interface RunOptions {
  readonly ctx: Context;
  readonly samples: number;
  /** ms, of each case. */
  readonly time: number;
  readonly patience: number;
  readonly progress: Progress;
}

/** A module of the user's, and the one task of it that is measured; without it, the built-in ones. */
export interface Target {
  readonly module: URL;
  readonly conditions: Conditions;
}

const BUILT_IN_SIZES = [10, 100, 1000, 10_000, 100_000];
const USER_SIZES = [1, 10, 100, 1000, 10_000];

/** Resolves with what was measured, also when `ctx` has ended on the way. Rejects with what `measureCancellation` does. */
export async function run(options: RunOptions, target?: Target): Promise<BenchReport> {
  const { ctx, progress } = options;
  const machine = thisMachine();
  const conditions = target === undefined ? builtInCases() : [target.conditions];
  const module = target?.module ?? builtInTasks;
  progress.begin("what measuring costs");
  const harness = await measureHarness();
  const cases: Case[] = [];
  for (const each of conditions) {
    if (ctx.err() !== undefined) break;
    progress.begin(each.name);
    const measured = await orUndefined(ctx, () =>
      measureCase(each, module, { ...options, onProgress: (done, of) => progress.step(done, of) }),
    );
    if (measured !== undefined) cases.push(measured);
  }
  const [first] = conditions;
  const points: Growth[] = [];
  const remarks: string[] = [];
  if (first !== undefined && ctx.err() === undefined) {
    try {
      points.push(...(await measureGrowth(options, first, module, target)));
    } catch (error) {
      // What has been measured is worth telling all the same.
      if (ctx.err() === undefined)
        remarks.push(
          `The growth was not measured: ${error instanceof Error ? error.message : String(error)}.`,
        );
    }
  }
  return {
    format: "lifeguard-bench",
    version: 1,
    date: new Date().toISOString(),
    lifeguard: ownVersion(),
    machine,
    harness,
    isComplete: ctx.err() === undefined,
    cases,
    growth: points,
    remarks,
  };
}

/** Undefined when `ctx` has ended before there was anything to tell. */
async function orUndefined<T>(ctx: Context, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    // Also of a task that would not stop then.
    if (ctx.err() !== undefined) return undefined;
    throw error;
  }
}

async function measureHarness(): Promise<BenchReport["harness"]> {
  const pool = new Pool(builtInTasks, { threads: 1, spares: 0 });
  try {
    return await harnessCosts({ pool, name: "pollTimes", args: [], tasks: 1, submit: {} });
  } finally {
    await letGo(pool);
  }
}

async function measureGrowth(
  { ctx, time, patience, progress }: RunOptions,
  { task, args, threads, spares, grace, onOverrun }: Conditions,
  module: URL,
  target: Target | undefined,
): Promise<Growth[]> {
  const pool = new Pool(module, { threads, spares, grace, onOverrun });
  try {
    const isReady = await within(pool.ready(), patience, ctx);
    if (!isReady) throw new Error(`the module was not loaded within ${patience} ms`);
    return await growth(
      { pool, name: task, args, tasks: 1, submit: {} },
      {
        ctx,
        time,
        patience,
        sizes: target === undefined ? BUILT_IN_SIZES : USER_SIZES,
        onSize: (size) => progress.begin(`${size.toLocaleString("en")} under one context`),
      },
    );
  } finally {
    await letGo(pool);
  }
}
