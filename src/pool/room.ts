/** Room in the queue, and who waits for it. */
import type { Context } from "../context/context.js";
import { race } from "../context/race.js";

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Room {
  /** How many more tasks the queue takes. */
  readonly #free: () => number;
  /** In the order they came. */
  readonly #waiters = new Set<Waiter>();
  /** Waiters that have been told, and have not submitted yet: the room is theirs until the event loop turns. */
  #promised = 0;
  #isTurning = false;

  constructor(free: () => number) {
    this.#free = free;
  }

  /** Resolves when there is room, first come, first served; rejects with `ctx.err()`. */
  async wait(ctx: Context): Promise<void> {
    let waiter: Waiter | undefined;
    const room = new Promise<void>((resolve, reject) => {
      waiter = { resolve, reject };
      this.#waiters.add(waiter);
    });
    this.check();
    try {
      await race(ctx, room);
    } finally {
      this.#waiters.delete(waiter as Waiter);
    }
  }

  /** There may be more room now. */
  check(): void {
    if (this.#waiters.size === 0) return;
    let free = this.#free() - this.#promised;
    for (const waiter of this.#waiters) {
      if (free-- < 1) break;
      this.#waiters.delete(waiter);
      this.#promised++;
      waiter.resolve();
    }
    if (this.#promised === 0 || this.#isTurning) return;
    this.#isTurning = true;
    // Who does not use its room by then leaves it to the next.
    setImmediate(() => {
      this.#isTurning = false;
      this.#promised = 0;
      this.check();
    });
  }

  /** A task has been submitted. */
  used(): void {
    if (this.#promised > 0) this.#promised--;
  }

  /** There will be none any more. */
  close(error: unknown): void {
    for (const { reject } of this.#waiters) reject(error);
    this.#waiters.clear();
  }
}
