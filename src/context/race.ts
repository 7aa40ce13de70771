/** Waiting with a context: for a promise, or for time. */
import { MAX_DELAY } from "./clock.js";
import type { Context } from "./context.js";
import { ownerOf } from "./derive.js";
import { invalidArg } from "./invalid.js";
import { Listener } from "./listener.js";
import type { Node } from "./node.js";

/**
 * What `promise` settles with, or a rejection with `ctx.err()` if `ctx` ends first: Go's `select` on Done. It does
 * not stop the work behind the promise. Nothing is left behind on `ctx`, and a later rejection of `promise` is
 * handled. A context that has ended wins over a promise that has settled.
 *
 * @returns rejects with TypeError ERR_INVALID_ARG for bad arguments
 */
export async function race<T>(ctx: Context, promise: PromiseLike<T>): Promise<T> {
  const owner = ownerOf("race: ctx", ctx);
  const isThenable =
    (typeof promise === "object" || typeof promise === "function") &&
    (promise as unknown) !== null &&
    typeof promise.then === "function";
  if (!isThenable) throw invalidArg("race: promise", "a promise", promise);
  return await new Promise<T>((resolve, reject) => {
    const detach = whenEnded(ctx, owner, reject);
    Promise.resolve(promise).then(
      (value) => {
        detach();
        resolve(value);
      },
      (error: unknown) => {
        detach();
        reject(error);
      },
    );
  });
}

/**
 * Resolves after `ms` milliseconds; rejects with `ctx.err()` as soon as `ctx` ends, at once when it has. Unlike a
 * deadline it holds the process open: it is something to wait for.
 *
 * @param ms any number but NaN: 0 or less resolves in the next turn, Infinity waits for `ctx` alone
 * @returns rejects with TypeError ERR_INVALID_ARG for bad arguments
 */
export async function sleep(ctx: Context, ms: number): Promise<void> {
  const owner = ownerOf("sleep: ctx", ctx);
  if (typeof ms !== "number" || Number.isNaN(ms))
    throw invalidArg("sleep: ms", "a number of milliseconds", ms);
  await new Promise<void>((resolve, reject) => {
    let left = ms;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const detach = whenEnded(ctx, owner, (error) => {
      left = 0;
      clearTimeout(timer);
      reject(error);
    });
    const wait = (): void => {
      const delay = Math.min(Math.max(Math.ceil(left), 0), MAX_DELAY);
      timer = setTimeout(() => {
        left = delay < MAX_DELAY ? 0 : left - delay;
        if (left > 0) {
          wait();
        } else {
          detach();
          resolve();
        }
      }, delay);
    };
    if (owner === null || owner.ending === null) wait();
  });
}

/** Calls `fn` with the error when `ctx` ends, at once when it has; returns what takes it off again. */
function whenEnded(ctx: Context, owner: Node | null, fn: (error: Error) => void): () => void {
  if (owner === null) return () => {};
  const listener = new Listener(ctx, owner, () => {
    fn((owner.ending as NonNullable<Node["ending"]>).error());
  });
  return () => {
    listener.detach();
  };
}
