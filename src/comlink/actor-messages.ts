/** What an actor's thread and the thread that has started it say to each other, beside the calls. Types only. */
import type { MessagePort } from "node:worker_threads";
import type { Carried } from "../workers/carry.js";

/** The first message to the thread, on its parent port; all others go through `control`. */
export interface Begin {
  /** A file URL. */
  readonly module: string;
  /** The name of what is exposed; undefined: the default export, or if there is none all of them. */
  readonly export: string | undefined;
  /** What it is made with: a class is constructed, a function called. Undefined: it is exposed as it is. */
  readonly args: readonly unknown[] | undefined;
  readonly calls: MessagePort;
  readonly control: MessagePort;
}

export type FromActor =
  | { readonly type: "ready" }
  | { readonly type: "failed"; readonly error: Carried }
  /** It has been disposed of, and the thread may be ended. `error`: what its own disposal threw. */
  | { readonly type: "disposed"; readonly error: Carried | undefined };

/** Finish the calls under way, and dispose of it. */
export interface ToActor {
  readonly type: "end";
}
