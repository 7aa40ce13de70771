/** Comlink's adapter for Node's workers: takes every listener for one of messages. */
import { MessageChannel } from "node:worker_threads";
import { background, type Context, withCancel } from "lifeguard";
import { expose, wrap } from "lifeguard/comlink";
import { expect, test } from "vitest";
// @ts-expect-error it has no declarations
import adapter from "../../node_modules/comlink/dist/esm/node-adapter.mjs";

const nodeEndpoint = adapter as (port: object) => Parameters<typeof wrap>[0];

test("through comlink's nodeEndpoint a message is not the end: contexts live, and one call follows another", async () => {
  const { port1, port2 } = new MessageChannel();
  const service = {
    isLive: (ctx: Context) => ctx.err() === undefined,
    untilDone: async (ctx: Context) => {
      await ctx.done();
      return ctx.err()?.code;
    },
  };
  expose(service, nodeEndpoint(port2));
  const remote = wrap<typeof service>(nodeEndpoint(port1));
  try {
    expect(await remote.isLive(withCancel(background)[0])).toBe(true);
    const [ctx, cancel] = withCancel(background);
    const answer = remote.untilDone(ctx);
    expect(await remote.isLive(ctx)).toBe(true);
    cancel();
    expect(await answer).toBe("ABORT_ERR");
  } finally {
    port1.close();
  }
});
