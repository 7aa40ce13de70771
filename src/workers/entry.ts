/** What piscina runs in each thread: says hello, loads the user's module, works through one envelope at a time. */
import type { MessagePort } from "node:worker_threads";
import { carry } from "./carry.js";
import { Guard, leaveThread } from "./guard.js";
import { Lane } from "./lane.js";
import { Mailbox } from "./mailbox.js";
import type { Envelope, HelloAnswer, Posted, Reply, ToThread } from "./messages.js";
import type { Reviver } from "./stand-in.js";
import { abandon, exitUnder, isInterrupting, type Seat, type TaskFunction, Work } from "./work.js";

type Exports = Record<string, unknown> & { readonly default?: unknown };

let seat: Seat | undefined;

/** What piscina calls, under the name the pool gives it. */
export function handle(message: ToThread): Promise<HelloAnswer> | Reply | Promise<Reply> {
  switch (message.type) {
    case "hello":
      return sitDown(message.module, new Lane(message.lane), message.port);
    case "envelope":
      return orLeave(() => {
        const work = (): Reply | Promise<Reply> => new Work(seat as Seat, message).proceed();
        return message.revive === undefined ? work() : withRevived(message.calls, message.revive, work);
      });
    default:
      return message satisfies never;
  }
}

/**
 * Whatever is thrown is none of the tasks': the thread is in a state that nobody knows, perhaps from a cut. Were it passed on, the pool
 * would take it that nothing has begun, and run the tasks again.
 */
function orLeave(work: () => Reply | Promise<Reply>): Reply | Promise<Reply> {
  try {
    const reply = work();
    return reply instanceof Promise ? reply.catch(leaveThread) : reply;
  } catch {
    return leaveThread();
  }
}

/** Does the work with what the stand-ins stand for, and lets go of that in the end. */
async function withRevived(
  calls: unknown[],
  { module, at }: NonNullable<Envelope["revive"]>,
  work: () => Reply | Promise<Reply>,
): Promise<Reply> {
  const reviver = (await import(module)) as Reviver;
  const revived = at.map((place) => reviver.revive(calls[place]));
  at.forEach((place, n) => {
    calls[place] = revived[n]?.value;
  });
  const reply = work();
  try {
    // Not a moment later where it has ended: what comes for it then is nobody's.
    return reply instanceof Promise ? await reply : reply;
  } finally {
    for (const each of revived) each.release();
  }
}

async function sitDown(module: string, lane: Lane, port: MessagePort): Promise<HelloAnswer> {
  const mine: Seat = {
    lane,
    mailbox: new Mailbox(port),
    tasks: new Map(),
    guard: once(() =>
      Guard.open({
        isBeingCut: () => mine.current !== undefined && isInterrupting(mine.current.place),
        broken() {
          if (mine.current !== undefined) abandon(mine.current.place);
        },
        exiting(isOwn) {
          if (mine.current !== undefined) exitUnder(mine.current.place, isOwn);
        },
      }),
    ),
    current: undefined,
  };
  seat = mine;
  port.on("message", (message: Posted) => {
    const wake = mine.mailbox.sort(message);
    if (wake !== undefined) mine.current?.task.receive(wake);
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

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
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
