/** What a pool's thread makes of the port that came in place of a callback. Loaded by the first task that gets one. */
import type { MessagePort } from "node:worker_threads";
import * as Comlink from "comlink";
import { DEFAULT_GRACE } from "../workers/grace.js";
import { connect } from "./connection.js";
import { facade } from "./facade.js";
import { call, ensureRegistered } from "./handlers.js";

/** What the task gets. */
export function revive(port: MessagePort): unknown {
  ensureRegistered(Comlink);
  const answers = new Answers();
  const { remote } = call(Comlink, connect("callback", port), {
    grace: DEFAULT_GRACE,
    isOwned: true,
    busy(isBusy) {
      if (!isBusy) answers.clear();
    },
    closing() {
      answers.close();
    },
  });
  return watched(remote, answers);
}

/**
 * The promises of the calls under way. Those that fail only because the task has ended are handled already: a task that does not
 * wait for an answer must not take down its thread, which is another task's by then. What the callback itself has thrown is an
 * unhandled rejection as any other.
 */
class Answers {
  readonly #waiting = new Set<Promise<unknown>>();
  #isClosed = false;

  add(answer: Promise<unknown>): void {
    if (this.#isClosed) answer.catch(() => {});
    else this.#waiting.add(answer);
  }

  /** All of them have settled. */
  clear(): void {
    this.#waiting.clear();
  }

  close(): void {
    this.#isClosed = true;
    for (const answer of this.#waiting) answer.catch(() => {});
    this.clear();
  }
}

function watched(remote: object, answers: Answers): object {
  return facade(remote, {
    own(name) {
      if (name === Comlink.releaseProxy || name === Comlink.createEndpoint)
        return { value: Reflect.get(remote, name) as unknown };
      // At the top it is no promise; below, it is: `await object.property`.
      return name === "then" ? { value: Reflect.get(remote, name) as unknown } : undefined;
    },
    property: (value) => (typeof value === "function" ? watched(value, answers) : value),
    answer(value) {
      if (value instanceof Promise) answers.add(value);
      return value;
    },
  });
}
