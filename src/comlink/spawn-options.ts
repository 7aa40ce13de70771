/** The options of an actor, checked once into a resolved form. */
import { invalidArg } from "../context/invalid.js";
import { resolveThreadOptions, type ThreadOptions, type ThreadSettings } from "../pool/thread-options.js";
import { checkGrace, DEFAULT_GRACE } from "../workers/grace.js";
import { checkTransferList } from "../workers/transfer.js";

export interface SpawnOptions extends ThreadSettings {
  /** What is exposed. @default the module's default export, or all its exports if it has none */
  export?: string;
  /**
   * What it is made with, cloned to the thread: a class is constructed, any other function called, and awaited; what comes of that
   * is exposed. Without it, what the module exports is exposed as it is; a class then as a class: `await new remote()`.
   */
  args?: readonly unknown[];
  /** What of `args` moves to the thread instead of being copied: ArrayBuffers and the like. */
  transfer?: readonly object[];
  /**
   * ms that the actor has, after its context has ended, to finish the calls under way and to dispose of itself; and a call, after a
   * context of its own has ended, to settle by itself. 0 or more, Infinity for never. @default 250
   */
  grace?: number;
  /** For people: appears in error messages, and as the thread's name. @default "actor" */
  name?: string;
}

export interface ResolvedSpawnOptions {
  readonly module: string;
  readonly exportName: string | undefined;
  readonly args: readonly unknown[] | undefined;
  readonly transfer: readonly object[];
  readonly grace: number;
  readonly name: string;
  readonly thread: ThreadOptions;
}

/** @throws TypeError ERR_INVALID_ARG */
export function resolveSpawnOptions(
  module: string | URL,
  options: SpawnOptions | undefined,
): ResolvedSpawnOptions {
  const given: SpawnOptions = options ?? {};
  if (typeof given !== "object") throw invalidArg("spawn: options", "an object", options);
  const { export: exportName, args, transfer = [], grace = DEFAULT_GRACE, name = "actor" } = given;
  if (exportName !== undefined && typeof exportName !== "string")
    throw invalidArg("spawn: options.export", "the name of an export", exportName);
  if (args !== undefined && !Array.isArray(args)) throw invalidArg("spawn: options.args", "an array", args);
  checkTransferList("spawn: options.transfer", transfer);
  checkGrace("spawn: options.grace", grace);
  if (typeof name !== "string") throw invalidArg("spawn: options.name", "a string", name);
  const thread = resolveThreadOptions("spawn", module, given);
  return { module: thread.module, exportName, args, transfer, grace, name, thread };
}
