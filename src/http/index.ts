/** `lifeguard/http`: requests as contexts, for Node's servers and what stands on them. */
export { admit, type Estimating } from "./admit.js";
export { RequestError, type RequestErrorCode } from "./errors.js";
export type { RequestLike, ResponseLike } from "./exchange.js";
export { fetch, outgoingHeaders } from "./outgoing.js";
export { type RequestOptions, requestContext } from "./request-context.js";
export { type ErrorResponse, errorResponse, respond } from "./respond.js";
export { type Closable, type ServerOptions, type ShutdownFunc, serverContext } from "./server-context.js";
export type { ServerLike } from "./service.js";
export { traceId, traceparent, tracestate } from "./trace.js";
