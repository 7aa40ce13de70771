/** One purpose, several ways to it: the first that gets there wins, the others are called off. */
import type { Context } from "./context.js";
import { checkContext } from "./derive.js";
import { invalidArg } from "./invalid.js";
import { withCancel } from "./with-cancel.js";

type Contender = (ctx: Context) => unknown;

/**
 * Calls all of `fns`, in order and at once, with one context derived from `ctx`. The first success by time ends that
 * context, and is the result. A failure ends nothing: the others go on.
 *
 * It settles when all of them have: the functions are not stopped from outside, they watch the context they are handed,
 * and what is under way when there is a winner is waited for. What the losers return or throw is dropped. For an answer
 * that does not wait for them, `race` inside of each: `first(ctx, fns.map((fn) => (c) => race(c, fn(c))))`.
 *
 * When `ctx` ends, the context of the functions ends with it. It may resolve all the same, as `pool.run` may: a function
 * that succeeds then has succeeded. On a `ctx` that has ended already nothing is called.
 *
 * @param fns is read to its end before the first of them is called; what that throws, `first` rejects with
 * @returns rejects with `ctx.err()` when none succeeded and `ctx` has ended; when none succeeded otherwise, with an
 * AggregateError, code "ERR_ALL_FAILED", whose `errors` are theirs, in the order of `fns`. So it does for no functions.
 * TypeError ERR_INVALID_ARG for bad arguments: nothing is called then.
 */
export async function first<F extends Contender>(
  ctx: Context,
  // Once F is known from the first function of a list, it is Contender that tells the compiler what `ctx` is in the next.
  fns: Iterable<F & Contender>,
): Promise<Awaited<ReturnType<F>>> {
  checkContext("first: ctx", ctx);
  const functions = functionsOf<F>(fns);
  ctx.throwIfDone();
  const [shared, cancel] = withCancel(ctx);
  const runs = functions.map(async (fn) => (await fn(shared)) as Awaited<ReturnType<F>>);
  try {
    return await Promise.any(runs);
  } catch (failures) {
    ctx.throwIfDone();
    throw allFailed((failures as AggregateError).errors);
  } finally {
    cancel();
    await Promise.allSettled(runs);
  }
}

function functionsOf<F>(fns: Iterable<F>): F[] {
  const isIterable =
    typeof fns === "object" && (fns as unknown) !== null && typeof fns[Symbol.iterator] === "function";
  if (!isIterable) throw invalidArg("first: fns", "an iterable of functions", fns);
  const functions = [...fns];
  const wrong = functions.findIndex((fn) => typeof fn !== "function");
  if (wrong >= 0) throw invalidArg(`first: fns[${wrong}]`, "a function", functions[wrong]);
  return functions;
}

function allFailed(errors: unknown[]): AggregateError & { code: "ERR_ALL_FAILED" } {
  const message = `first: none of ${errors.length} functions succeeded`;
  return Object.assign(new AggregateError(errors, message), { code: "ERR_ALL_FAILED" as const });
}
