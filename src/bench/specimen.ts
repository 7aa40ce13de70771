/** Some tasks that run at once, are cancelled together, and are looked at while that happens. One round of a measurement. */
import type { CancelFunc } from "../context/context.js";
import { background } from "../context/roots.js";
import { withCancel } from "../context/with-cancel.js";
import type { Pool } from "../pool/pool.js";
import type { Outcome, SubmitOptions, Task } from "../pool/types.js";
import { Probe, type Probed, type ProbeMode, probeKey, stamp } from "../workers/probe.js";

/** What is to be measured, and where. */
export interface Subject {
  readonly pool: Pool;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly tasks: number;
  readonly submit: SubmitOptions;
}

/** One task's moments, ns from just before `cancel()`. */
export interface Moments {
  readonly seen: number | undefined;
  /** It was told, and did not have to look. */
  readonly isHeard: boolean;
  readonly stopped: number;
  readonly settled: number;
  readonly outcome: Outcome;
}

interface Watched {
  readonly task: Task<unknown>;
  readonly probe: Probe;
  settled: number;
  error: { readonly reason: unknown } | undefined;
}

export class Specimen {
  readonly subject: Subject;
  readonly #tasks: readonly Watched[];
  readonly #cancel: CancelFunc;
  /** Resolves when all have settled, however. */
  readonly over: Promise<void>;
  /** The stamp just before `cancel()`, and the one just after it. */
  cancelled: { readonly from: number; readonly returned: number } | undefined;

  constructor(subject: Subject, mode: ProbeMode) {
    const { pool, name, args, tasks, submit } = subject;
    this.subject = subject;
    const [ctx, cancel] = withCancel(background);
    this.#cancel = cancel;
    this.#tasks = Array.from({ length: tasks }, () => {
      const probe = new Probe(mode);
      const options: SubmitOptions & Probed = {
        ...submit,
        [probeKey]: probe.buffer,
      };
      const task = pool.submit(ctx, name, [...args], options);
      return { task, probe, settled: 0, error: undefined };
    });
    this.over = Promise.all(this.#tasks.map(watch)).then(() => {});
  }

  /** The pool has not taken it. */
  get isRefused(): boolean {
    return this.#tasks.some(({ task, probe }) => task.outcome !== undefined && !probe.hasBegun);
  }

  get haveBegun(): boolean {
    return this.#tasks.every(({ probe }) => probe.hasBegun);
  }

  get areOver(): boolean {
    return this.#tasks.every(({ settled }) => settled !== 0);
  }

  /** Stamps of when each began. */
  get begins(): number[] {
    return this.#tasks.map(({ probe }) => probe.began);
  }

  /** Once they are over: a thread was ended under one of them. */
  get hasLostThread(): boolean {
    return this.#tasks.some(({ task: { outcome } }) => outcome === "terminated" || outcome === "crashed");
  }

  /** When the last one ended, or else settled. */
  get ended(): number {
    return Math.max(...this.#tasks.map(({ probe, settled }) => probe.ended ?? settled));
  }

  /** A stamp. */
  get settledLast(): number {
    return Math.max(...this.#tasks.map(({ settled }) => settled));
  }

  get probes(): readonly Probe[] {
    return this.#tasks.map(({ probe }) => probe);
  }

  /** What one of them has failed with; the wrapper tells from a task that throws `undefined`. */
  get failure(): { readonly reason: unknown } | undefined {
    return this.#tasks.find(({ error }) => error !== undefined)?.error;
  }

  /** The same, of those that had failed before they were cancelled. */
  get failedFirst(): { readonly reason: unknown } | undefined {
    return this.#tasks.find((each) => each.error !== undefined && !this.#isCancelled(each))?.error;
  }

  /** Whether it was under way when it was cancelled. */
  #isCancelled({ probe, settled }: Watched): boolean {
    return this.cancelled !== undefined && (probe.ended ?? settled) > this.cancelled.from;
  }

  cancel(): void {
    const from = stamp();
    this.#cancel();
    const returned = stamp();
    this.cancelled ??= { from, returned };
  }

  /** Once they are over. Without those that had ended before they were cancelled. */
  moments(): Moments[] {
    const from = this.cancelled?.from ?? 0;
    return this.#tasks
      .filter((each) => this.#isCancelled(each))
      .map(({ task, probe, settled }) => ({
        seen: probe.seen === undefined ? undefined : probe.seen - from,
        isHeard: probe.isHeard,
        // A hard stop tells no time of its own.
        stopped: (probe.ended ?? settled) - from,
        settled: settled - from,
        outcome: task.outcome as Outcome,
      }));
  }
}

function watch(watched: Watched): Promise<void> {
  return watched.task.result.then(
    () => {
      watched.settled = stamp();
    },
    (reason: unknown) => {
      watched.settled = stamp();
      watched.error = { reason };
    },
  );
}
