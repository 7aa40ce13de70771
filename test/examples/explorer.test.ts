import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type Explorer,
  expectToAddUp,
  inside,
  main,
  startExplorer,
  statsOf,
  whenStats,
} from "./explorer-server.js";
import { run } from "./run.js";

const timeout = 120_000;
/** Seconds of work. */
const slow = `${inside}&size=512&detail=8000`;

let explorer: Explorer;

const tile = (query: string, init?: RequestInit) => fetch(`${explorer.url}tile?${query}`, init);
const cancel = (body: unknown) =>
  fetch(`${explorer.url}cancel`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

/** Resolves once so many tiles are running, as the live picture has it. */
async function whenRunning(count: number): Promise<void> {
  const { body } = await fetch(`${explorer.url}live`);
  for await (const event of body!.pipeThrough(new TextDecoderStream()))
    if (event.split('"state":"running"').length > count) return;
}

describe("what the explorer's server refuses", () => {
  beforeAll(async () => {
    explorer = await startExplorer();
  }, timeout);

  afterAll(async () => {
    await explorer.end("SIGTERM");
    expect(explorer.complaints()).toBe("");
  }, timeout);

  test.each([
    ["zoom=41&x=0&y=0", "zoom: expected a whole number from 0 to 40"],
    ["zoom=-1&x=0&y=0", "zoom: expected a whole number from 0 to 40"],
    ["zoom=1.5&x=0&y=0", "zoom: expected a whole number from 0 to 40"],
    ["zoom=1e1&x=0&y=0", "zoom: expected a whole number from 0 to 40"],
    ["zoom=0x2&x=0&y=0", "zoom: expected a whole number from 0 to 40"],
    ["zoom=Infinity&x=0&y=0", "zoom: expected a whole number from 0 to 40"],
    ["x=0&y=0", "zoom: expected a whole number from 0 to 40"],
    ["zoom=&x=0&y=0", "zoom: expected a whole number from 0 to 40"],
    ["zoom=3&x=8&y=0", "x: expected a whole number from 0 to 7"],
    ["zoom=3&x=0&y=99999999999999999999", "y: expected a whole number from 0 to 7"],
    ["zoom=3&x=0", "y: expected a whole number from 0 to 7"],
    [`${inside}&size=100000`, "size: expected one of 128, 256, 512"],
    [`${inside}&size=0`, "size: expected one of 128, 256, 512"],
    [`${inside}&detail=1000000000`, "detail: expected one of 250, 500, 1000, 2000, 4000, 8000"],
    [`${inside}&detail=250.0`, "detail: expected one of 250, 500, 1000, 2000, 4000, 8000"],
    [`${inside}&cancel=maybe`, 'cancel: expected "on" or "off"'],
    [`${inside}&ticket=`, "ticket: expected 1 to 32 letters, digits, _ or -"],
    [`${inside}&ticket=${"a".repeat(33)}`, "ticket: expected 1 to 32 letters, digits, _ or -"],
    [`${inside}&ticket=%3Cb%3E`, "ticket: expected 1 to 32 letters, digits, _ or -"],
    [`${inside}&zoom=5`, "zoom: given more than once"],
    [`${inside}&grace=Infinity`, 'there is no parameter "grace"'],
    [`${inside}&__proto__=1`, 'there is no parameter "__proto__"'],
  ])("%s is refused, with the reason, before there is any work", async (query, reason) => {
    const response = await tile(query);
    expect(response.status).toBe(400);
    expect(await response.text()).toBe(reason);
    expect((await statsOf(explorer)).submitted).toBe(0);
  });

  test.each([
    ["{", 400],
    ["null", 400],
    ["{}", 400],
    ['{"ticket":7}', 400],
    ['{"ticket":"a","what":"server"}', 400],
    ['{"ticket":"a"}', 404],
    [`{"ticket":"${"a".repeat(300)}"}`, 413],
  ])("what cannot be cancelled is refused: %s", async (body, status) => {
    expect((await cancel(body)).status).toBe(status);
  });

  test.each([
    ["GET", "nothing", 404],
    ["GET", "main.mjs", 404],
    ["GET", "tsconfig.json", 404],
    ["GET", "..%2fmain.mjs", 404],
    ["GET", "%2e%2e/%2e%2e/package.json", 404],
    ["GET", "page/index.html", 404],
    ["GET", "__proto__", 404],
    ["GET", "%00", 404],
    ["POST", "", 405],
    ["POST", `tile?${inside}`, 405],
    ["GET", "cancel", 405],
    ["DELETE", "live", 405],
  ])("%s /%s is answered with %i", async (method, path, status) => {
    const response = await fetch(`${explorer.url}${path}`, { method });
    expect(response.status).toBe(status);
  });

  test("the page comes with its types, and lets in nothing from elsewhere", async () => {
    for (const [path, type] of [
      ["", "text/html"],
      ["style.css", "text/css"],
      ["main.js", "text/javascript"],
    ]) {
      const { status, headers } = await fetch(`${explorer.url}${path}`);
      expect(status).toBe(200);
      expect(headers.get("Content-Type")).toBe(`${type}; charset=utf-8`);
      expect(headers.get("Content-Security-Policy")).toContain("default-src 'none'");
    }
  });

  test.each([
    [undefined, 415],
    ["text/plain", 415],
    ["text/plain; application/json", 415],
    ["application/jsonp", 415],
    ["application/json", 404],
    ["application/json; charset=utf-8", 404],
    ["Application/JSON ;charset=UTF-8", 404],
  ])(
    "a body of the type %j is answered with %i: only JSON is read, with parameters or without",
    async (type, status) => {
      const headers: Record<string, string> = type === undefined ? {} : { "Content-Type": type };
      const init = { method: "POST", headers, body: '{"ticket":"a"}' };
      expect((await fetch(`${explorer.url}cancel`, init)).status).toBe(status);
    },
  );

  test.each([
    ["GET /../../package.json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", " 404 "],
    ["GET //:0 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", " 400 "],
    ["nonsense\r\n\r\n", " 400 "],
  ])("%j does no harm", async (bytes, answer) => {
    const socket = connect(Number(new URL(explorer.url).port), "127.0.0.1");
    socket.write(bytes);
    expect(await text(socket)).toContain(answer);
    expect((await fetch(explorer.url)).status).toBe(200);
  });
});

describe("the explorer's server", () => {
  beforeEach(async () => {
    explorer = await startExplorer();
  }, timeout);

  afterEach(async () => {
    await explorer.end("SIGTERM");
    expect(explorer.complaints()).toBe("");
  }, timeout);

  test(
    "a tile has two bytes for each pixel: 0 within the set, and how far it is outside",
    async () => {
      const within = await tile(`${inside}&size=128&detail=250`);
      expect(within.headers.get("Cache-Control")).toBe("no-store");
      const zeros = new Uint16Array(await within.arrayBuffer());
      expect(zeros).toHaveLength(128 * 128);
      expect(zeros.every((value) => value === 0)).toBe(true);

      const whole = new Uint16Array(await (await tile("zoom=0&x=0&y=0&size=128&detail=250")).arrayBuffer());
      const at = (x: number, y: number) => whole[y * 128 + x] ?? 0;
      expect(at(64, 64)).toBe(0); // -0.75 + 0 i, or nearly
      expect(at(0, 0)).toBeGreaterThan(0);
      expect(at(16, 64)).toBeGreaterThan(at(2, 64)); // nearer to the tip of the set
      // Above and below are the same.
      for (let y = 0; y < 64; y++) for (let x = 0; x < 128; x++) expect(at(x, y)).toBe(at(x, 127 - y));
    },
    timeout,
  );

  test(
    "a client that leaves stops its task, running or waiting",
    async () => {
      const [running, waiting] = [new AbortController(), new AbortController()];
      const asked = (i: number, { signal }: AbortController) => {
        const answer = tile(`${slow}&ticket=t${i}`, { signal });
        answer.catch(() => {}); // expected below
        return answer;
      };
      const answers = [asked(1, running), asked(2, running)];
      await whenRunning(2); // there are two threads
      answers.push(asked(3, waiting), asked(4, waiting));
      await whenStats(explorer, ({ live }) => live === 4);
      waiting.abort();
      await whenStats(explorer, ({ outcomes }) => outcomes.dropped === 2);
      running.abort();
      for (const answer of answers) await expect(answer).rejects.toThrow("aborted");
      const stats = await whenStats(explorer, ({ live }) => live === 0);
      const { stopped = 0, dropped = 0, terminated = 0 } = stats.outcomes;
      expect(stopped + dropped + terminated).toBe(4);
      expect(dropped).toBe(2);
      // Those that waited are not among the times: there was nothing to stop.
      expect(stats.on).toMatchObject({ left: 4, running: 2 });
      // Long before they would have been done, or out of time.
      expect(stats.on.p95).toBeLessThan(5000);
      expectToAddUp(stats);
    },
    timeout,
  );

  test(
    "with cancellation off a client may leave: its task runs to the end, for nobody",
    async () => {
      const leaving = new AbortController();
      const query = `${inside}&detail=8000&cancel=off`;
      const answers = [1, 2, 3].map(() => tile(query, { signal: leaving.signal }));
      await whenStats(explorer, ({ live }) => live === 3);
      leaving.abort();
      await Promise.allSettled(answers);
      const stats = await whenStats(explorer, ({ live }) => live === 0);
      expect(stats.outcomes).toEqual({ completed: 3 });
      expect(stats.off.left).toBe(3);
      expect(stats.off.running).toBeLessThanOrEqual(2); // the third was still to begin
      expect(stats.off.wasted).toBeGreaterThan(0);
    },
    timeout,
  );

  test.each(["request", "task"])(
    "a %s is cancelled by hand",
    async (what) => {
      const answer = tile(`${slow}&ticket=mine`);
      await whenStats(explorer, ({ live }) => live === 1);
      expect((await tile(`${inside}&ticket=mine`)).status).toBe(409);
      expect(await (await cancel({ ticket: "mine", what })).json()).toEqual({ cancelled: "mine" });
      const response = await answer;
      expect(response.status).toBe(410);
      expect(await response.text()).toBe("cancelled by hand");
      expectToAddUp(await whenStats(explorer, ({ live }) => live === 0));
      expect((await cancel({ ticket: "mine", what })).status).toBe(404);
    },
    timeout,
  );

  test(
    "more than can wait is turned away with a time to come back, and computed then",
    async () => {
      const leaving = new AbortController();
      const answers = Array.from({ length: 60 }, () => tile(slow, { signal: leaving.signal }));
      for (const answer of answers) answer.catch(() => undefined);
      const refused = await Promise.race(
        answers.map(async (answer) => {
          const response = await answer;
          if (response.status !== 503) await new Promise(() => undefined);
          return response;
        }),
      );
      expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(0);
      leaving.abort();
      const stats = await whenStats(explorer, ({ live }) => live === 0);
      expect(stats.refused).toBeGreaterThan(0);
      expectToAddUp(stats);
      expect((await tile(`${inside}&detail=250`)).status).toBe(200);
    },
    timeout,
  );

  test(
    "the live picture begins with what there is, and tells what ends",
    async () => {
      const aborter = new AbortController();
      const response = await fetch(`${explorer.url}live`, { signal: aborter.signal });
      expect(response.headers.get("Content-Type")).toBe("text/event-stream");
      let told = "";
      const reading = (async () => {
        for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) told += chunk;
      })();
      await (await tile(`${inside}&ticket=seen`)).arrayBuffer();
      await expect.poll(() => told, { timeout }).toContain('"outcome":"completed"');
      const events = told
        .split("\n\n")
        .slice(0, -1)
        .map((event) => JSON.parse(event.slice(6)) as { ended: { ticket: string }[] });
      expect(events.flatMap(({ ended }) => ended).map(({ ticket }) => ticket)).toEqual(["seen"]);
      aborter.abort();
      await expect(reading).rejects.toThrow("aborted");
    },
    timeout,
  );

  test(
    "a connection that is reset in the middle of a tile does no harm",
    async () => {
      const socket = connect(Number(new URL(explorer.url).port), "127.0.0.1");
      socket.write(`GET /tile?${slow} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await whenStats(explorer, ({ live }) => live === 1);
      socket.resetAndDestroy();
      expectToAddUp(await whenStats(explorer, ({ live }) => live === 0));
    },
    timeout,
  );
});

describe.skipIf(process.platform === "win32")("the explorer's end", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 0],
  ] as const)(
    "%s while tiles are computed, and somebody looks on: exit code %i, nothing on stderr",
    async (signal, code) => {
      const explorer = await startExplorer();
      const looking = await fetch(`${explorer.url}live`);
      const [quick, ...others] = [
        "detail=250",
        "size=512&detail=8000&cancel=off",
        ...Array.from({ length: 8 }, () => "size=512&detail=8000"),
      ].map((query) => fetch(`${explorer.url}tile?${inside}&${query}`));
      await whenStats(explorer, ({ submitted }) => submitted === 10);
      const ended = explorer.end(signal);
      expect((await quick!).status).toBe(200);
      for (const { status } of await Promise.all(others)) expect([200, 503]).toContain(status);
      // Ended, not cut off: that would reject.
      expect(await looking.text()).toMatch(/\n\n$/);
      expect(await ended).toEqual([code, null]);
      expect(explorer.complaints()).toBe("");
    },
    timeout,
  );

  test(
    "a reader that goes away, such as `head`, does not end it",
    async () => {
      const explorer = await startExplorer();
      explorer.child.stdout!.destroy();
      await once(explorer.child.stdout!, "close");
      expect((await fetch(explorer.url)).status).toBe(200);
      expect(await explorer.end("SIGINT")).toEqual([130, null]);
      expect(explorer.complaints()).toBe("");
    },
    timeout,
  );
});

describe("the explorer's command line", () => {
  test.each([["--help"], ["-h"]])("%s tells the options", async (option) => {
    const { code, stdout, stderr } = await run(main, [option]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const each of ["--port", "--threads", "--help"]) expect(stdout).toContain(each);
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  test.each([
    [["--port", "many"], '--port: expected a whole number from 0 to 65535, got "many"'],
    [["--port=65536"], '--port: expected a whole number from 0 to 65535, got "65536"'],
    [["--threads", "0"], '--threads: expected a whole number from 1 to 64, got "0"'],
    [["--threads=1.5"], '--threads: expected a whole number from 1 to 64, got "1.5"'],
    [["--speed"], "Unknown option '--speed'"],
    [["fast"], "Unexpected argument 'fast'"],
  ])("%j is refused, with the reason", async (args, reason) => {
    const { code, stdout, stderr } = await run(main, args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.split("\n")[0]).toBe(`explorer: ${reason}`);
    expect(stderr).toContain("--help");
    expect(stderr).not.toContain("    at ");
  });

  test("a port that is taken is refused, with the reason", async () => {
    const explorer = await startExplorer();
    const { code, stdout, stderr } = await run(main, ["--port", new URL(explorer.url).port]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^explorer: --port: .*EADDRINUSE/);
    await explorer.end("SIGTERM");
  });
});
