/** The messages between the pool and its threads. Types, but for one number: what each means is in docs/protocol.md. */
import type { MessagePort } from "node:worker_threads";
import type { Carried } from "./carry.js";
import type { LIVE, Notice } from "./lane.js";
import type { Deadline } from "./terms.js";

/** The first thing a thread is handed: after the answer it may be given tasks. */
interface Hello {
  readonly type: "hello";
  /** The task module, as a file URL. */
  readonly module: string;
  readonly lane: SharedArrayBuffer;
  readonly port: MessagePort;
}

/** Some tasks, to be run one after the other: the first at place 0 of the lane. */
export interface Envelope {
  readonly type: "envelope";
  readonly epoch: number;
  /** How many tasks. */
  readonly count: number;
  readonly names: readonly string[];
  readonly terms: readonly Terms[];
  /**
   * For each task the index of its name, the index of its terms, the number of its arguments, and the arguments; or BY_LETTER
   * for that number, and none. Flat, because an object for each costs five times as much to clone (bench/throughput).
   */
  readonly calls: unknown[];
  /** There are tasks in it that shall be cut off when they overrun their grace. */
  readonly guarded?: true;
  /** Where in the calls there are stand-ins for arguments, and the module that makes arguments of them: see stand-in.ts. */
  readonly revive?: { readonly module: string; readonly at: readonly number[] };
}

/** In place of the number of arguments: they, and the shared values, come in a letter. */
export const BY_LETTER = -1;

/** What a task's context brings along. Tasks submitted under the same one share it. */
export interface Terms {
  readonly deadline: Deadline | undefined;
  /** Values under shared keys, by the keys' names. */
  readonly values: Map<string, unknown> | undefined;
  /** Where there is a deadline: the thread itself cuts off a task that is at it still so long after that, ms. */
  readonly watchdog?: number;
  /** The task is being measured: where it leaves the figures (probe.ts). */
  readonly probe?: SharedArrayBuffer;
}

/** From pool to thread: the two that come through piscina. */
export type ToThread = Hello | Envelope;

/**
 * From pool to thread, on the port: wakes a task that awaits something, and brings the cause. It may arrive before the
 * word is stored, so it says what the word will.
 */
export interface Wake {
  readonly type: "wake";
  readonly epoch: number;
  readonly place: number;
  readonly notice: Exclude<Notice, typeof LIVE>;
  /** Undefined: none was given. */
  readonly cause: Carried | undefined;
}

/**
 * From pool to thread, on the port, before the envelope: what one task of it is called with. What is cloned in one message keeps
 * its identity there, and tasks must not get to see each other's objects.
 */
export interface Letter {
  readonly type: "letter";
  readonly epoch: number;
  readonly place: number;
  readonly args: readonly unknown[];
  readonly values: Map<string, unknown> | undefined;
}

export type Posted = Wake | Letter;

export type HelloAnswer =
  /** `names`: of the functions the module exports */
  | { readonly type: "ready"; readonly names: readonly string[] }
  | { readonly type: "unloadable"; readonly error: Carried };

/**
 * The answer to an envelope, when the thread is through with it; how each task ended stands in the lane by then. A string
 * or a bigint is the value of the last task, which needs no other way; `true` is nothing.
 */
export type Reply = true | string | bigint;

/** From thread to pool, on the port: a result that might not be cloneable, so that trying it cannot kill the thread, or an error. */
export interface Parcel {
  readonly epoch: number;
  readonly place: number;
  readonly value: unknown;
}
