/** Nothing is left behind by ten thousand calls: no slots, ports, finalizers, timers or listeners. */
import { Worker } from "node:worker_threads";
import * as Comlink from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
// The sources, so that their slots can be counted.
import { register, wrap } from "../../src/comlink/browser.js";
import { slotsInUse } from "../../src/comlink/slots.js";
import { background, type Context, withCancel, withTimeout, withValue } from "../../src/context/index.js";
import { sharedKey } from "../../src/context/keys.js";
import { runScript } from "../support/child.js";
import { collectable } from "../support/memory.js";
import { fixture, threadGate } from "../support/pool.js";
import type { Api } from "../support/remote.js";
import { turn } from "../support/turn.js";

const CALLS = 10_000;
const AT_ONCE = 100;

interface Setting {
  readonly name: string;
  readonly connect: (worker: Worker) => Api;
}

const settings: readonly Setting[] = [
  { name: "wrap", connect: (worker) => wrap(worker) as unknown as Api },
  {
    name: "comlink's own wrap",
    connect(worker) {
      register(Comlink);
      return Comlink.wrap(nodeEndpoint(worker)) as unknown as Api;
    },
  },
];

/** What of the kinds that calls might use keeps this process alive. */
function active(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo())
    if (kind === "MessagePort" || kind === "Worker") counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

describe.each(settings)("$name", ({ name, connect }) => {
  let worker: Worker;
  let remote: Api;
  beforeAll(async () => {
    worker = new Worker(fixture("comlink/exposed.mjs"));
    remote = connect(worker);
    await remote.plain(1);
  });
  afterAll(() => worker.terminate());

  test.each<[string, (parent: Context, n: number) => Promise<unknown>]>([
    [
      "with a context each, cancelled afterwards",
      async (parent) => {
        const [ctx, cancel] = withCancel(parent);
        await remote.look(ctx);
        cancel();
      },
    ],
    [
      "with a deadline and a value each",
      async (parent, n) => {
        const [ctx, cancel] = withTimeout(withValue(parent, sharedKey("test.n"), n), 60_000);
        expect(await remote.value(ctx, "test.n")).toBe(n);
        cancel();
      },
    ],
    ["all with the same context", (parent) => remote.look(parent)],
    [
      "cancelled in the middle, with a cause",
      async (parent, n) => {
        const [ctx, cancel] = withCancel(parent);
        const gate = threadGate(4);
        const waited = remote.wait(ctx, gate.view, "done");
        await gate.entered();
        cancel(`cause ${String(n)}`);
        expect(await waited).toMatchObject({ cause: `cause ${String(n)}` });
      },
    ],
    ["with a context that never ends", () => remote.look(background)],
  ])("%s", { timeout: 120_000 }, async (_, call) => {
    const [parent, cancel] = withCancel(background);
    const before = { active: active(), listeners: worker.listenerCount("message") };
    for (let n = 0; n < CALLS; n += AT_ONCE)
      await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => call(parent, n + i)));
    cancel();
    expect(slotsInUse()).toBe(0);
    await turn();
    expect(active()).toEqual(before.active);
    expect(worker.listenerCount("message")).toBe(before.listeners);
  });

  test("calls that are refused, or cannot be posted, leave no slots, and no ports of what goes by reference", async () => {
    const [over, cancel] = withCancel(background);
    const [live] = withCancel(background);
    cancel();
    const { opened, restore } = watchChannels();
    const fn = (): Comlink.ProxyMarked => Comlink.proxy((() => 1) as never);
    for (let n = 0; n < 100; n++) {
      await remote.look(over, fn()).catch(() => {});
      await remote.look(live, fn(), () => {}).catch(() => {});
    }
    restore();
    await turn();
    await turn();
    // Comlink's own \`wrap\` knows of no end of a call.
    if (name === "wrap") {
      expect(slotsInUse()).toBe(0);
      expect(opened.filter((channel) => !channel.isClosed).length).toBe(0);
    }
    expect(opened.length).toBe(200);
  });

  test("a call that is refused on its arrival leaves no ports of what goes by reference", async () => {
    const gate = threadGate();
    const held = remote.hold(background, gate.view);
    await gate.entered();
    const [ctx, cancel] = withCancel(background);
    const { opened, restore } = watchChannels();
    const behind = remote.look(ctx, Comlink.proxy((() => 1) as never)).catch((error: unknown) => error);
    restore();
    cancel("on its way");
    gate.open();
    await held;
    expect(await behind).toMatchObject({ code: "ABORT_ERR" });
    while (opened.some((channel) => !channel.isClosed)) await turn();
    expect(opened.length).toBe(1);
  });

  test("a context that went along is not held once it has ended", async () => {
    const [parent, cancelParent] = withCancel(background);
    const contexts: WeakRef<Context>[] = [];
    for (let n = 0; n < 50; n++) {
      const [ctx, cancel] = withCancel(parent);
      contexts.push(new WeakRef(ctx));
      await remote.look(ctx);
      cancel();
    }
    const held = (): number => contexts.filter((each) => each.deref() !== undefined).length;
    // The collector may take more than one turn; the last one may lie on the stack.
    for (let round = 0; round < 20 && held() > 1; round++) await collectable(() => ({}));
    expect(held()).toBeLessThanOrEqual(1);
    cancelParent();
  });
});

test("calls through `wrap` register no more finalizers than comlink's own, and all of them go", async () => {
  const { stdout, stderr } = await runScript(
    `
    const counts = { registered: 0, unregistered: 0, run: 0 };
    const Stock = globalThis.FinalizationRegistry;
    globalThis.FinalizationRegistry = class extends Stock {
      constructor(fn) { super((held) => { counts.run++; fn(held); }); }
      register(...args) { counts.registered++; return super.register(...args); }
      unregister(...args) { counts.unregistered++; return super.unregister(...args); }
    };
    const { Worker } = await import("node:worker_threads");
    const { background, withCancel } = await import("lifeguard");
    const { wrap } = await import("lifeguard/comlink");
    const worker = new Worker(new URL(${JSON.stringify(fixture("comlink/exposed.mjs").href)}), { execArgv: [] });
    const remote = wrap(worker);
    const [parent] = withCancel(background);
    await remote.plain(1);
    const start = counts.registered;
    for (let n = 0; n < 10_000; n++) {
      const [ctx, cancel] = withCancel(parent);
      await remote.look(ctx);
      cancel();
    }
    const registered = counts.registered - start;
    for (let round = 0; round < 20; round++) {
      gc();
      await new Promise((resolve) => setImmediate(resolve));
    }
    console.log(JSON.stringify({ registered, left: counts.registered - counts.run }));
    process.exit();
    `,
    ["--expose-gc"],
  );
  expect(stderr).toBe("");
  const { registered, left } = JSON.parse(stdout) as { registered: number; left: number };
  // One for each property access, \`remote.look\`: comlink's.
  expect(registered).toBe(10_000);
  expect(left).toBeLessThanOrEqual(3);
});

test("callbacks of tasks, and actors, leave no ports and no threads", async () => {
  const { stdout, stderr } = await runScript(
    `
    import { queryObjects } from "node:v8";
    import { MessagePort, Worker } from "node:worker_threads";
    import { Pool, background } from "lifeguard";
    import { proxy, spawn } from "lifeguard/comlink";
    const pool = new Pool(new URL(${JSON.stringify(fixture("comlink/tasks.mjs").href)}), { threads: 2 });
    const count = async () => {
      for (let round = 0; round < 20; round++) {
        gc();
        await new Promise((resolve) => setImmediate(resolve));
      }
      return [queryObjects(MessagePort), queryObjects(Worker)];
    };
    let calls = 0;
    const fn = proxy(() => ++calls);
    const some = async (times) => {
      for (let n = 0; n < times; n++) {
        await Promise.all(Array.from({ length: 10 }, () => pool.run(background, "each", 1, fn)));
        const actor = await spawn(background, ${JSON.stringify(fixture("comlink/actor.mjs").href)});
        await actor.plain(1);
        await actor[Symbol.asyncDispose]();
      }
    };
    await some(5);
    const before = await count();
    await some(30);
    const after = await count();
    console.log(JSON.stringify({ calls, ports: after[0] - before[0], workers: after[1] - before[1] }));
    await pool.close();
    `,
    ["--expose-gc", "--disable-warning=ExperimentalWarning"],
  );
  expect(stderr).toBe("");
  const left = JSON.parse(stdout) as { calls: number; ports: number; workers: number };
  expect(left.calls).toBe(350);
  // What is in the hands of the collector, and not one for each.
  expect(left.ports).toBeLessThan(10);
  expect(left.workers).toBeLessThan(5);
});

/** The channels that are opened from now on, and whether they are closed. */
function watchChannels(): { readonly opened: { isClosed: boolean }[]; restore(): void } {
  const opened: { isClosed: boolean }[] = [];
  const { MessageChannel: Stock } = globalThis;
  globalThis.MessageChannel = class extends Stock {
    constructor() {
      super();
      const channel = { isClosed: false };
      opened.push(channel);
      this.port1.addEventListener("close", () => {
        channel.isClosed = true;
      });
    }
  };
  return {
    opened,
    restore() {
      globalThis.MessageChannel = Stock;
    },
  };
}
