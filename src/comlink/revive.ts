/** What a pool's thread makes of the port that came in place of a callback. Loaded by the first task that gets one. */
import type { MessagePort } from "node:worker_threads";
import * as Comlink from "comlink";
import { DEFAULT_GRACE } from "../workers/grace.js";
import { connect } from "./connection.js";
import { call, ensureRegistered } from "./handlers.js";

/**
 * What the task gets. Calls that fail because the task has ended are handled already: one that does not wait for an answer must not
 * take down its thread, which is another task's by then.
 */
export function revive(port: MessagePort): unknown {
  ensureRegistered(Comlink);
  const options = { grace: DEFAULT_GRACE, isOwned: true, isQuietWhenClosed: true };
  return call(Comlink, connect("callback", port), options).remote;
}
