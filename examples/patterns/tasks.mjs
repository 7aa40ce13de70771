// @ts-check
/** What runs on the pool's threads: somebody else's pattern over our text. */
import { threadId, workerData } from "node:worker_threads";

const { text } = /** @type {{ text: string }} */ (workerData);

/**
 * How often the pattern is found. Matching is one call into V8, which no poll can be put into: a pattern like `(\w+\s?)*$`
 * keeps it busy for longer than anybody waits.
 *
 * @param {import("lifeguard").Context} _ctx
 * @param {string} pattern
 */
export function count(_ctx, pattern) {
  return { found: text.match(new RegExp(pattern, "gm"))?.length ?? 0, thread: threadId };
}
