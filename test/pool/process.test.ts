/** What a pool does to the life of its process: each in a process of its own. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { runScript } from "../support/child.js";
import { fixture } from "../support/pool.js";

const prelude = `
  import { background, isContextError, Pool, sleep, withCancel, withProcessSignal, withTimeout } from "lifeguard";
  const module = ${JSON.stringify(fixture("tasks.mjs").href)};
  const gate = new Int32Array(new SharedArrayBuffer(128));
  const entered = async () => { while (Atomics.load(gate, 0) === 0) await new Promise((r) => setImmediate(r)); };
`;

describe("a process ends by itself", () => {
  test("with a pool that it never used", async () => {
    const { code, stdout, stderr } = await runScript(`${prelude} new Pool(module); console.log("end");`);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "end\n", stderr: "" });
  });

  test("with a pool that it forgot to close, when the work is done, queued work included", async () => {
    const { code, stdout, stderr } = await runScript(`${prelude}
      const pool = new Pool(module, { threads: 1 });
      for (let i = 0; i < 20; i++) pool.run(background, "add", i, 1).then((sum) => console.log(sum));
    `);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(Array.from({ length: 20 }, (_, i) => `${i + 1}\n`).join(""));
  });

  test("with a pool that has stopped a task hard", async () => {
    const { code, stdout, stderr } = await runScript(`${prelude}
      const pool = new Pool(module, { threads: 1, grace: 1 });
      const [ctx, cancel] = withCancel(background);
      const task = pool.submit(ctx, "spin", [gate]);
      await entered();
      cancel();
      await task.result.catch(() => {});
      console.log(task.outcome);
    `);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "terminated\n", stderr: "" });
  });

  test("with a module that cannot be loaded", async () => {
    const { code, stdout, stderr } = await runScript(`${prelude}
      const pool = new Pool("/nowhere/tasks.mjs");
      await pool.ready().catch((error) => console.log(error.code));
    `);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "ERR_TASK_MODULE\n", stderr: "" });
  });
});

describe("a process goes on", () => {
  test("when its pools are destroyed at any moment of their threads' start", async () => {
    const { code, signal, stdout, stderr } = await runScript(`${prelude}
      const start = () => new Pool(module, { threads: 8, spares: 0 });
      const began = performance.now();
      const first = start();
      await first.ready();
      const took = performance.now() - began;
      await first.destroy();
      for (let i = 0; i < 40; i++) {
        const pool = start();
        await sleep(background, took * Math.random());
        await pool.destroy();
      }
      console.log("end");
    `);
    expect({ code, signal, stdout, stderr }).toEqual({ code: 0, signal: null, stdout: "end\n", stderr: "" });
  });
});

describe("a running task", () => {
  test("keeps the process alive, whatever its deadline's timer does", async () => {
    const { code, stdout } = await runScript(`${prelude}
      const pool = new Pool(module, { threads: 1 });
      const [ctx] = withTimeout(background, 50);
      pool.run(ctx, "neverSettles", gate).catch((error) => console.log(error.message));
    `);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "context deadline exceeded\n" });
  });
});

describe("results nobody listens to", () => {
  test("are no unhandled rejections by way of a cancellation", async () => {
    const { code, stderr } = await runScript(`${prelude}
      const pool = new Pool(module, { threads: 1, grace: 1 });
      const [ctx, cancel] = withCancel(background);
      pool.run(ctx, "spin", gate);
      pool.run(ctx, "add", 1, 2);
      pool.submit(ctx, "add", [1, 2]);
      await entered();
      cancel();
      pool.run(ctx, "add", 1, 2);
    `);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  test.each(["run(background, 'echo', () => 1)", "submit(background, 'echo', [() => 1])"])(
    "are unhandled rejections when the task failed by itself: %s",
    async (call) => {
      const { code, stderr } = await runScript(`${prelude} new Pool(module).${call};`);
      expect(code).toBe(1);
      expect(stderr).toContain("ERR_NOT_CLONEABLE");
    },
  );
});

describe("withProcessSignal", () => {
  /** Runs the script, and sends SIGINT each time it says so. */
  async function interrupted(
    script: string,
  ): Promise<{ code: number | null; signal: string | null; stdout: string }> {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", prelude + script], {
      cwd: fileURLToPath(new URL("../../", import.meta.url)),
      stdio: ["ignore", "pipe", "inherit"],
      timeout: 110_000,
    });
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      for (let i = text.split("SEND").length; i > 1; i--) child.kill("SIGINT");
    });
    return await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => {
        resolve({ code, signal, stdout });
      });
    });
  }

  test("the first signal ends the context, with its name as the cause, and the process goes on", async () => {
    const result = await interrupted(`
      const [ctx] = withProcessSignal(background, "SIGINT");
      console.log("SEND");
      await sleep(ctx, 10_000).catch((error) => console.log(error.code, error.cause));
      console.log(process.listenerCount("SIGINT"));
    `);
    expect(result).toEqual({ code: 0, signal: null, stdout: "SEND\nABORT_ERR SIGINT\n0\n" });
  });

  test("the second one is the system's", async () => {
    const result = await interrupted(`
      const [ctx] = withProcessSignal(background, "SIGINT");
      console.log("SEND");
      await sleep(ctx, 10_000).catch(() => {});
      console.log("SEND");
      await sleep(background, 10_000);
    `);
    expect(result).toEqual({ code: null, signal: "SIGINT", stdout: "SEND\nSEND\n" });
  });

  test("listeners that come later do not find themselves alone during the first one", async () => {
    const result = await interrupted(`
      const [ctx] = withProcessSignal(background, "SIGINT");
      process.once("SIGINT", () => console.log(process.listenerCount("SIGINT")));
      console.log("SEND");
      await sleep(ctx, 10_000).catch(() => {});
    `);
    expect(result).toEqual({ code: 0, signal: null, stdout: "SEND\n1\n" });
  });

  test("does not keep the process alive, and cancel takes the listener off", async () => {
    const { code, stdout } = await runScript(`${prelude}
      const [, cancel] = withProcessSignal(background, "SIGINT", "SIGTERM");
      withProcessSignal(background, "SIGINT");
      console.log(process.listenerCount("SIGINT"), process.listenerCount("SIGTERM"));
      cancel();
      console.log(process.listenerCount("SIGINT"), process.listenerCount("SIGTERM"));
    `);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "2 1\n1 0\n" });
  });
});
