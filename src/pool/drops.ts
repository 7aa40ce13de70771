/** Tasks that were dropped, on their way to their promises. */
import type { PoolTask } from "./task.js";

/**
 * Rejects them together in a microtask, so that a `cancel()` that drops 100,000 has little to do for each. Threaded
 * through the tasks themselves, which are in no queue any more: it allocates nothing (bench/queue).
 */
export class Drops {
  #first: PoolTask | undefined;
  #last: PoolTask | undefined;

  add(task: PoolTask): void {
    if (this.#last === undefined) {
      this.#first = task;
      queueMicrotask(() => {
        this.#reject();
      });
    } else {
      this.#last.next = task;
    }
    this.#last = task;
  }

  #reject(): void {
    let task = this.#first;
    this.#first = undefined;
    this.#last = undefined;
    while (task !== undefined) {
      const next = task.next as PoolTask | undefined;
      task.next = undefined;
      task.rejectWith(task.scope.err());
      task = next;
    }
  }
}
