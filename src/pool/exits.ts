/**
 * The ways out of the pool: every task and every item passes one of them, once. Owns the counts of how they ended, and who
 * waits for the last of them; why one ends, and where it was, is the dispatcher's.
 */
import { Drops } from "./drops.js";
import { crashed, notCloneable } from "./hand-over.js";
import type { Job } from "./job.js";
import type { Ledger } from "./ledger.js";
import type { Finished } from "./load.js";
import { PoolTask } from "./task.js";
import type { Death } from "./thread.js";
import type { Outcome } from "./types.js";

export class Exits {
  readonly #ledger: Ledger;
  /** Whether something else is going on that will need the pool. */
  readonly #isBusy: () => boolean;
  readonly #drops = new Drops();
  #onQuiet: (() => void) | undefined;

  constructor(ledger: Ledger, isBusy: () => boolean) {
    this.#ledger = ledger;
    this.#isBusy = isBusy;
  }

  /** One that is queued, and never will be run. */
  drop(job: Job): void {
    this.#ledger.dropped(1);
    job.end("dropped");
    if (job instanceof PoolTask) this.#drops.add(job);
    else job.rejectWith(job.scope.err());
    this.tellQuiet();
  }

  /** One that is queued, and cannot be run. */
  fail(job: Job, error: unknown, outcome: "failed" | "crashed" = "failed"): void {
    this.#ledger.queued--;
    this.reject(job, outcome, error);
  }

  /** One whose thread has not told how it ended. */
  reject(job: Job, outcome: Outcome, error: unknown): void {
    // The end may call listeners of the user's: the counts are right by then.
    this.#ledger.outcomes[outcome]++;
    job.end(outcome);
    job.rejectWith(error);
    this.tellQuiet();
  }

  /** Those that have been collected from their thread, and counted with that. `death`: of that thread. */
  settleAll(finished: readonly Finished[], death?: Death): void {
    for (const each of finished) {
      const { job, report, outcome } = each;
      // The thread has seen the deadline pass, so it has. A task that is cut off with its context live was so by its thread.
      const { type } = report;
      const hasExpired =
        type === "expired" || type === "interrupted" || (type === "stopped" && report.expired);
      if (job.scope.ending === null && hasExpired) job.expire();
      job.end(outcome);
      deliver(each, death);
      this.tellQuiet();
    }
  }

  /** Resolves when nothing is waiting or under way. */
  async quiet(): Promise<void> {
    while (!this.#isQuiet) {
      await new Promise<void>((resolve) => {
        this.#onQuiet = resolve;
      });
    }
    this.#onQuiet = undefined;
  }

  /** To be called when the last of something else has ended, too. */
  tellQuiet(): void {
    if (this.#onQuiet !== undefined && this.#isQuiet) this.#onQuiet();
  }

  get #isQuiet(): boolean {
    return this.#ledger.isQuiet && !this.#isBusy();
  }
}

function deliver({ job, report }: Finished, death: Death | undefined): void {
  switch (report.type) {
    case "completed":
      job.resolveWith(report.value);
      return;
    case "failed":
      job.rejectWith(report.error);
      return;
    case "stopped":
    case "interrupted":
    case "expired":
      job.rejectWith(job.scope.err());
      return;
    case "lost":
      job.rejectWith(
        death === undefined
          ? notCloneable(`the result of ${job.title}`, new Error("it did not arrive"))
          : crashed(job, death),
      );
      return;
    default:
      report satisfies never;
  }
}
