/** Things that have to have begun before a deadline: how long that takes is the machine's business. */
import { background, type Context, remaining, withTimeout } from "lifeguard";
import { type ThreadGate, threadGate, until } from "./pool.js";

/** ms; enough for a machine that has nothing else to do. */
const FIRST = 80;

export interface InTime<T> {
  readonly started: T;
  readonly ctx: Context;
  readonly gate: ThreadGate;
}

/**
 * Starts something under a deadline, and resolves once it has come to the gate with the deadline still ahead. When that was too
 * late, waits until it is over, however it ends, and starts it anew with twice the time.
 *
 * @param over settles when what was started is over
 */
export async function inTime<T>(
  start: (ctx: Context, gate: ThreadGate) => T,
  over: (started: T) => PromiseLike<unknown>,
  cause?: unknown,
): Promise<InTime<T>> {
  for (let ms = FIRST; ; ms *= 2) {
    const gate = threadGate();
    const [ctx] = withTimeout(background, ms, cause);
    const started = start(ctx, gate);
    const state = { isOver: false };
    const settle = (): void => {
      state.isOver = true;
    };
    over(started).then(settle, settle);
    await until(() => state.isOver || gate.read(0) > 0);
    if (!state.isOver && remaining(ctx) > 0) return { started, ctx, gate };
    gate.open();
    await until(() => state.isOver);
  }
}
