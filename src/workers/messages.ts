/** The messages between the pool and its threads. Types only: what each means is in docs/protocol.md. */
import type { MessagePort } from "node:worker_threads";
import type { Carried } from "./carry.js";
import type { LIVE, Notice } from "./lane.js";

/** The first thing a thread is handed: after the answer it may be given tasks. */
interface Hello {
  readonly type: "hello";
  /** The task module, as a file URL. */
  readonly module: string;
  readonly lane: SharedArrayBuffer;
  readonly port: MessagePort;
}

/** One task. */
export interface Offer {
  readonly type: "offer";
  readonly epoch: number;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly deadline: Deadline | undefined;
  /** Values under shared keys, by the keys' names. */
  readonly values: Map<string, unknown> | undefined;
}

export interface Deadline {
  /** On the clock all threads share, ms. */
  readonly when: number;
  /** Milliseconds since the epoch. */
  readonly wall: number;
  /** Undefined for none. */
  readonly cause: Carried | undefined;
}

/** From pool to thread: the two that come through piscina. */
export type ToThread = Hello | Offer;

/**
 * From pool to thread, on the port: wakes a task that awaits something, and brings the cause. It may arrive before the
 * word is stored, so it says what the word will.
 */
export interface Wake {
  readonly epoch: number;
  readonly notice: Exclude<Notice, typeof LIVE>;
  /** Undefined: none was given. */
  readonly cause: Carried | undefined;
}

export type HelloAnswer =
  /** `names`: of the functions the module exports */
  | { readonly type: "ready"; readonly names: readonly string[] }
  | { readonly type: "unloadable"; readonly error: Carried };

export type Report =
  | { readonly type: "completed"; readonly value: unknown }
  /** The value lies in the port, as a Parcel. */
  | { readonly type: "parcel" }
  | { readonly type: "failed"; readonly error: Carried }
  /** `error`: why the result could not be cloned */
  | { readonly type: "uncloneable"; readonly error: Carried }
  /** It gave up because its context had ended: by its deadline, when `expired`. */
  | { readonly type: "stopped"; readonly expired: boolean }
  | { readonly type: "dropped" };

/** From thread to pool, on the port: a result that might not be cloneable, so that trying it cannot kill the thread. */
export interface Parcel {
  readonly epoch: number;
  readonly value: unknown;
}
