/** The pool's counts, moved together so that they add up: submitted is queued, running, stuck and settled tasks. */
import type { Outcome } from "./types.js";

export class Ledger {
  submitted = 0;
  started = 0;
  /** Handed over and not settled, on threads that are not being ended. */
  running = 0;
  /** Stopped hard, and their threads not gone yet. */
  stuck = 0;
  readonly outcomes: Record<Outcome, number> = {
    completed: 0,
    failed: 0,
    dropped: 0,
    stopped: 0,
    interrupted: 0,
    terminated: 0,
    crashed: 0,
  };

  handedOver(): void {
    this.running++;
    this.started++;
  }

  /** It came to nothing: the task never began. */
  neverBegan(): void {
    this.running--;
    this.started--;
  }

  condemned(): void {
    this.running--;
    this.stuck++;
  }
}
