/** A deadline that passes between two looks at the clock: whoever begins to wait just then hears of it all the same. */
import { afterEach, expect, test, vi } from "vitest";
import { afterFunc, background, type Context, race, sleep, withTimeout } from "../../src/context/index.js";
import { settles } from "../support/turn.js";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A context with a deadline, and a clock that jumps past it after so many more readings. */
function jumping(after: number): Context {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  let left = Number.POSITIVE_INFINITY;
  vi.spyOn(performance, "now").mockImplementation(() => (left-- > 0 ? 1000 : 2000));
  const [ctx] = withTimeout(background, 500);
  left = after;
  return ctx;
}

const waits: [name: string, wait: (ctx: Context) => Promise<unknown>][] = [
  ["race", (ctx) => race(ctx, new Promise(() => {}))],
  ["sleep", (ctx) => sleep(ctx, 1e8)],
  ["afterFunc", (ctx) => new Promise<void>((resolve) => afterFunc(ctx, resolve))],
  ["done", (ctx) => ctx.done()],
];

for (const [name, wait] of waits) {
  test.each([0, 1, 2, 3])(`${name}: the deadline passes after %i looks`, async (looks) => {
    const ctx = jumping(looks);
    const waiting = settles(wait(ctx));
    for (let i = 0; i <= looks; i++) ctx.err();
    expect(ctx.err()).toBeDefined();
    expect(await waiting).toBe(true);
  });
}
