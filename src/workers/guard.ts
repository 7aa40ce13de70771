/**
 * Runs code that can be cut off in the middle, wherever it is, without the thread: what comes after the cut goes on here.
 * Owns the way it is done; who may cut, and when, is the claim's (lane.ts, docs/protocol.md).
 */
import { AsyncResource, executionAsyncId } from "node:async_hooks";
import type { Session } from "node:inspector";
import { holdTimer, releaseTimer, repairAlarms } from "../context/alarms.js";
import { now } from "../context/clock.js";
import { Node } from "../context/node.js";

/** Node's own, before a task module can put something in its place. */
const exit: () => never = process.exit.bind(process);

/** This thread has been told to end by `leaveThread`, not by code of the user's. */
let isOwnExit = false;

/** Where the script that V8 is asked to evaluate finds what it is to call. */
const entry = Symbol.for("lifeguard.guard");
const EXPRESSION = 'globalThis[Symbol.for("lifeguard.guard")]()';

/** V8's timers may go off this much too early, ms: they count whole milliseconds. */
export const EARLY = 2;

export interface GuardHost {
  /** Whether somebody else has been told to cut what runs, or may be telling so now. */
  isBeingCut(): boolean;
  /** What was cut off has left the thread in a state that nobody can go on from: it ends after this. */
  broken(): void;
  /**
   * Code in this thread has called `process.exit`, or Node has, and it ends after this, unless it is cut off in here.
   *
   * @param isOwn it was `leaveThread`
   */
  exiting(isOwn: boolean): void;
}

/**
 * V8's `Runtime.evaluate` is the one call that catches the end of an execution and goes on: it takes the termination back when it
 * has unwound all that the expression called. So the code runs inside such a call, and nothing outside of it is ever cut. It
 * costs about 10 µs (bench/interrupt); docs/decisions/0011 has the other ways there are.
 */
export class Guard {
  readonly #session: Session;
  /**
   * Where the async scopes of the runs are made, so that they inherit nothing. Each run has one of its own: what is cut off leaves its
   * AsyncLocalStorage behind, and an id that is met nowhere else tells whether a scope was left open.
   */
  readonly #origin = new AsyncResource("lifeguard.guard");
  #next: (() => void) | undefined;
  /** How many runs lie within each other. */
  #depth = 0;
  /** When V8's timer may cut, ms on this thread's clock. */
  #due = Number.POSITIVE_INFINITY;
  readonly #host: GuardHost;
  #isLeaving = false;

  private constructor(session: Session, host: GuardHost) {
    this.#session = session;
    this.#host = host;
    // A cut inside of a hook on promises, which is how AsyncLocalStorage works up to Node 22, is not unwound: it is reported as
    // an uncaught error, whose value is one of V8's own. Node would try to clone it, and V8 end the process; not even `typeof` may
    // touch it.
    process.on("uncaughtExceptionMonitor", () => {
      if (this.#depth > 0 && (host.isBeingCut() || now() > this.#due)) this.#leave();
    });
    // Before the user's listeners, which may take their time.
    process.prependListener("exit", () => {
      this.#isLeaving = true;
      host.exiting(isOwnExit);
    });
    Object.defineProperty(globalThis, entry, {
      configurable: true,
      value: () => {
        const next = this.#next;
        this.#next = undefined;
        next?.();
      },
    });
  }

  /** Undefined where Node has no inspector, or its permissions forbid it. */
  static open(host: GuardHost): Guard | undefined {
    try {
      const { Session } = process.getBuiltinModule("node:inspector");
      const session = new Session();
      session.connect();
      const guard = new Guard(session, host);
      return guard.run(() => {}) ? guard : undefined;
    } catch {
      return undefined;
    }
  }

  /** `process.exit` has been called. Its own end of the execution is taken back like any other: who finds this goes on with `leaveThread`. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /**
   * Calls `work`, and returns whether it came to its end. When it has been cut off, none of its `finally` blocks has run. Such
   * calls may lie within each other: the innermost one is cut.
   *
   * @param limit ms, after which it is cut off by a timer of V8's, whatever any other thread does
   */
  run(work: () => void, limit?: number): boolean {
    const end: { failure?: { readonly error: unknown }; isThere: boolean } = { isThere: false };
    const { stackTraceLimit } = Error;
    const depth = this.#depth;
    const due = this.#due;
    this.#depth = depth + 1;
    if (limit !== undefined) this.#due = now() + limit - EARLY;
    holdTimer();
    this.#newScope().runInAsyncScope(() => {
      const id = executionAsyncId();
      this.#next = () => {
        try {
          work();
        } catch (error) {
          end.failure = { error };
        }
        end.isThere = true;
      };
      this.#session.post("Runtime.evaluate", {
        expression: EXPRESSION,
        silent: true,
        ...(limit !== undefined && { timeout: limit }),
      });
      // It was within `runInAsyncScope` of some AsyncResource, which Node believes still to be: it would end the process.
      if (executionAsyncId() !== id) this.#leave();
    });
    this.#depth = depth;
    this.#due = due;
    if (!end.isThere) {
      // Node and this library set it to 0 for moments.
      if (Error.stackTraceLimit !== stackTraceLimit) Error.stackTraceLimit = stackTraceLimit;
      repairAlarms();
      Node.finish();
    }
    if (depth === 0) releaseTimer();
    if (end.failure !== undefined) throw end.failure.error;
    return end.isThere;
  }

  #leave(): never {
    this.#host.broken();
    return leaveThread();
  }

  #newScope(): AsyncResource {
    return this.#origin.runInAsyncScope(() => new AsyncResource("lifeguard.task"));
  }
}

/** Ends this thread: what state it is in, nobody knows. What becomes of a task it is at depends on where the claim stands. */
export function leaveThread(): never {
  isOwnExit = true;
  return exit();
}
