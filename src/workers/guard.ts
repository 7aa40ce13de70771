/**
 * Runs code that can be cut off in the middle, wherever it is, without the thread: what comes after the cut goes on here.
 * Owns the way it is done; who may cut, and when, is the claim's (lane.ts, docs/protocol.md).
 */
import { AsyncResource, executionAsyncId } from "node:async_hooks";
import type { Session } from "node:inspector";
import { holdTimer, releaseTimer, repairAlarms } from "../context/alarms.js";

/** Where the script that V8 is asked to evaluate finds what it is to call. */
const entry = Symbol.for("lifeguard.guard");
const EXPRESSION = 'globalThis[Symbol.for("lifeguard.guard")]()';

/**
 * V8's `Runtime.evaluate` is the one call that catches the end of an execution and goes on: it takes the termination back when it
 * has unwound all that the expression called. So the code runs inside such a call, and nothing outside of it is ever cut. It
 * costs about 10 µs (bench/interrupt); docs/decisions/0011 has the other ways there are.
 */
export class Guard {
  readonly #session: Session;
  /**
   * What is cut off leaves its AsyncLocalStorage behind on the resource it ran under (up to Node 22) or in the frame of the
   * callback (from 24 on): so it has one of its own, and none has that of a task that was cut off.
   */
  #scope: AsyncResource;
  /** Where those are made, so that none of them has anything of where it is made. */
  readonly #origin = new AsyncResource("lifeguard.guard");
  #next: (() => void) | undefined;
  /** How many runs lie within each other. */
  #depth = 0;
  readonly #onBroken: () => void;

  private constructor(session: Session, onBroken: () => void) {
    this.#session = session;
    this.#onBroken = onBroken;
    this.#scope = this.#newScope();
    Object.defineProperty(globalThis, entry, {
      configurable: true,
      value: () => {
        const next = this.#next;
        this.#next = undefined;
        next?.();
      },
    });
  }

  /**
   * Undefined where Node has no inspector, or its permissions forbid it.
   *
   * @param onBroken called when what was cut off has left the thread in a state that nobody can go on from: it ends after that
   */
  static open(onBroken: () => void): Guard | undefined {
    try {
      const { Session } = process.getBuiltinModule("node:inspector");
      const session = new Session();
      session.connect();
      const guard = new Guard(session, onBroken);
      return guard.run(() => {}) ? guard : undefined;
    } catch {
      return undefined;
    }
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
    this.#depth = depth + 1;
    holdTimer();
    this.#scope.runInAsyncScope(() => {
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
      if (executionAsyncId() !== id) {
        this.#onBroken();
        process.exit();
      }
    });
    this.#depth = depth;
    if (!end.isThere) {
      this.#scope = this.#newScope();
      // Node and this library set it to 0 for moments.
      if (Error.stackTraceLimit !== stackTraceLimit) Error.stackTraceLimit = stackTraceLimit;
      repairAlarms();
    }
    if (depth === 0) releaseTimer();
    if (end.failure !== undefined) throw end.failure.error;
    return end.isThere;
  }

  #newScope(): AsyncResource {
    return this.#origin.runInAsyncScope(() => new AsyncResource("lifeguard.task"));
  }
}
