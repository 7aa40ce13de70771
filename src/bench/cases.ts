/** What `lifeguard bench` measures: conditions, and how one of them is gone through. */
import { availableParallelism } from "node:os";
import { Pool } from "../pool/pool.js";
import { BareFlag, burn } from "./bare.js";
import { letGo } from "./let-go.js";
import { measure } from "./measure.js";
import type { ResolvedMeasureOptions } from "./options.js";
import type { Case } from "./report.js";

/** One task under one set of conditions. */
export interface Conditions {
  readonly name: string;
  readonly about: string;
  readonly task: string;
  readonly args: readonly unknown[];
  readonly threads: number;
  readonly spares: number;
  readonly grace: number;
  readonly onOverrun: "terminate" | "interrupt";
  /** Tasks at once. */
  readonly tasks: number;
  /** Whether a bare flag is measured in turn. */
  readonly isCompared: boolean;
  /** Threads besides that never rest. */
  readonly burners: number;
}

const usual = {
  args: [],
  threads: 1,
  spares: 1,
  grace: 250,
  onOverrun: "terminate",
  tasks: 1,
  isCompared: false,
  burners: 0,
} as const;

/** Of this machine. A task that has to be stopped has no grace, so that what is measured is the stop. */
export function builtInCases(cores = availableParallelism()): Conditions[] {
  const burners = 2 * cores;
  return [
    {
      ...usual,
      name: "polls tightly",
      about: "a loop that asks ctx.err() in each round",
      task: "pollTightly",
      isCompared: true,
    },
    { ...usual, name: "polls rarely", about: "1 ms of work between two polls", task: "pollEvery", args: [1] },
    { ...usual, name: "awaits", about: "an async task that awaits, and is told", task: "awaitEnd" },
    {
      ...usual,
      name: "all lanes",
      about: `${cores} tasks at once, as many as there are cores, that poll tightly`,
      task: "pollTightly",
      threads: cores,
      tasks: cores,
    },
    {
      ...usual,
      name: "busy machine",
      about: `a tight loop beside ${burners} threads that never rest, two for each core`,
      task: "pollTightly",
      isCompared: true,
      burners,
    },
    {
      ...usual,
      name: "never polls, thread ended",
      about: "a hard stop; a spare takes over",
      task: "neverPoll",
      grace: 0,
    },
    {
      ...usual,
      name: "never polls, cut off",
      about: 'a hard stop with onOverrun: "interrupt"; the thread goes on',
      task: "neverPoll",
      grace: 0,
      onOverrun: "interrupt",
      spares: 0,
    },
  ];
}

/** What a user's own task is measured under, where nothing else is said. */
export const userDefaults: Omit<Conditions, "name" | "about" | "task"> = { ...usual, isCompared: true };

/** Throws what `measureCancellation` does, and what keeps the pool from starting. */
export async function measureCase(
  conditions: Conditions,
  module: URL,
  options: Pick<ResolvedMeasureOptions, "ctx" | "samples" | "time" | "patience" | "onProgress">,
): Promise<Case> {
  const { name, about, task, args, threads, spares, grace, onOverrun, tasks, burners } = conditions;
  const pool = new Pool(module, { threads, spares, grace, onOverrun });
  const flag = conditions.isCompared ? new BareFlag() : undefined;
  let rest: (() => Promise<void>) | undefined;
  try {
    await flag?.warmUp();
    if (burners > 0) rest = await burn(burners);
    const subject = { pool, name: task, args, tasks, submit: {} };
    const report = await measure(subject, { ...options, tasks, submit: {} }, () => flag?.sample());
    await flag?.complete(options.ctx);
    return {
      name,
      about,
      args,
      pool: { threads, spares, grace: Number.isFinite(grace) ? grace : null, onOverrun },
      report,
      bare: flag?.figures(),
    };
  } finally {
    await rest?.();
    await flag?.end();
    await letGo(pool);
  }
}
