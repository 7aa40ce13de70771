/** What a measurement says: the shapes of it, in memory and in `--json` files. Types only. All times are ns unless said. */
import type { Outcome } from "../pool/types.js";

/** How long something took, over all samples. Whole ns, three significant digits. */
export interface Distribution {
  /** Samples. */
  readonly n: number;
  readonly min: number;
  readonly p50: number;
  readonly p75: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly mean: number;
  /** The spread of p50: the lowest and the highest of the parts, in time, that the run was cut into. */
  readonly spread: readonly [low: number, high: number];
  /** For drawing, rising: after so many ns so many of a hundred were through. */
  readonly curve: readonly (readonly [ns: number, percent: number])[];
}

/** The moments of one cancellation, ns from just before `cancel()` was called. */
export interface Timeline {
  /** `cancel()` has returned. */
  readonly returned: number;
  /** The task's thread knows; undefined where the task was stopped without having looked. */
  readonly seen: number | undefined;
  /** The task's function has ended; after a hard stop, when the main thread knew. */
  readonly stopped: number;
  /** The thread, or the one that took its place, has begun the next task. */
  readonly next: number;
  /** `result` has settled. */
  readonly settled: number;
}

/** How often a task looks at its context. */
export interface Polls {
  readonly perSecond: number;
  /** The longest time the task went without a look, also before the first one and after the last. */
  readonly longestGap: number;
  /** What that makes of a cancellation at a random moment: how long it waits for the next look, on average. */
  readonly meanWait: number;
}

/** What measuring itself costs here. */
export interface Harness {
  /** A stamp of the clock. */
  readonly stamp: number;
  /** Counting a poll, and measuring the time between two: only in the runs that do so, never where latency is measured. */
  readonly countedPoll: number;
  readonly timedPoll: number;
}

/** What became of a task that was cancelled again and again: what `measureCancellation` resolves with. */
export interface CancellationReport {
  readonly task: string;
  /** Tasks that ran, and were cancelled, at once. */
  readonly tasks: number;
  /** Cancellations that are in the figures. */
  readonly samples: number;
  /** False when the measurement was ended early: these are the figures so far. */
  readonly isComplete: boolean;
  /** How long the task takes if nobody cancels it; `atLeast`: it was not waited for. */
  readonly duration: { readonly ns: number; readonly atLeast: boolean };
  /** The moments of cancellation lay between the task's begin and so long after. */
  readonly window: number;
  readonly latency: {
    /** `cancel()` itself. */
    readonly cancel: Distribution;
    /** From `cancel()` to the task's thread knowing; undefined when it never looked. */
    readonly seen: Distribution | undefined;
    /** To the function's end. */
    readonly stopped: Distribution;
    /** To `result` settled. */
    readonly settled: Distribution;
    /** To the thread's next task begun; undefined when the tasks did not fill the pool. */
    readonly next: Distribution | undefined;
  };
  /** The very first cancellation of the measurement, before anything is compiled: `cancel()` itself, and to `result` settled. */
  readonly first: { readonly cancel: number; readonly settled: number };
  /** Of the tasks that knew, the share that was told while it awaited something, and did not have to look, 0 to 1. */
  readonly heard: number;
  /** Undefined where there was no run to count in. */
  readonly polls: Polls | undefined;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** The share of cancelled tasks that had to be stopped hard, 0 to 1. */
  readonly hard: number;
  /** Tasks that had ended by themselves before they could be cancelled: not in the figures. */
  readonly finishedFirst: number;
  readonly timeline: Timeline | undefined;
  /** What all that means, a sentence each. */
  readonly summary: readonly string[];
}

/** One size of a batch: so many tasks under one context, most of them waiting, then `cancel()`. */
export interface Growth {
  readonly size: number;
  /** Submitting one task. */
  readonly submit: number;
  /** `cancel()` itself, for all of them. */
  readonly cancel: number;
  /** From `cancel()` to the last promise settled. */
  readonly settled: number;
}

export interface Machine {
  readonly node: string;
  readonly v8: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  /** The system's load before, and processors in use on average: over 0.5 it is not quiet. */
  readonly load: number;
}

/** One task under one set of conditions. */
export interface Case {
  /** Unique in a run: what two runs are compared by. */
  readonly name: string;
  readonly about: string;
  /** What the task was called with, after its context. */
  readonly args: readonly unknown[];
  readonly pool: {
    readonly threads: number;
    readonly spares: number;
    /** ms; null for Infinity, which JSON does not know. */
    readonly grace: number | null;
    readonly onOverrun: "terminate" | "interrupt";
  };
  readonly report: CancellationReport;
  /** The bare primitives, in turn with the samples: a flag in shared memory, and a message back. Undefined where nothing is compared. */
  readonly bare: { readonly seen: Distribution; readonly settled: Distribution } | undefined;
}

/** What `lifeguard bench --json` writes. */
export interface BenchReport {
  readonly format: "lifeguard-bench";
  readonly version: 1;
  /** ISO 8601. */
  readonly date: string;
  readonly lifeguard: string;
  readonly machine: Machine;
  readonly harness: Harness;
  /** False when it was ended early, as with Ctrl-C. */
  readonly isComplete: boolean;
  readonly cases: readonly Case[];
  /** How cancelling grows with the number of tasks; empty when it was not measured. */
  readonly growth: readonly Growth[];
  /** What else there is to say, such as why something is missing. */
  readonly remarks: readonly string[];
}
