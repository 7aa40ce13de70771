/** What an actor's thread runs: loads the user's module, makes what is to be exposed, exposes it, and disposes of it in the end. */
import { parentPort } from "node:worker_threads";
import * as Comlink from "comlink";
import { carry } from "../workers/carry.js";
import type { Begin, FromActor, ToActor } from "./actor-messages.js";
import { connect } from "./connection.js";
import { serve } from "./endpoints.js";
import { ensureRegistered } from "./handlers.js";
import type { Service } from "./service.js";

// The parent port is the user's from then on.
parentPort?.once("message", (message: Begin) => void begin(message));

async function begin({ module, export: name, args, calls, control }: Begin): Promise<void> {
  const tell = (message: FromActor): void => {
    control.postMessage(message);
  };
  // There is but one message. To wait for it holds the thread: who has started it ends it, whatever becomes of the module.
  const asked = new Promise<ToActor>((resolve) => {
    control.once("message", resolve);
  });
  try {
    const exported = select((await import(module)) as Record<string, unknown>, name);
    const value = args === undefined ? exported : await make(exported, args);
    if ((typeof value !== "object" && typeof value !== "function") || value === null)
      throw new TypeError(`expected an object, a function or a class to expose, got ${typeof value}`);
    ensureRegistered(Comlink);
    const service = serve(Comlink, value, connect("actor", calls));
    tell({ type: "ready" });
    (await asked).type satisfies "end";
    await end(service, value, tell);
  } catch (error) {
    tell({ type: "failed", error: carry(error) });
  }
}

function select(exported: Record<string, unknown>, name: string | undefined): unknown {
  if (name === undefined) return "default" in exported ? exported.default : exported;
  if (name in exported) return exported[name];
  const names = Object.keys(exported)
    .map((each) => JSON.stringify(each))
    .join(", ");
  throw new TypeError(
    `the module exports no ${JSON.stringify(name)}; it exports ${names === "" ? "nothing" : names}`,
  );
}

async function make(exported: unknown, args: readonly unknown[]): Promise<unknown> {
  if (typeof exported !== "function")
    throw new TypeError("args were given, and what is exported is neither a class nor a function");
  return isClass(exported)
    ? (Reflect.construct(exported, args) as unknown)
    : await (exported as (...args: readonly unknown[]) => unknown)(...args);
}

function isClass(fn: object): boolean {
  return Function.prototype.toString.call(fn).startsWith("class");
}

interface Disposable {
  readonly [Symbol.asyncDispose]?: () => PromiseLike<void>;
  readonly [Symbol.dispose]?: () => void;
}

/** Within the grace: the thread is ended when it is over, if this is not through by then. */
async function end(service: Service, value: unknown, tell: (message: FromActor) => void): Promise<void> {
  await service.idle();
  try {
    const { [Symbol.asyncDispose]: disposeAsync, [Symbol.dispose]: dispose } = value as Disposable;
    if (disposeAsync !== undefined) await disposeAsync.call(value);
    else dispose?.call(value);
    tell({ type: "disposed", error: undefined });
  } catch (error) {
    tell({ type: "disposed", error: carry(error) });
  }
}
