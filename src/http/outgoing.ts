/** What a request hands on when it asks others: its trace, and the time that is left. */
import type { Context } from "../context/context.js";
import { checkContext } from "../context/derive.js";
import { invalidArg } from "../context/invalid.js";
import { remaining } from "../context/with-deadline.js";
import { TIMEOUT_HEADER } from "./timeout-header.js";
import { traceOf } from "./trace.js";

/**
 * The headers that tell another service what `ctx` is about: `traceparent` and `tracestate`, where it has a trace that is one, and
 * `x-request-timeout-ms`, where it has a deadline. For clients other than `fetch`; works in tasks, too.
 *
 * @throws TypeError ERR_INVALID_ARG
 */
export function outgoingHeaders(ctx: Context): Record<string, string> {
  checkContext("outgoingHeaders: ctx", ctx);
  const left = Math.floor(remaining(ctx));
  const headers: Record<string, string | undefined> = {
    ...traceOf(ctx),
    [TIMEOUT_HEADER]: Number.isSafeInteger(left) ? String(left) : undefined,
  };
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/**
 * The platform's `fetch` under a context: it is given up when `ctx` ends, also while the answer's body is read, and takes the
 * headers of `outgoingHeaders` along, unless `init` or the request has its own. A redirect takes them to where it leads, as it does
 * all headers but those with credentials.
 *
 * @param input a Request's own signal counts, too
 * @param init `signal` is what `ctx` is for: to end with a signal, too, use `withSignal`
 * @returns rejects with `ctx.err()` when `ctx` ends first, with TypeError ERR_INVALID_ARG, and as `fetch` does. Before Node 24, who
 * reads the body in that moment gets an AbortError of the platform's
 */
export async function fetch(
  ctx: Context,
  input: string | URL | Request,
  init: RequestInit = {},
): Promise<Response> {
  checkContext("fetch: ctx", ctx);
  if (typeof init !== "object" || (init as unknown) === null)
    throw invalidArg("fetch: init", "an object", init);
  if (init.signal !== undefined && init.signal !== null)
    throw invalidArg("fetch: init.signal", "none (withSignal(ctx, signal) ends with both)", init.signal);
  ctx.throwIfDone();
  const headers = new Headers(init.headers ?? (input instanceof Request ? input.headers : undefined));
  for (const [name, value] of Object.entries(outgoingHeaders(ctx))) {
    if (!headers.has(name)) headers.set(name, value);
  }
  // A Request always has a signal, and does not say whether anybody else has a hand in it. `any` has held on to long-lived
  // signals in the past (nodejs/node#54614): only where there are two.
  const signal = input instanceof Request ? AbortSignal.any([ctx.signal, input.signal]) : ctx.signal;
  return await globalThis.fetch(input, { ...init, headers, signal });
}
