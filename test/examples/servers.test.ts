/** One server per framework, each with the real one: they keep the same promises. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "./run.js";
import { type Ask, askHttp, askHttp2, idle, killAll, refused, type Serving, serve } from "./serving.js";

const folder = "examples/servers/";
const servers: [file: string, ask: Ask][] = [
  ["http.mjs", askHttp],
  ["http2.mjs", askHttp2],
  ["express.mjs", askHttp],
  ["fastify.mjs", askHttp],
  ["koa.mjs", askHttp],
  ["hono.mjs", askHttp],
];

/** Real processes, on cores that may be busy otherwise, too. */
const timeout = 120_000;
/** More than can be counted before a test is over. */
const endless = "/primes?below=99999999";
/** A second or two of work. */
const long = "/primes?below=4000000";
const manyPrimes = 283_146;

afterAll(killAll);

const isPosix = process.platform !== "win32";

describe.each(servers)("examples/servers/%s", (name, ask) => {
  const file = folder + name;

  describe("with one thread and one place in its queue", () => {
    let server: Serving;

    beforeAll(async () => {
      server = await serve(file, "--threads", "1", "--queue", "1", "--timeout", String(timeout));
    }, timeout);

    afterAll(async () => {
      server.kill("SIGTERM");
      // Whatever the tests did, it has printed no error; nor does an end without work take any time.
      expect(await server.exit).toEqual(isPosix ? { code: 0, signal: null, stderr: "" } : expect.anything());
    }, timeout);

    test("answers", async () => {
      const { trace, answer } = ask(server.url, "/primes?below=100000");
      const { status, headers, body } = await answer;
      expect(status).toBe(200);
      expect(headers["content-type"]).toMatch(/^application\/json\b/);
      expect(JSON.parse(body)).toEqual({ below: 100_000, count: 9592 });
      // Written by the thread, with the trace id that the client has sent.
      await server.line(`${trace} counting the primes below 100000`);
      await server.line(`${trace} there are 9592`);
    });

    test.each(["leave", "crash"] as const)(
      "a client that goes away (%s) in the middle of a long count ends it, and the thread is there for the next",
      async (goes) => {
        const asked = ask(server.url, endless);
        await server.line(`${asked.trace} counting`);
        asked[goes]();
        await server.line(`${asked.trace} stopped: client disconnected`);
        await expect(asked.answer).rejects.toThrow();
        expect(await ask(server.url, "/primes?below=10").answer).toMatchObject({ status: 200 });
      },
      timeout,
    );

    test(
      "when its queue is full, the next request is turned away at once; who waits and leaves is never counted for",
      async () => {
        const running = ask(server.url, endless);
        await server.line(`${running.trace} counting`);
        // One of them waits. It is the other one that is answered, long before the first one is done.
        const others = [ask(server.url, endless), ask(server.url, endless)];
        const { status, headers } = await Promise.race(others.map((other) => other.answer));
        expect(status).toBe(503);
        expect(Number(headers["retry-after"])).toBeGreaterThan(0);
        for (const other of others) other.leave();
        running.leave();
        await server.line(`${running.trace} stopped: client disconnected`);
        const last = ask(server.url, "/primes?below=11");
        expect(JSON.parse((await last.answer).body)).toEqual({ below: 11, count: 4 });
        await server.line(`${last.trace} there are 4`);
        const traces = others.map((other) => other.trace);
        expect(server.lines().filter((line) => traces.some((trace) => line.startsWith(trace)))).toEqual([]);
      },
      timeout,
    );

    test(
      "a caller with less time than the server would give has its answer when that is over",
      async () => {
        const { trace, answer } = ask(server.url, endless, { "x-request-timeout-ms": "100" });
        const { status, headers } = await answer;
        expect(status).toBe(503);
        expect(headers["retry-after"]).toBe("1");
        await server.line(`${trace} stopped: request timed out`);
      },
      timeout,
    );

    test.each([
      [121, "garbage"],
      [122, `00-${"0".repeat(32)}-00f067aa0ba902b7-01`],
      [123, `00-${"f".repeat(31)}-00f067aa0ba902b7-01`],
    ])("a traceparent that is none is ignored: %i, %j", async (below, traceparent) => {
      const { status } = await ask(server.url, `/primes?below=${below}`, { traceparent }).answer;
      expect(status).toBe(200);
      const line = await server.line(` counting the primes below ${below}`);
      expect(line).toMatch(/^[\da-f]{32} counting/);
      expect(traceparent).not.toContain(line.slice(0, 32));
    });

    test.each(["", "?below=", "?below=many", "?below=-1", "?below=1.5", "?below=100000000", "?most=10"])(
      "/primes%s is refused: 400, and no thread hears of it",
      async (query) => {
        const { trace, answer } = ask(server.url, `/primes${query}`);
        const { status, body } = await answer;
        expect(status).toBe(400);
        expect(body).toContain("below");
        expect(server.lines().filter((line) => line.startsWith(trace))).toEqual([]);
      },
    );

    test.each([
      ["GET", "/"],
      ["GET", "/prime?below=10"],
      ["GET", "//"],
      ["POST", "/primes?below=10"],
    ])("%s %s: 404", async (method, path) => {
      expect(await ask(server.url, path, {}, method).answer).toMatchObject({ status: 404 });
    });

    test("a port that is taken is refused, with the reason", async () => {
      const { code, stdout, stderr } = await run(file, ["--port", server.url.port]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(
        new RegExp(`^${name}: listen EADDRINUSE.*\\nTry: node examples/servers/${name} --help\\n$`),
      );
    });
  });

  test(
    "a request that would be answered too late is turned away at once, though the queue has room",
    async () => {
      await using server = await serve(file, "--threads", "1", "--timeout", String(timeout));
      // By this it goes, how long the next ones are expected to take: some 0.2 s.
      await ask(server.url, "/primes?below=1000000").answer;
      const running = ask(server.url, endless);
      await server.line(`${running.trace} counting`);
      const { status, headers, body } = await ask(server.url, endless, { "x-request-timeout-ms": "30" })
        .answer;
      expect({ status, body }).toEqual({ status: 503, body: "The server is busy: try again later.\n" });
      expect(Number(headers["retry-after"])).toBeGreaterThan(0);
      running.leave();
    },
    timeout,
  );

  test(
    "--timeout is what a request has: after that it is given up, and the client may try again",
    async () => {
      await using server = await serve(file, "--timeout", "100");
      const { trace, answer } = ask(server.url, endless, { "x-request-timeout-ms": "86400000" });
      const { status, headers } = await answer;
      expect(status).toBe(503);
      expect(headers["retry-after"]).toBe("1");
      await server.line(`${trace} stopped: request timed out`);
    },
    timeout,
  );

  test.runIf(isPosix)(
    "SIGTERM while it counts: no more connections, but the answer; then it ends with 0 and nothing to complain about",
    async () => {
      await using server = await serve(file, "--timeout", String(timeout), "--drain", String(timeout));
      await idle(server.url);
      const asked = ask(server.url, long);
      await server.line(`${asked.trace} counting`);
      server.kill("SIGTERM");
      await server.line("SIGTERM");
      await refused(server.url);
      expect(JSON.parse((await asked.answer).body)).toEqual({ below: 4_000_000, count: manyPrimes });
      expect(await server.exit).toEqual({ code: 0, signal: null, stderr: "" });
      expect(server.lines().slice(1)).toEqual([
        `${asked.trace} counting the primes below 4000000`,
        "SIGTERM: what is under way is answered first",
        `${asked.trace} there are ${manyPrimes}`,
      ]);
    },
    timeout,
  );

  test.runIf(isPosix)(
    "SIGINT while it counts for longer than --drain: the client is sent elsewhere, and the exit code is 130",
    async () => {
      await using server = await serve(file, "--timeout", String(timeout), "--drain", "100");
      const asked = ask(server.url, endless);
      await server.line(`${asked.trace} counting`);
      server.kill("SIGINT");
      const { status, headers } = await asked.answer;
      expect(status).toBe(503);
      expect(headers["retry-after"]).toBe("1");
      expect(await server.exit).toEqual({ code: 130, signal: null, stderr: "" });
      expect(server.lines().at(-1)).toBe(`${asked.trace} stopped: server closing`);
    },
    timeout,
  );

  test.each(["--help", "-h"])("%s tells the options", async (option) => {
    const { code, stdout, stderr } = await run(file, [option]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^Usage: node examples/servers/${name} `));
    for (const each of ["--port", "--timeout", "--threads", "--queue", "--drain", "--help"])
      expect(stdout).toContain(each);
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  test("an option it does not know is refused, with the reason", async () => {
    const { code, stdout, stderr } = await run(file, ["--speed", "11"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe(`${name}: Unknown option '--speed'\nTry: node examples/servers/${name} --help\n`);
  });
});

test.each([
  [["--port", "many"], '--port: expected a whole number from 0 to 65535, got "many"'],
  [["--port=65536"], '--port: expected a whole number from 0 to 65535, got "65536"'],
  [["--timeout", "0"], '--timeout: expected a whole number from 1 to 86400000, got "0"'],
  [["--threads", "0.5"], '--threads: expected a whole number from 1 to 1000, got "0.5"'],
  [["--queue", "-1"], "Option '--queue' argument is ambiguous"],
  [["--drain="], '--drain: expected a whole number from 0 to 86400000, got ""'],
  [["fast"], "Unexpected argument 'fast'"],
])("%j is refused, with the reason", async (args, reason) => {
  const { code, stdout, stderr } = await run(`${folder}http.mjs`, args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr.split("\n")[0]).toBe(`http.mjs: ${reason}`);
});
