/**
 * What is done about a task that does not stop: how long it may take, and whether it is cut off before its thread is ended. Whose
 * thread that is, and what becomes of the task, is the dispatcher's.
 */
import { now } from "../context/clock.js";
import { reachThreads } from "./interrupter.js";
import type { Job } from "./job.js";
import type { ResolvedOptions } from "./options.js";
import type { Thread } from "./thread.js";

/** The longest grace while the pool is being destroyed, ms. */
const DESTROY_GRACE = 1000;

/** What a cut has to arrive, at least, ms: it takes 0.1 on a free core, and tens where many threads share one. */
const SHORTEST_SECOND_GRACE = 100;

/** What the news of a task's end may take to come, ms: it takes 0.1, where the thread is not kept from sending it. */
const NEWS = 1000;

/**
 * The answer to a cut comes after some 0.2 ms: this thread turns its event loop for so long, ms, since falling asleep and being woken
 * would take a fifth of that again (bench/capacity).
 */
const AWAKE = 1;

let hasWarned = false;

export class Escalation {
  readonly #options: ResolvedOptions;
  readonly #isDestroying: () => boolean;

  constructor(options: ResolvedOptions, isDestroying: () => boolean) {
    this.#options = options;
    this.#isDestroying = isDestroying;
    if (options.onOverrun === "interrupt") reachThreads();
  }

  /** ms, from when the job's context ended. */
  graceOf(job: Job): number {
    const grace = job.options.grace ?? this.#options.grace;
    return this.#isDestroying() ? Math.min(grace, DESTROY_GRACE) : grace;
  }

  /** Whether it shall be cut off before its thread is ended. */
  isInterruptible(job: Job): boolean {
    return (job.options.onOverrun ?? this.#options.onOverrun) === "interrupt";
  }

  /** So long after its deadline the thread itself cuts it off, ms. Undefined: it does not. */
  watchdogOf(job: Job): number | undefined {
    if (!this.#options.watchdog || !this.isInterruptible(job)) return undefined;
    const grace = this.graceOf(job);
    return Number.isFinite(grace) ? grace : undefined;
  }

  /**
   * It has overrun its grace. False when it is time to end its thread; otherwise it is being cut off, has a second grace, and may
   * overrun that.
   */
  cutOff(job: Job, thread: Thread): boolean {
    // A thread that is to go anyway needs no keeping.
    if (job.isOverrun || this.#isDestroying() || !this.isInterruptible(job)) return false;
    job.isOverrun = true;
    if (!this.#tryCut(job, thread)) return false;
    job.startSecondGrace(Math.max(this.graceOf(job), SHORTEST_SECOND_GRACE));
    return true;
  }

  /** It has ended, and its thread does not say so though it has had time to. False at first: then it is given some. */
  isSilent(job: Job): boolean {
    if (job.isOverdue) return true;
    job.isOverdue = true;
    job.startSecondGrace(NEWS);
    return false;
  }

  #tryCut(job: Job, thread: Thread): boolean {
    if (thread.isUnguarded(job.place)) {
      this.#warn();
      return false;
    }
    // Its own thread does, or has. Were both to do it, neither would know whose cut it was.
    if (job.isWatched && job.scope.ending?.expired === true) return true;
    switch (thread.interrupt(job.place)) {
      case "sent":
        stayAwake(job);
        return true;
      // Nothing of it is on the stack, or it has ended: there is nothing to cut, and it may yet settle.
      case "not needed":
        return true;
      case "not attached":
        return false;
      case "not possible":
        this.#warn();
        return false;
    }
  }

  #warn(): void {
    if (hasWarned) return;
    hasWarned = true;
    process.emitWarning(
      `${this.#options.name}: onOverrun: "interrupt" needs Node's inspector, which is missing here, not permitted ` +
        `(--permission without --allow-inspector), or out of reach (a pool in a worker thread): the threads of tasks that overrun their grace are ended and replaced, as with "terminate"`,
      { type: "LifeguardWarning", code: "LIFEGUARD_NO_INTERRUPT" },
    );
  }
}

function stayAwake(job: Job): void {
  const until = now() + AWAKE;
  const turn = (): void => {
    if (job.outcome === undefined && now() < until) setImmediate(turn);
  };
  setImmediate(turn);
}
