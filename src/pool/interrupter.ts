/**
 * Ends what a thread is executing, from the main thread: through Node's inspector, inside this process, with no port opened. Owns the one
 * session for all pools. Whether a thread may be cut, and that it hits nothing else, is the claim's (docs/protocol.md).
 */
import type { Session } from "node:inspector";

/** What it takes: the message that ends the execution of the thread that gets it. */
const CUT = JSON.stringify({ id: 1, method: "Runtime.terminateExecution" });

/**
 * What Node calls a worker, before the name that its maker gave it. Only here is its thread id: `workerId` counts the workers that
 * the session was told of, and is another thread's as soon as one was not, or the order was another (src/inspector of Node 20 to 26).
 */
const TITLE = /^\[worker (\d+)\]/;

let session: Session | undefined;

/** The inspector's names of the threads there are, by thread id. */
const names = new Map<number, string>();

/** Threads that somebody has cut and that live; the session is kept for them. */
const served = new Set<number>();

/**
 * Whether the thread can be reached: `not possible` where Node has no inspector, its permissions forbid it, or this is a worker thread itself. At the first call the
 * session is opened; it is closed when the last thread that was cut has gone.
 */
export function canCut(threadId: number): "yes" | "not attached" | "not possible" {
  if (session === undefined && !open()) return "not possible";
  return names.has(threadId) ? "yes" : "not attached";
}

/**
 * Ends what the thread is executing, within 0.1 ms or so; native code ends when it returns. Anything that
 * runs there then is hit: it must have been made sure of what it is, and that nothing else follows before it has come.
 *
 * @returns false if it will not come
 */
export function cut(threadId: number): boolean {
  const name = names.get(threadId);
  const answer: { error?: Error | null } = {};
  if (session !== undefined && name !== undefined) {
    session.post("NodeWorker.sendMessageToWorker", { sessionId: name, message: CUT }, (error) => {
      answer.error = error;
    });
  }
  if (answer.error !== null) return false;
  served.add(threadId);
  return true;
}

function open(): boolean {
  try {
    const { Session } = process.getBuiltinModule("node:inspector");
    const opened = new Session();
    opened.connect();
    opened.on("NodeWorker.attachedToWorker", ({ params }) => {
      const threadId = TITLE.exec(params.workerInfo.title)?.[1];
      if (threadId !== undefined) names.set(Number(threadId), params.sessionId);
    });
    opened.on("NodeWorker.detachedFromWorker", ({ params }) => {
      forget(params.sessionId);
    });
    // Those that are there are told of before this returns. In a worker thread Node does not know the method.
    opened.post("NodeWorker.enable", { waitForDebuggerOnStart: false }, (error) => {
      if (error === null) session = opened;
    });
    if (session === undefined) opened.disconnect();
    return session !== undefined;
  } catch {
    return false;
  }
}

function forget(name: string): void {
  for (const [threadId, its] of names) {
    if (its !== name) continue;
    names.delete(threadId);
    served.delete(threadId);
  }
  if (served.size > 0) return;
  // Not from within its own event.
  setImmediate(() => {
    if (served.size > 0) return;
    names.clear();
    session?.disconnect();
    session = undefined;
  }).unref();
}
