import { expect, test } from "vitest";
import { receive } from "../../src/comlink/received.js";
import { PORT, type PortLike } from "../../src/comlink/wire.js";
import { cause } from "../../src/context/index.js";
import { carry } from "../../src/workers/carry.js";
import { EXPIRED } from "../../src/workers/lane.js";
import { sharedNow } from "../../src/workers/shared-clock.js";

test("without shared memory, word that the deadline has passed comes with the cause announced for it", () => {
  const port: PortLike = { onmessage: null, postMessage: () => {}, close: () => {} };
  const deadline = [sharedNow() + 1e6, Date.now() + 1e6, carry("slow")] as const;
  const { ctx } = receive([PORT, port, deadline, undefined]);
  expect(ctx.err()).toBeUndefined();
  port.onmessage?.({ data: { notice: EXPIRED, cause: undefined } });
  expect(ctx.err()?.code).toBe("ERR_DEADLINE_EXCEEDED");
  expect(cause(ctx)).toBe("slow");
});
