/** What waits in the queue: tasks, and batches for their turn. */
import type { PoolBatch } from "./batch.js";
import type { Queued } from "./queue.js";
import type { PoolTask } from "./task.js";

export type Waiting = PoolTask | Turn;

/**
 * A batch's wish for a thread. Which of its inputs go there is decided only when the turn comes: a batch has one turn for
 * each thread it may use, however many inputs it has, and lines up again after each chunk. So tasks that are submitted
 * meanwhile wait for a chunk, not for the batch.
 */
export class Turn implements Queued<Waiting> {
  readonly batch: PoolBatch;
  readonly priority = 0;
  readonly deadline: number;
  next: Waiting | undefined = undefined;
  prev: Waiting | undefined = undefined;
  slot = -1;
  order = 0;

  constructor(batch: PoolBatch) {
    this.batch = batch;
    this.deadline = batch.scope.watch?.due() ?? Number.POSITIVE_INFINITY;
  }
}
