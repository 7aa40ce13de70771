/** What reaches the process as an uncaught exception or an unhandled rejection, kept away from the test runner. */
import { turn } from "./turn.js";

export interface Uncaught {
  readonly origin: "uncaughtException" | "unhandledRejection";
  readonly error: unknown;
}

/** Runs `work`, waits for its aftermath and hands back what nobody caught, in order. */
export async function uncaughtDuring(work: () => unknown): Promise<Uncaught[]> {
  const seen: Uncaught[] = [];
  const events = ["uncaughtException", "unhandledRejection"] as const;
  const saved = events.map((event) => process.rawListeners(event) as ((...args: unknown[]) => void)[]);
  for (const event of events) {
    process.removeAllListeners(event);
    process.on(event, (error: unknown) => {
      seen.push({ origin: event, error });
    });
  }
  try {
    await work();
    await turn();
    await turn();
  } finally {
    events.forEach((event, i) => {
      process.removeAllListeners(event);
      for (const listener of saved[i] ?? []) process.on(event, listener);
    });
  }
  return seen;
}
