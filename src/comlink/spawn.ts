/** Actors: an object on a thread of its own, called through comlink. */
import { type Remote, releaseProxy } from "comlink";
import type { Context } from "../context/context.js";
import { ownerOf } from "../context/derive.js";
import { invalidArg } from "../context/invalid.js";
import { ActorThread } from "./actor.js";
import { resolveSpawnOptions, type SpawnOptions } from "./spawn-options.js";

/** What is exposed on the actor's thread, as comlink has it here; and its end. */
export type Actor<T> = Remote<T> & AsyncDisposable;

const contexts = new WeakMap<object, Context>();

/**
 * Starts a thread that holds an object, for state that is too big or too warm to be sent around: an index, a model, a parser.
 *
 * Its methods may take contexts, and calls settle as those of `wrap` do. The actor has a context of its own, a child of `ctx`
 * (`contextOf`). When that ends, no call is made any more, those under way see it as the end of their own contexts, and the actor
 * has its grace to finish them and to dispose of itself: `[Symbol.asyncDispose]` or `[Symbol.dispose]` of the object is called, if
 * it has one. Then the thread is stopped hard, and what is still under way rejects with `contextOf(actor).err()`.
 *
 * Leave it with `await using`, or by ending its context. An idle actor does not keep the process alive; a call under way does.
 *
 * @param module what holds it: a file URL, as URL or string, or an absolute path
 * @typeParam T what is exposed: of a class that is constructed with `args`, its instances
 * @returns when the object is there. `[Symbol.asyncDispose]()` ends it, with its grace, but no more than a second; resolves when the
 * thread has gone; rejects with what the object's own disposal threw. Rejects with TypeError ERR_INVALID_ARG; with `ctx.err()`;
 * with CallError ERR_ACTOR_MODULE when the module cannot be loaded, or the object not be made, ERR_NOT_CLONEABLE for the arguments,
 * ERR_WORKER_CRASHED
 */
export async function spawn<T>(
  ctx: Context,
  module: string | URL,
  options?: SpawnOptions,
): Promise<Actor<T>> {
  const owner = ownerOf("spawn: ctx", ctx);
  const resolved = resolveSpawnOptions(module, options);
  const over = ctx.err();
  if (over !== undefined) throw over;
  const dispose = (): Promise<void> => thread.dispose();
  const thread = new ActorThread(ctx, owner, resolved, (name) => {
    if (name === Symbol.asyncDispose) return { value: dispose };
    // As of comlink's own, nothing of it comes back.
    return name === releaseProxy ? { value: () => void dispose().catch(() => {}) } : undefined;
  });
  // Also where nobody gets it: as long as the thread has it, comlink's finalizers hold the two of them.
  const remote = thread.takeRemote();
  await thread.ready();
  contexts.set(remote, thread.node);
  return remote as Actor<T>;
}

/**
 * The actor's own context: ends with the one it was spawned with, or when the actor is disposed of, or dies; `cause` says which.
 *
 * @throws TypeError ERR_INVALID_ARG
 */
export function contextOf(actor: Actor<unknown>): Context {
  const isObject = typeof actor === "function" || (typeof actor === "object" && (actor as unknown) !== null);
  const ctx = isObject ? contexts.get(actor) : undefined;
  if (ctx === undefined) throw invalidArg("contextOf: actor", "an actor, as `spawn` returns it", actor);
  return ctx;
}
