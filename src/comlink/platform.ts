/** What differs between Node and a browser. */

interface Platform {
  readonly process?: { readonly getBuiltinModule?: (name: string) => unknown };
  readonly SharedArrayBuffer?: unknown;
  readonly crossOriginIsolated?: boolean;
}

const platform = globalThis as Platform;

/** A module of Node's; undefined elsewhere. */
export function builtin(name: `node:${string}`): unknown {
  return platform.process?.getBuiltinModule?.(name);
}

/** Whether memory can be shared with other threads, and waited on without blocking. */
export const canShareMemory =
  platform.SharedArrayBuffer !== undefined &&
  platform.crossOriginIsolated !== false &&
  typeof (Atomics as { waitAsync?: unknown }).waitAsync === "function";
