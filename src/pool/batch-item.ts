/** One input of a batch, from the moment its chunk is put together until its batch has been told how it ended. */
import type { PoolBatch } from "./batch.js";
import { Job, type JobHost } from "./job.js";

export class BatchItem extends Job {
  readonly batch: PoolBatch;
  /** Of its input, from 0. */
  readonly index: number;

  constructor(host: JobHost, batch: PoolBatch, index: number, input: unknown) {
    super(host, batch.scope, batch.scope, batch.name, [input]);
    this.batch = batch;
    this.index = index;
  }

  override get title(): string {
    return `${super.title}, input ${this.index}`;
  }

  override resolveWith(value: unknown): void {
    this.batch.succeeded(this.index, value);
  }

  override rejectWith(error: unknown): void {
    this.batch.failed(this, error);
  }
}
