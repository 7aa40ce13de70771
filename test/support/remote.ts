/** Workers of the comlink tests, and the ways of calling them. */
import { Worker } from "node:worker_threads";
import * as Comlink from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import type { Context } from "lifeguard";
import { type AnyEndpoint, register, type WrapOptions, wrap } from "lifeguard/comlink";

/** What the fixtures tell of a context. */
interface Look {
  readonly code: string | undefined;
  readonly cause: unknown;
  readonly deadline: number | undefined;
  readonly remaining: number;
}

type Method<R> = (...args: readonly unknown[]) => Promise<R>;

/** What the fixture exposes: its methods are called with anything. */
export interface Api
  extends Record<
      "look" | "spin" | "spinBelow" | "throwing" | "hold" | "wait" | "keep" | "kept" | "keptDone",
      Method<Look>
    >,
    Record<
      | "plain"
      | "give"
      | "both"
      | "value"
      | "never"
      | "count"
      | "exit"
      | "crash"
      | "fail"
      | "uncloneable"
      | "detached"
      | "throwingCause"
      | "callBack"
      | "callWithContext"
      | "giveCause"
      | "connect"
      | "forward",
      Method<unknown>
    > {
  part(): Promise<{
    wait(ctx: Context, gate: Int32Array): Promise<Look>;
    slow(gate: Int32Array, value: unknown): Promise<unknown>;
    never(gate: Int32Array): Promise<never>;
  }>;
  readonly nested: { readonly deeper: { add(a: number, b: number): Promise<number> } };
  readonly Counter: new () => Promise<{
    add(ctx: Context, n: number): Promise<number>;
    wait(ctx: Context, gate: Int32Array): Promise<Look>;
  }>;
}

export type Module = "exposed" | "exposed-beside" | "registered" | "unregistered" | "messages";

export interface RemoteWorker extends AsyncDisposable {
  readonly worker: Worker;
  readonly remote: Api;
}

export function startWorker(module: Module): Worker {
  return new Worker(new URL(`../fixtures/comlink/${module}.mjs`, import.meta.url));
}

/** Called through `wrap`. */
export function wrapped(module: Module = "exposed", options?: WrapOptions): RemoteWorker {
  const worker = startWorker(module);
  return disposable(worker, wrap(worker, options) as unknown as Api);
}

/** Called through comlink's own `wrap`, with the handler registered. */
export function bare(module: Module = "registered"): RemoteWorker {
  register(Comlink);
  const worker = startWorker(module);
  return disposable(worker, Comlink.wrap(nodeEndpoint(worker)) as unknown as Api);
}

function disposable(worker: Worker, remote: Api): RemoteWorker {
  return {
    worker,
    remote,
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}

/** `wrap` of an endpoint that leads to the fixture. */
export function wrapApi(endpoint: AnyEndpoint, options?: WrapOptions): Api {
  return wrap(endpoint, options) as unknown as Api;
}
