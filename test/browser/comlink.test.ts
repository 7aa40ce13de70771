import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { bundle, serve } from "../../examples/browser/site.mjs";
import { describeInChromium, launch, open } from "./chromium.js";

const timeout = 120_000;
const fixtures = fileURLToPath(new URL("fixtures/", import.meta.url));

let site: Awaited<ReturnType<typeof serve>>;
let browser: Browser;
let page: Page;
let errors: string[];

/** Before the tests of a `describe`: the fixtures bundled and served, and a page of them for each test. */
function servePages(isolated: boolean): void {
  beforeAll(async () => {
    const files = await bundle({ page: `${fixtures}page.ts`, worker: `${fixtures}worker.ts` });
    files.set(
      "",
      '<!doctype html><link rel="icon" href="data:,"><script type="module" src="./page.js"></script>',
    );
    files.set("throws.js", 'throw new Error("not today");');
    files.set("unparsable.js", "This is no script.");
    [browser, site] = await Promise.all([launch(), serve(files, { isolated })]);
    published = (name) => files.set(name, "");
  }, timeout);

  afterAll(async () => {
    await browser.close();
    await site.close();
  }, timeout);

  beforeEach(async () => {
    ({ page, errors } = await open(browser, site.url));
    await page.exposeFunction("publish", (name: string) => void published(name));
  }, timeout);

  afterEach(async () => {
    await page.close();
    // What is uncaught in a worker is the page's, too; this one is meant to be.
    expect(errors.filter((error) => error !== "Error: not today")).toEqual([]);
  });
}

let published: (name: string) => unknown;

/** What a scenario of fixtures/page.ts returns. */
function run(scenario: string, ...args: readonly unknown[]): Promise<unknown> {
  return page.evaluate(`scenarios.${scenario}(${args.map((arg) => JSON.stringify(arg)).join(", ")})`);
}

/** What holds with shared memory and without. */
function testsOfBoth(): void {
  test("a call with a context is answered", async () => {
    expect(await run("answers")).toEqual([3, 7]);
  });

  test("a deadline stops a synchronous loop: by the worker's own clock, and with its cause", async () => {
    expect(await run("deadlineStopsLoop")).toEqual({
      isErr: true,
      code: "ERR_DEADLINE_EXCEEDED",
      cause: "slow",
      next: 2,
    });
  });

  test.each(["awaitDone", "awaitSignal", "awaitSleep"])("%s: an async method wakes up", async (method) => {
    expect(await run("awaits", method, "error")).toEqual({
      type: "RangeError",
      message: "too much",
      code: "ERR_TOO_MUCH",
    });
    expect(await run("awaits", method, "none")).toMatchObject({ code: "ABORT_ERR" });
  });

  test("an async method wakes up at its deadline", async () => {
    expect(await run("awaitsDeadline")).toEqual({ value: "slow" });
  });

  test("hundreds of calls that await end together", async () => {
    expect(await run("manyAwait", 300)).toBe(300);
  });

  test.each(["loopForever", "never"])(
    "%s: a call settles though the worker does not answer",
    async (method) => {
      expect(await run("settles", method, 0)).toBe(true);
      expect(await run("settles", method, 20)).toBe(true);
    },
  );

  test("a call whose context is done is not made, and rejects with its err()", async () => {
    expect(await run("doneBeforehand")).toBe(true);
  });

  test("shared values come along, of `background` and of what has an end", async () => {
    expect(await run("values")).toBe("carried");
    expect(await run("valuesBelow")).toBe("carried");
  });

  test("with its call a context is over in the worker, and lives on here", async () => {
    expect(await run("overWithItsCall")).toEqual({ there: "ABORT_ERR" });
  });

  test("what a method throws keeps its class, code and cause", async () => {
    expect(await run("throws")).toEqual({
      name: "RangeError",
      message: "out of range",
      code: "ERR_FAR",
      cause: "Error: too far",
      isRangeError: true,
    });
  });

  test("an argument that cannot be cloned is named", async () => {
    expect(await run("uncloneable")).toMatchObject({ name: "CallError", code: "ERR_NOT_CLONEABLE" });
  });

  test("a function of the page, called with a context of the worker's, sees it end", async () => {
    expect(await run("cancelsPage")).toEqual({ isErr: true, saw: { value: { why: "enough" } } });
  });

  test("a context that goes to the worker and comes back ends there, too", async () => {
    expect(await run("comesBack")).toEqual({ value: "enough", carried: "carried" });
  });

  test("a context ends in a worker of the worker", async () => {
    expect(await run("throughTwo")).toEqual({ value: "enough", carried: "carried" });
  });

  test("a call over a port that the other side has closed settles when its context ends", async () => {
    expect(await run("portCloses")).toEqual({ sum: 2, isErr: true });
  });

  test.each(["missing.js", "throws.js", "unparsable.js"])(
    "calls of a worker that cannot be loaded reject with ERR_WORKER_CRASHED: %s",
    async (script) => {
      expect(await run("unloadable", `/${script}`)).toEqual({
        under: ["ERR_WORKER_CRASHED", "ERR_WORKER_CRASHED"],
        after: "ERR_WORKER_CRASHED",
        isLive: true,
      });
    },
  );

  test("lifeguard/context works in the page itself", async () => {
    expect(await run("alone")).toEqual({
      failure: "no such file",
      ended: ["ABORT_ERR"],
      winner: "the second",
      timed: "ERR_DEADLINE_EXCEEDED",
      lost: true,
      signalled: "enough",
      unfetched: true,
    });
  });
}

describeInChromium("a cross-origin isolated page and its worker, in Chromium", () => {
  servePages(true);

  test("memory is shared", async () => {
    expect(await run("isolated")).toEqual([true, true]);
  });

  test("a loop is cancelled in the middle of synchronous work, and the worker answers the next call", async () => {
    expect(await run("cancelsLoop")).toEqual({ isErr: true, next: 2 });
  });

  test("a loop sees the cause: plain data, errors with their code", async () => {
    expect(await run("causeInLoop", "data")).toEqual({
      value: { why: "enough", since: [1, null, "x"], nested: { yes: true } },
    });
    expect(await run("causeInLoop", "error")).toEqual({
      type: "RangeError",
      message: "too much",
      code: "ERR_TOO_MUCH",
    });
    expect(await run("causeInLoop", "none")).toMatchObject({ code: "ABORT_ERR" });
  });

  test("a cause that JSON cannot carry arrives as a TypeError that says so", async () => {
    expect(await run("causeInLoop", "map")).toEqual({
      type: "TypeError",
      message: "the cause could not be sent to another thread: JSON cannot carry [object Map]",
    });
    expect(await run("causeInLoop", "gap")).toMatchObject({ type: "TypeError" });
  });

  test("hundreds of causes, one after the other, arrive each at its own context", async () => {
    expect(await run("manyCauses", 300)).toBe(300);
  });

  testsOfBoth();
});

describeInChromium("a page without isolation and its worker, in Chromium", () => {
  servePages(false);

  test("no memory is shared", async () => {
    expect(await run("isolated")).toEqual([false, false]);
  });

  test("a loop does not see that it is cancelled; it is told as soon as it awaits, and the worker goes on", async () => {
    expect(await run("loopIsBlind", "gate")).toEqual({
      inLoop: false,
      after: { value: "enough" },
      next: 2,
    });
  });

  test("a cause is cloned, a Map as a Map", async () => {
    expect(await run("awaits", "awaitDone", "map")).toEqual({ type: "Map", value: [["a", 1]] });
  });

  testsOfBoth();
});
