/** Threads that die, and processes that nobody looks after: scripts in Node processes of their own. */
import { describe, expect, test } from "vitest";
import { runScript } from "../support/child.js";
import { outOfMemory } from "../support/nodes.js";
import { fixture } from "../support/pool.js";

const head = `
import { background, Pool, withCancel, withTimeout } from "lifeguard";
const faults = ${JSON.stringify(fixture("faults.mjs").href)};
const tasks = ${JSON.stringify(fixture("tasks.mjs").href)};
const gate = new Int32Array(new SharedArrayBuffer(128));
const entered = async (n = 1) => { while (Atomics.load(gate, 0) < n) await new Promise(setImmediate); };
`;

const ended = { code: 0, signal: null, stderr: "" };

describe("what ends a thread does not end the process", () => {
  for (const name of ["exit", "uncaughtFromTimer", "uncaughtNull", "unhandledRejection"]) {
    test(name, async () => {
      const exit = await runScript(`${head}
        const pool = new Pool(faults, { threads: 1 });
        await pool.run(background, ${JSON.stringify(name)}).catch((error) => console.log(error.code));
        console.log(await pool.run(background, "resolveTwice"));
      `);
      expect(exit).toEqual({ ...ended, stdout: "ERR_WORKER_CRASHED\nfirst\n" });
    });
  }

  test("out of memory", outOfMemory, async () => {
    const exit = await runScript(`${head}
      const pool = new Pool(faults, { threads: 1, resourceLimits: { maxOldGenerationSizeMb: 24 } });
      await pool.run(background, "outOfMemory").catch((error) => console.log(error.code, error.cause.code));
      console.log(await pool.run(background, "resolveTwice"));
    `);
    expect(exit).toMatchObject({
      code: 0,
      signal: null,
      stdout: "ERR_WORKER_CRASHED ERR_WORKER_OUT_OF_MEMORY\nfirst\n",
    });
  });
});

test("a crash that nobody looks at does raise an unhandled rejection", async () => {
  const exit = await runScript(`${head} new Pool(faults, { threads: 1 }).submit(background, "exit", [3]);`);
  expect(exit.code).toBe(1);
  expect(exit.stderr).toContain("ERR_WORKER_CRASHED");
});

test("results that destroy() cancels raise none, whatever becomes of the tasks", async () => {
  const exit = await runScript(`${head}
    const pool = new Pool(tasks, { threads: 2, grace: 0 });
    await pool.ready();
    pool.submit(background, "pollThen", [gate, "throw err"], { grace: Infinity });
    pool.run(background, "hold", gate);
    pool.run(background, "nothing");
    await entered(2);
    await pool.destroy();
    const { stopped, terminated, dropped } = pool.stats().outcomes;
    console.log(stopped, terminated, dropped);
  `);
  expect(exit).toEqual({ ...ended, stdout: "1 1 1\n" });
});

test("a task that awaits keeps the process alive until its deadline, and its pool not any longer", async () => {
  const exit = await runScript(`${head}
    const pool = new Pool(tasks, { threads: 2 });
    await pool.ready();
    const [ctx] = withTimeout(background, 1500);
    pool.run(ctx, "awaitThen", gate, "return", "held").then(console.log);
  `);
  expect(exit).toEqual({ ...ended, stdout: "held\n" });
});
