/** Functions and objects of this thread as arguments of tasks: comlink's proxies, over a port for each hand-over. */
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import type { ProxyMarked, Remote } from "comlink";
import * as Comlink from "comlink";
import { reviverModule } from "../actor-url.js";
import { invalidArg } from "../context/invalid.js";
import { openStandIns, type StandIn } from "../workers/stand-in.js";
import { connect } from "./connection.js";
import { serve } from "./endpoints.js";
import { CallError } from "./errors.js";
import { ensureRegistered } from "./handlers.js";

/** What the other side has of it: a function that returns a promise, or comlink's `Remote` of an object. */
export type Proxied<T extends object> = (T extends (...args: infer A) => infer R
  ? (...args: A) => Promise<Awaited<R>>
  : Remote<T>) &
  ProxyMarked;

/**
 * Marks a function, or an object with methods, to be passed by reference: comlink's `proxy`, which goes as an argument of
 * `pool.run` and `pool.submit` too: `await pool.run(ctx, "index", files, proxy((done) => bar.update(done)))`.
 *
 * The task calls it like an async function, and its promise settles with what it returned, or threw, here. Calls that a task makes
 * in synchronous code arrive while it runs; their answers wait until it returns to its event loop. When the task ends, the calls it
 * has made have been begun before its `result` settles; after that nothing more of it is called, and promises the task has left
 * behind reject with CallError ERR_PEER_CLOSED, which is no unhandled rejection. One function may go to any number of tasks.
 *
 * @returns `value` itself, typed as the task gets it: to be passed on, not to be called here
 * @throws TypeError ERR_INVALID_ARG for what is no function or object, or is frozen
 */
export function proxy<A extends unknown[], R>(
  fn: (...args: A) => R,
): ((...args: A) => Promise<Awaited<R>>) & ProxyMarked;
export function proxy<T extends object>(value: T): Proxied<T>;
export function proxy<T extends object>(value: T): Proxied<T> {
  if ((typeof value !== "object" && typeof value !== "function") || (value as unknown) === null)
    throw invalidArg("proxy: value", "a function or an object", value);
  ensureRegistered(Comlink);
  try {
    Comlink.proxy(value);
  } catch (cause) {
    throw invalidArg("proxy: value", "a function or an object that is not frozen", value, { cause });
  }
  openStandIns(reviverModule).makers.set(value, () => standInFor(value));
  return value as unknown as Proxied<T>;
}

function standInFor(value: object): StandIn {
  const { port1, port2 } = new MessageChannel();
  const connection = connect("proxy", port1);
  const service = serve(Comlink, value, connection);
  // The task keeps the process alive.
  connection.hold(false);
  return {
    data: port2,
    transfers: [port2],
    release() {
      // What the task has sent is there: it was posted before the thread told of its end. Not at once, since it is the user's.
      queueMicrotask(() => {
        for (let got = receiveMessageOnPort(port1); got !== undefined; got = receiveMessageOnPort(port1))
          service.deliver({ data: got.message });
        service.close(new CallError("ERR_PEER_CLOSED", "the task has ended"));
      });
    },
  };
}
