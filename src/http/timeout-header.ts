/**
 * How a deadline crosses from one process to another: as the time that is left, since their clocks differ. gRPC does the same
 * with `grpc-timeout`; plain HTTP has no such header.
 */

/** What is left for the answer when the request is sent, in whole milliseconds: `x-request-timeout-ms: 1500`. */
export const TIMEOUT_HEADER = "x-request-timeout-ms";

/** The milliseconds that the header grants; Infinity without one, or with anything but a whole number. */
export function timeoutOf(headers: Readonly<Record<string, unknown>>): number {
  const given = headers[TIMEOUT_HEADER];
  return typeof given === "string" && /^\d+$/.test(given) ? Number(given) : Number.POSITIVE_INFINITY;
}
