/** Who is let into the queue: what the pool takes, and for how many more there is room. */
import type { Context } from "../context/context.js";
import { PoolError } from "./errors.js";
import type { ResolvedOptions } from "./options.js";
import { Room } from "./room.js";
import type { Staff } from "./staff.js";

/** What admission has to know of the queue. */
export interface Crowd {
  /** Tasks that wait for a thread, without the inputs of batches, which hold themselves back. */
  waiting(): number;
  /** Of all that is queued, for the message. */
  queued(): number;
}

export class Admission {
  readonly #options: ResolvedOptions;
  readonly #staff: Staff;
  readonly #crowd: Crowd;
  readonly #room = new Room(() => this.free);
  #isOpen = true;

  constructor(options: ResolvedOptions, staff: Staff, crowd: Crowd) {
    this.#options = options;
    this.#staff = staff;
    this.#crowd = crowd;
  }

  /** Throws why the pool does not take tasks of that name now. */
  check(name: string): void {
    if (!this.#isOpen) throw this.closedError();
    const { names } = this.#staff;
    if (names !== undefined && !names.has(name)) throw this.unknown(name, names);
    this.#staff.revive();
    if (this.#staff.broken !== undefined) throw this.#staff.broken;
  }

  /** Throws when the queue takes no more. */
  checkRoom(): void {
    if (this.free > 0) return;
    throw new PoolError(
      "ERR_QUEUE_FULL",
      `${this.#options.name}: the queue is full: queued ${this.#crowd.queued()}, maxQueue ${this.#options.maxQueue}`,
    );
  }

  /** One more has been let in. */
  entered(): void {
    this.#room.used();
  }

  /** There may be more room now. */
  left(): void {
    this.#room.check();
  }

  /** As Pool.waitForRoom. */
  waitForRoom(ctx: Context): Promise<void> {
    return this.#isOpen ? this.#room.wait(ctx) : Promise.reject(this.closedError());
  }

  close(): void {
    this.#isOpen = false;
    this.#room.close(this.closedError());
  }

  /** How many more tasks may be submitted now. */
  get free(): number {
    const { maxQueue, threads } = this.#options;
    if (maxQueue === Number.POSITIVE_INFINITY) return maxQueue;
    // Threads that are still coming up will take some of those that wait.
    const taken = Math.max(0, threads - this.#staff.busy);
    return maxQueue - (this.#crowd.waiting() - taken);
  }

  closedError(options?: ErrorOptions): PoolError {
    return new PoolError("ERR_POOL_CLOSED", `${this.#options.name}: the pool is closed`, options);
  }

  unknown(name: string, names: ReadonlySet<string>): PoolError {
    const known = [...names].map((each) => JSON.stringify(each)).join(", ");
    return new PoolError(
      "ERR_UNKNOWN_TASK",
      `${this.#options.name}: the task module exports no function ${JSON.stringify(name)}; it exports ${known === "" ? "none" : known}`,
    );
  }
}
