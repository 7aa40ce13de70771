/** The pool's counts, moved together so that they add up: submitted is queued, running, stuck and settled tasks. */
import type { Outcome } from "./types.js";

/** A count for each outcome, none yet. */
export function noOutcomes(): Record<Outcome, number> {
  return { completed: 0, failed: 0, dropped: 0, stopped: 0, interrupted: 0, terminated: 0, crashed: 0 };
}

export class Ledger {
  submitted = 0;
  started = 0;
  /** Waiting, inputs of batches that have been read included. */
  queued = 0;
  /** Handed over and not settled, on threads that are not being ended. */
  running = 0;
  /** Stopped hard, and their threads not gone yet. */
  stuck = 0;
  readonly outcomes = noOutcomes();

  /** Nothing is waiting or under way. */
  get isQuiet(): boolean {
    return this.queued === 0 && this.running === 0 && this.stuck === 0;
  }

  tookIn(): void {
    this.submitted++;
    this.queued++;
  }

  /** They left the queue without having been handed over. */
  dropped(count: number): void {
    this.queued -= count;
    this.outcomes.dropped += count;
  }

  handedOver(count: number): void {
    this.queued -= count;
    this.running += count;
    this.started += count;
  }

  /** The hand-over came to nothing, since the task never began. It waits again. */
  cameBack(): void {
    this.running--;
    this.started--;
    this.queued++;
  }

  /** It is on no thread any more, and did begin. */
  left({ isCondemned }: { readonly isCondemned: boolean }): void {
    if (isCondemned) this.stuck--;
    else this.running--;
  }

  condemned(): void {
    this.running--;
    this.stuck++;
  }
}
