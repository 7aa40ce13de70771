/**
 * The threads of a pool: how many there are, which are free, when new ones start. Owns nothing of the tasks; it hands
 * on what threads say about them.
 */
import { reasonOf } from "../context/invalid.js";
import { type Carried, carry, unpack } from "../workers/carry.js";
import type { Reply } from "../workers/messages.js";
import { PoolError } from "./errors.js";
import type { Load } from "./load.js";
import type { ResolvedOptions } from "./options.js";
import { type Death, Thread, type ThreadHost } from "./thread.js";

export interface StaffHost {
  /** A thread is free. */
  available(): void;
  /** No thread is left, and new ones do not come up. */
  broken(error: PoolError): void;
  reported(load: Load, reply: Reply): void;
  refused(load: Load, error: unknown): void;
  /** The thread has gone under it, or was ended for one of it. */
  lost(load: Load, thread: Thread, death: Death): void;
  /** Whether tasks wait for a thread. */
  waiting(): boolean;
}

/** Spares start this long after the first result, ms: not in the way of a short program that needs none. */
const SPARES_AFTER = 100;

/** Between attempts to start threads that die, ms: doubled each time, up to the longest. */
const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 5000;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: PoolError) => void;
}

export class Staff {
  /** What the module exports; undefined until a thread has loaded it. */
  names: ReadonlySet<string> | undefined;
  /** Why there is no thread, when none comes up. */
  broken: PoolError | undefined;
  readonly #options: ResolvedOptions;
  readonly #host: StaffHost;
  readonly #threads = new Set<Thread>();
  /** Those that could not load the module, until they have gone. */
  readonly #unloadable = new WeakMap<Thread, Carried>();
  /** The last one to finish goes first: its caches are the warmest. */
  readonly #idle: Thread[] = [];
  #busy = 0;
  #sparesWanted = false;
  #sparesTimer: NodeJS.Timeout | undefined;
  #failures = 0;
  #pause: NodeJS.Timeout | undefined;
  #waiters: Waiter[] = [];
  #dismissed: (() => void) | undefined;
  #isOpen = true;

  constructor(options: ResolvedOptions, host: StaffHost) {
    this.#options = options;
    this.#host = host;
  }

  /** Threads that are up: idle or busy, spares included. */
  get usable(): number {
    return this.#idle.length + this.#busy;
  }

  get busy(): number {
    return this.#busy;
  }

  /** What threads have now. */
  loads(): Load[] {
    const loads: Load[] = [];
    for (const { state } of this.#threads) if (state.kind === "busy") loads.push(state.load);
    return loads;
  }

  /** A free thread, busy from now on. */
  take(): Thread | undefined {
    const thread = this.#idle.pop();
    if (thread !== undefined) this.#busy++;
    return thread;
  }

  /** One that was taken and not used. */
  putBack(thread: Thread): void {
    this.#busy--;
    this.#idle.push(thread);
  }

  /** Ends the thread. Its place is taken by a spare now and by a new thread once it has gone. */
  terminate(thread: Thread): void {
    this.#leave(thread);
    thread.terminate();
  }

  /** A task has been asked to stop and may not: time to have the spares. */
  expectLoss(): void {
    if (this.#sparesWanted || this.#options.spares === 0 || !this.#isOpen) return;
    this.#sparesWanted = true;
    clearTimeout(this.#sparesTimer);
    this.#refill();
  }

  /** After a failure, a new submission is the occasion to try once more, at the pace of the pauses. */
  revive(): void {
    // Somebody is about to wait for what comes after the pause.
    this.#pause?.ref();
    if (this.broken === undefined || this.#pause !== undefined) return;
    this.broken = undefined;
    this.#refill();
  }

  ready(): Promise<void> {
    this.revive();
    if (this.broken !== undefined) return Promise.reject(this.broken);
    if (this.usable >= this.#options.threads) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
    });
  }

  /** Starts what is missing. Throws what `new Worker` throws for options it does not take. */
  fill(): void {
    const { threads, spares, thread } = this.#options;
    const wanted = threads + (this.#sparesWanted ? spares : 0);
    while (this.#isOpen && this.#threads.size < wanted)
      this.#threads.add(new Thread(this.#threadHost, thread));
  }

  #refill(): void {
    try {
      this.fill();
    } catch (error) {
      this.#failed(carry(error), false);
    }
  }

  /** Ends every thread; resolves when the last has gone. */
  async dismiss(reason: PoolError): Promise<void> {
    this.#isOpen = false;
    clearTimeout(this.#sparesTimer);
    clearTimeout(this.#pause);
    this.#settleWaiters((waiter) => {
      waiter.reject(reason);
    });
    if (this.#threads.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#dismissed = resolve;
      for (const thread of this.#threads) {
        this.#leave(thread);
        thread.terminate();
      }
    });
  }

  readonly #threadHost: ThreadHost = {
    ready: (thread, names) => {
      this.names ??= new Set(names);
      this.broken = undefined;
      this.#idle.push(thread);
      if (this.usable >= this.#options.threads) {
        this.#settleWaiters((waiter) => {
          waiter.resolve();
        });
      }
      this.#host.available();
    },
    unloadable: (thread, error) => {
      this.#unloadable.set(thread, error);
      thread.terminate();
    },
    reported: (thread, load, reply) => {
      this.#failures = 0;
      this.putBack(thread);
      this.#planSpares();
      this.#host.reported(load, reply);
    },
    refused: (thread, load, error) => {
      this.putBack(thread);
      this.#host.refused(load, error);
    },
    broken: (thread) => {
      this.terminate(thread);
      this.#host.available();
    },
    dying: (thread) => {
      this.#retire(thread);
    },
    gone: (thread, death) => {
      const { state } = thread;
      if (!this.#threads.delete(thread)) return;
      if (state.kind !== "ending") this.#leave(thread, state.kind);
      if (state.kind === "busy" || (state.kind === "ending" && state.load !== undefined)) {
        this.#host.lost(state.load as Load, thread, death);
      }
      if (this.#threads.size === 0) this.#dismissed?.();
      if (!this.#isOpen) return;
      const unloadable = this.#unloadable.get(thread);
      // One that was ended for its task, or died under one, is replaced. One that did not come up, or died with nothing
      // to do, may be followed by many that do the same.
      if (unloadable !== undefined) this.#failed(unloadable, false);
      else if (state.kind === "ending" || state.kind === "busy") this.#refill();
      else
        this.#failed(
          carry(death.error ?? new Error(`a thread exited with code ${death.code}`)),
          state.kind === "idle",
        );
      this.#host.available();
    },
  };

  /** Takes it out of the count of those that work. */
  #leave(thread: Thread, kind = thread.state.kind): void {
    if (kind === "busy") this.#busy--;
    this.#retire(thread);
  }

  /** No more tasks for it. */
  #retire(thread: Thread): void {
    const at = this.#idle.indexOf(thread);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  #planSpares(): void {
    if (this.#sparesWanted || this.#sparesTimer !== undefined || this.#options.spares === 0) return;
    this.#sparesTimer = setTimeout(() => {
      this.expectLoss();
    }, SPARES_AFTER).unref();
  }

  /** A thread did not come up, or, when `wasUp`, died with nothing to do: then the next one may do better. */
  #failed(error: Carried, wasUp: boolean): void {
    this.#failures++;
    if (this.#threads.size === 0 && !wasUp) {
      const cause = unpack(error);
      this.broken = new PoolError(
        "ERR_TASK_MODULE",
        `${this.#options.name}: the task module ${this.#options.thread.module} cannot be loaded: ${reasonOf(cause)}`,
        { cause },
      );
    }
    if (this.#pause === undefined) {
      const delay = Math.min(FIRST_PAUSE * 2 ** (this.#failures - 1), LONGEST_PAUSE);
      this.#pause = setTimeout(() => {
        this.#pause = undefined;
        if (this.broken === undefined) this.#refill();
      }, delay);
      if (!this.#host.waiting() || this.broken !== undefined) this.#pause.unref();
    }
    const { broken } = this;
    if (broken === undefined) return;
    this.#settleWaiters((waiter) => {
      waiter.reject(broken);
    });
    this.#host.broken(broken);
  }

  #settleWaiters(settle: (waiter: Waiter) => void): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) settle(waiter);
  }
}
