/** A server as a process: what keeps it alive, and how it ends. */
import { describe, expect, test } from "vitest";
import { runScript } from "../support/child.js";

const timeout = 30_000;

/** A server with a pool. It asks itself, and ends as `end` says. */
const serverThat = (end: string, options = "{ pools: [pool] }") => `
  import { once } from "node:events";
  import { createServer } from "node:http";
  import { background, cause, Pool, withProcessSignal, withTimeout } from "lifeguard";
  import { requestContext, respond, serverContext } from "lifeguard/http";
  const pool = new Pool(new URL("./test/fixtures/tasks.mjs", "file://" + process.cwd() + "/"), { threads: 1 });
  const gate = new Int32Array(new SharedArrayBuffer(128));
  const server = createServer(async (req, res) => {
    const ctx = requestContext(base, req, res);
    try {
      const how = req.url === "/never" ? ["spin", gate] : ["add", 1, 2];
      const result = pool.run(ctx, ...how);
      res.end(String(await result));
    } catch (error) {
      if (!respond(res, error)) throw error;
    }
  });
  const [base, shutdown] = serverContext(background, server, ${options});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = "http://127.0.0.1:" + server.address().port;
  const [stop] = withProcessSignal(background, "SIGTERM");
  console.log(await (await fetch(url)).text());
  ${end}
`;

describe("a server that is shut down", () => {
  test.skipIf(process.platform === "win32")(
    "on SIGTERM ends by itself, with 0",
    async () => {
      const { code, signal, stdout, stderr } = await runScript(
        serverThat(`
          process.kill(process.pid, "SIGTERM");
          await stop.done();
          await shutdown();
          console.log(cause(base).message, pool.stats().threads);
        `),
      );
      expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
      expect(stdout).toBe("3\nserver closing 0\n");
    },
    timeout,
  );

  test(
    "with a task that never stops, and a client that never leaves: the task is stopped hard, the client told",
    async () => {
      const { code, signal, stdout, stderr } = await runScript(
        serverThat(`
          const answer = fetch(url + "/never").then(async (response) => {
            console.log(response.status, response.headers.get("Retry-After"), await response.text());
          });
          const entered = () => new Promise((resolve) => setImmediate(resolve));
          while (Atomics.load(gate, 0) === 0) await entered();
          const [patience] = withTimeout(background, 1);
          await shutdown(patience);
          await answer;
          console.log(pool.stats().outcomes.terminated);
        `),
      );
      expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
      expect(stdout).toBe("3\n503 1 The server is closing: try again.\n\n1\n");
    },
    timeout,
  );

  test(
    "that nobody shuts down, and that does not listen any more, ends by itself too",
    async () => {
      const { code, signal, stdout } = await runScript(
        serverThat("server.close(); server.closeAllConnections();"),
      );
      expect({ code, signal }).toEqual({ code: 0, signal: null });
      expect(stdout).toBe("3\n");
    },
    timeout,
  );
});

test("a client that leaves does not end a process that has no listener for its errors", async () => {
  const { code, signal, stderr, stdout } = await runScript(
    serverThat(`
      const { connect } = await import("node:net");
      for (const how of ["end", "destroy", "resetAndDestroy"]) {
        const socket = connect(server.address().port, "127.0.0.1");
        await once(socket, "connect");
        socket.on("error", () => {});
        const arrived = once(server, "request");
        socket.write("POST /never HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 10\\r\\n\\r\\nabc");
        const [, res] = await arrived;
        socket[how]();
        await new Promise((resolve) => res.on("close", resolve));
      }
      await shutdown();
      const { stopped, terminated, dropped } = pool.stats().outcomes;
      console.log(stopped + terminated + dropped);
    `),
  );
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
  expect(stdout).toBe("3\n3\n");
});
