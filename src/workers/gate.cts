/**
 * The file that piscina is given, and the only one in CommonJS. Piscina requires it. Were it an ES module, V8 would end the whole
 * process (`Module::IsGraphAsync must be used on an instantiated module`) when the thread is told to end in the midst of that,
 * as every thread of a pool can be that is destroyed while it starts: about one in a thousand, on Node 20 and 22.
 */
import type { handle as Handle } from "./entry.js" with { "resolution-mode": "import" };

type Message = Parameters<typeof Handle>[0];

let handle: typeof Handle | undefined;

async function first(message: Message) {
  ({ handle } = await import("./entry.js"));
  return handle(message);
}

/** `handle` of entry.ts, which the first call, with the hello, loads. */
const gate = (message: Message) => (handle === undefined ? first(message) : handle(message));

module.exports = { handle: gate };
