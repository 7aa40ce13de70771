/**
 * What piscina runs in each thread: says hello, loads the user's module, runs one task at a time. Everything a task
 * does wrong ends here, in a report: nothing is thrown at piscina, which would lose the error or the thread.
 */
import type { MessagePort } from "node:worker_threads";
import type { Context } from "../context/context.js";
import { prepareEnding } from "../context/ending.js";
import { cause } from "../context/with-cancel.js";
import { carry } from "./carry.js";
import { DONE, KILLING, Lane, OFFERED, STARTED } from "./lane.js";
import type { HelloAnswer, Offer, Parcel, Report, ToThread, Wake } from "./messages.js";
import { TaskNode } from "./task-context.js";
import { transfersOf } from "./transfer.js";

type TaskFunction = (ctx: Context, ...args: readonly unknown[]) => unknown;

type Exports = Record<string, unknown> & { readonly default?: unknown };

interface Seat {
  readonly lane: Lane;
  readonly port: MessagePort;
  readonly tasks: Map<string, TaskFunction>;
  current: TaskNode | undefined;
}

let seat: Seat | undefined;

/** What piscina calls, under the name the pool gives it. */
export function handle(message: ToThread): Promise<HelloAnswer> | Report | Promise<Report> {
  switch (message.type) {
    case "hello":
      return sitDown(message.module, new Lane(message.lane), message.port);
    case "offer":
      return run(seat as Seat, message);
    default:
      return message satisfies never;
  }
}

async function sitDown(module: string, lane: Lane, port: MessagePort): Promise<HelloAnswer> {
  const mine: Seat = { lane, port, tasks: new Map(), current: undefined };
  seat = mine;
  port.on("message", (wake: Wake) => {
    mine.current?.receive(wake);
  });
  // It listens, and yet a thread with nothing to do is free to go.
  port.unref();
  try {
    collectTasks(mine.tasks, (await import(module)) as Exports);
  } catch (error) {
    return { type: "unloadable", error: carry(error) };
  }
  return { type: "ready", names: [...mine.tasks.keys()] };
}

/** The exported functions; of a CommonJS module also those Node could not find the names of. */
function collectTasks(tasks: Map<string, TaskFunction>, exported: Exports): void {
  const main = exported.default;
  const sources = typeof main === "object" && main !== null ? [main as Exports, exported] : [exported];
  for (const source of sources) {
    for (const name of Object.keys(source)) {
      const value = source[name];
      if (typeof value === "function") tasks.set(name, value as TaskFunction);
    }
  }
}

function run(mine: Seat, offer: Offer): Report | Promise<Report> {
  const { lane, port } = mine;
  if (!lane.move(offer.epoch, OFFERED, STARTED)) return { type: "dropped" };
  const task = new TaskNode(lane, port, offer);
  mine.current = task;
  try {
    const fn = mine.tasks.get(offer.name) as TaskFunction;
    const result = fn(task, ...offer.args);
    if (!isThenable(result)) return finish(mine, task, offer.epoch, { value: result });
    task.awaits();
    return Promise.resolve(result).then(
      (value) => finish(mine, task, offer.epoch, { value }),
      (error: unknown) => finish(mine, task, offer.epoch, { error }),
    );
  } catch (error) {
    return finish(mine, task, offer.epoch, { error });
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === "object" || typeof value === "function") &&
    value !== null &&
    typeof (value as { then?: unknown }).then === "function"
  );
}

type Result = { readonly value: unknown } | { readonly error: unknown };

/**
 * Turns what the function did into a report and lets go of the lane. The report is ready before the claim moves to
 * DONE: cloning a result may take long and runs getters of the user's, so it can still be stopped hard.
 */
function finish(mine: Seat, task: TaskNode, epoch: number, result: Result): Report | Promise<Report> {
  const report =
    "error" in result ? reportError(task, result.error) : reportValue(mine.port, epoch, result.value);
  if (!mine.lane.move(epoch, STARTED, DONE)) {
    // KILLING: the pool was quicker, and this thread is about to end. It must not take another task.
    if (mine.lane.stands(epoch, KILLING)) return new Promise(() => {});
  }
  mine.current = undefined;
  const { ending } = task;
  task.over();
  // When the report is on its way: making an error takes longer than posting one.
  if (ending !== null) setImmediate(prepareEnding);
  return report;
}

function reportValue(port: MessagePort, epoch: number, value: unknown): Report {
  // Whatever is no object is cloneable, symbols excepted, and needs no try.
  if (
    value === null ||
    (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol")
  )
    return { type: "completed", value };
  const parcel: Parcel = { epoch, value };
  try {
    port.postMessage(parcel, transfersOf(value) as Parameters<MessagePort["postMessage"]>[1]);
  } catch (error) {
    return { type: "uncloneable", error: carry(error) };
  }
  return { type: "parcel" };
}

function reportError(task: TaskNode, error: unknown): Report {
  const ending = task.poll();
  if (ending !== null && isGivingUp(task, error)) return { type: "stopped", expired: ending.expired };
  return { type: "failed", error: carry(error) };
}

/** Whether `error` is the end of the context, its cause, or an abort error caused by either, as Node's own functions throw. */
function isGivingUp(task: Context, error: unknown): boolean {
  const reasons = [task.err(), cause(task)];
  if (reasons.includes(error)) return true;
  try {
    const { code, cause: why } = error as { code?: unknown; cause?: unknown };
    return code === "ABORT_ERR" && reasons.includes(why);
  } catch {
    return false;
  }
}
