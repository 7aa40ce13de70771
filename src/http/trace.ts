/**
 * The trace a request belongs to, as W3C Trace Context has it (https://www.w3.org/TR/trace-context/): which header is taken
 * for one, and where it is kept. Records nothing itself: what came in goes on as it was.
 */
import { randomUUID } from "node:crypto";
import type { Context } from "../context/context.js";
import { checkContext } from "../context/derive.js";
import { type ContextKey, sharedKey } from "../context/keys.js";
import { withValue } from "../context/with-value.js";

/** The `traceparent` of the request: of version 00, `00-<trace id>-<parent id>-<flags>`. Shared: it goes along to the threads. */
export const traceparent: ContextKey<string> = sharedKey("traceparent");

/** The `tracestate` that came with it, if any. Shared. */
export const tracestate: ContextKey<string | undefined> = sharedKey("tracestate");

/** Section 3.2 of the recommendation. What a later version has behind the flags is not understood, and not handed on. */
const PARENT = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(?:-.*)?$/;

/** Section 3.3.1: 32 members at most; 512 characters are what everybody has to hand on, so more is not. */
const MEMBER =
  /^[a-z\d][a-z\d_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const MOST_MEMBERS = 32;
const LONGEST_STATE = 512;

/** `parent` with the trace of the request: the one its headers name, or a new one where they name none or garbage. */
export function withTrace(parent: Context, headers: Readonly<Record<string, unknown>>): Context {
  const given = parentOf(headers.traceparent);
  const ctx = withValue(parent, traceparent, given ?? newParent());
  const state = given === undefined ? undefined : stateOf(headers.tracestate);
  // One without the other would be of another trace.
  return state === undefined && parent.value(tracestate) === undefined
    ? ctx
    : withValue(ctx, tracestate, state);
}

function parentOf(header: unknown): string | undefined {
  if (typeof header !== "string") return undefined;
  const [, version, trace, span, flags] = PARENT.exec(header.trim()) ?? [];
  if (version === undefined || (version === "00" && header.trim().length !== 55)) return undefined;
  return `00-${trace ?? ""}-${span ?? ""}-${flags ?? ""}`;
}

function stateOf(header: unknown): string | undefined {
  if (typeof header !== "string" || header.length > LONGEST_STATE) return undefined;
  const members = header
    .split(",")
    .map((member) => member.trim())
    .filter((member) => member !== "");
  if (members.length === 0 || members.length > MOST_MEMBERS) return undefined;
  return members.every((member) => MEMBER.test(member)) ? members.join(",") : undefined;
}

/** A trace that begins here. Nobody has asked for it to be sampled. */
function newParent(): string {
  // Of the random values that Node has these are the cheapest: it makes them in advance.
  const [trace, parent] = [randomUUID(), randomUUID()];
  return `00-${trace.replaceAll("-", "")}-${parent.slice(19).replace("-", "")}-00`;
}

/**
 * The trace id of the request that `ctx` belongs to: 32 hexadecimal digits, for log lines; also in a task, on its thread.
 * Undefined outside of a request.
 *
 * @throws TypeError ERR_INVALID_ARG
 */
export function traceId(ctx: Context): string | undefined {
  checkContext("traceId: ctx", ctx);
  return parentOf(ctx.value(traceparent))?.split("-")[1];
}

/** What goes out again; nothing of what is garbage, whoever has put it there. */
export function traceOf(ctx: Context): { traceparent?: string; tracestate?: string } {
  const parent = parentOf(ctx.value(traceparent));
  if (parent === undefined) return {};
  const state = stateOf(ctx.value(tracestate));
  return { traceparent: parent, ...(state !== undefined && { tracestate: state }) };
}
