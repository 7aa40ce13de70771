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

/** Null: there can be none. It stays open for as long as the process lives, see `reachThreads`. */
let session: Session | null | undefined;

/** The inspector's names of the threads there are, by thread id. */
const names = new Map<number, string>();

/**
 * Opens the session, once. To be called before there is anything to cut, and the session is never closed: while Node tells a new one of
 * the threads there are, the process may crash if one of them ends in that very moment (WorkerManager::SetAutoAttach of Node 20 to 26
 * goes through a list from which the end of a thread takes it). At the first cut just that is likely: where one task overruns, so do others,
 * whose threads are being ended.
 *
 * @returns false where Node has no inspector, its permissions forbid it, or this is a worker thread itself
 */
export function reachThreads(): boolean {
  if (session === undefined) session = open();
  return session !== null;
}

/** Whether the thread can be reached: `not possible` where none can, see `reachThreads`. */
export function canCut(threadId: number): "yes" | "not attached" | "not possible" {
  if (!reachThreads()) return "not possible";
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
  if (name !== undefined) {
    session?.post("NodeWorker.sendMessageToWorker", { sessionId: name, message: CUT }, (error) => {
      answer.error = error;
    });
  }
  return answer.error === null;
}

function open(): Session | null {
  try {
    const { Session } = process.getBuiltinModule("node:inspector");
    const opened = new Session();
    opened.connect();
    opened.on("NodeWorker.attachedToWorker", ({ params }) => {
      const threadId = TITLE.exec(params.workerInfo.title)?.[1];
      if (threadId !== undefined) names.set(Number(threadId), params.sessionId);
    });
    opened.on("NodeWorker.detachedFromWorker", ({ params }) => {
      for (const [threadId, name] of names) if (name === params.sessionId) names.delete(threadId);
    });
    const answer: { error?: Error | null } = {};
    // Those that are there are told of before this returns. In a worker thread Node does not know the method.
    opened.post("NodeWorker.enable", { waitForDebuggerOnStart: false }, (error) => {
      answer.error = error;
    });
    if (answer.error === null) return opened;
    opened.disconnect();
    return null;
  } catch {
    return null;
  }
}
