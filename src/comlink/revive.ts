/** What a pool's thread makes of the port that came in place of a callback. Loaded by the first task that gets one. */
import type { MessagePort } from "node:worker_threads";
import * as Comlink from "comlink";
import { DEFAULT_GRACE } from "../workers/grace.js";
import type { Revived } from "../workers/stand-in.js";
import { connect } from "./connection.js";
import { call } from "./endpoints.js";
import { CallError } from "./errors.js";
import { ensureRegistered } from "./handlers.js";

/**
 * What the task gets. With the task it ends, in its thread as in the other one: an answer that comes later would settle a promise that
 * nobody waits for, and a rejection take down the thread, which is another task's by then.
 */
export function revive(port: MessagePort): Revived {
  ensureRegistered(Comlink);
  const options = { grace: DEFAULT_GRACE, isOwned: true, isForgotten: true };
  const { calls, remote } = call(Comlink, connect("callback", port), options);
  return {
    value: remote,
    release() {
      calls.fail(new CallError("ERR_PEER_CLOSED", "the task that it was passed to has ended"));
    },
  };
}
