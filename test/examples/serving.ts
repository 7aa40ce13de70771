/** Servers in a process of their own, and clients that ask them, wait, leave. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import { connect } from "node:net";
import { root } from "./run.js";

/** A server that has said where it is. Whoever starts one stops it: `await using` does. */
export interface Serving {
  readonly url: URL;
  /** The first line like that: one that has been printed, or the one to come. Rejects when the server has ended without. */
  line(like: RegExp | string): Promise<string>;
  /** Every line so far. */
  lines(): string[];
  kill(signal: NodeJS.Signals): void;
  /** How it ended, and what it had to complain about. */
  readonly exit: Promise<{ code: number | null; signal: NodeJS.Signals | null; stderr: string }>;
  [Symbol.asyncDispose](): Promise<void>;
}

const living = new Set<ChildProcess>();

/** For the end of a test file: a test that has timed out disposes of nothing, and its server would count on. */
export function killAll(): void {
  for (const child of living) child.kill("SIGKILL");
}

export async function serve(file: string, ...args: readonly string[]): Promise<Serving> {
  const child = spawn(process.execPath, [file, "--port", "0", ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  living.add(child);
  let stdout = "";
  let stderr = "";
  let look = new Set<() => void>();
  const lookAll = (): void => {
    for (const each of [...look]) each();
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    lookAll();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const exit = ended(child).then(([code, signal]) => ({ code, signal, stderr }));
  let isOver = false;
  void exit.finally(() => {
    isOver = true;
    living.delete(child);
    lookAll();
    look = new Set();
  });

  const lines = (): string[] => stdout.split("\n").slice(0, -1);
  const line = (like: RegExp | string): Promise<string> =>
    new Promise((resolve, reject) => {
      const each = (): void => {
        const found = lines().find((one) => (typeof like === "string" ? one.includes(like) : like.test(one)));
        if (found !== undefined) resolve(found);
        else if (isOver) reject(new Error(`no line like ${String(like)}:\n${stdout}\n${stderr}`));
        else return;
        look.delete(each);
      };
      look.add(each);
      each();
    });

  return {
    url: new URL(await line(/^http:/)),
    line,
    lines,
    kill: (signal) => void child.kill(signal),
    exit,
    async [Symbol.asyncDispose]() {
      if (!isOver) child.kill("SIGKILL");
      await exit;
    },
  };
}

async function ended(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  return (await once(child, "close")) as [number | null, NodeJS.Signals | null];
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Asked {
  /** The trace it belongs to, which the server has in its log. */
  readonly trace: string;
  /** Rejects when the connection breaks, from either end. */
  readonly answer: Promise<Answer>;
  /** The client goes away. */
  leave(): void;
  /** The same without a goodbye, as a machine that is switched off: ECONNRESET. */
  crash(): void;
}

export type Ask = (
  url: URL,
  path: string,
  headers?: Readonly<Record<string, string>>,
  method?: string,
) => Asked;

function traced(headers: Readonly<Record<string, string>> = {}): {
  trace: string;
  headers: Record<string, string>;
} {
  const trace = randomBytes(16).toString("hex");
  return { trace, headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01`, ...headers } };
}

/** On a connection of its own. */
export const askHttp: Ask = (url, path, given, method = "GET") => {
  const { trace, headers } = traced(given);
  const req = http.request(url, { path, method, headers, agent: false });
  const answer = new Promise<Answer>((resolve, reject) => {
    req.on("error", reject);
    req.on("response", (res) => {
      let body = "";
      res.setEncoding("utf8");
      res.on("error", reject);
      res.on("data", (text: string) => {
        body += text;
      });
      res.on("end", () =>
        resolve({ status: res.statusCode ?? 0, headers: res.headers as Record<string, string>, body }),
      );
    });
  });
  answer.catch(() => {}); // who leaves wants none
  req.end();
  return {
    trace,
    answer,
    leave: () => void req.destroy(),
    crash: () => void req.socket?.resetAndDestroy(),
  };
};

/** In a session of its own. */
export const askHttp2: Ask = (url, path, given, method = "GET") => {
  const { trace, headers } = traced(given);
  const session = http2.connect(url);
  const stream = session.request({ ":path": path, ":method": method, ...headers });
  const answer = new Promise<Answer>((resolve, reject) => {
    session.on("error", reject);
    let status = 0;
    let received: Record<string, string> = {};
    let body = "";
    stream.on("response", (all) => {
      status = all[":status"] ?? 0;
      received = all as unknown as Record<string, string>;
    });
    stream.setEncoding("utf8");
    stream.on("error", reject);
    stream.on("data", (text: string) => {
      body += text;
    });
    stream.on("close", () => {
      session.close();
      if (status !== 0 && stream.rstCode === 0) resolve({ status, headers: received, body });
      else reject(new Error(`reset: ${String(stream.rstCode)}`));
    });
  });
  answer.catch(() => {});
  stream.end();
  return {
    trace,
    answer,
    leave: () => stream.close(http2.constants.NGHTTP2_CANCEL),
    crash: () => session.destroy(),
  };
};

/** Resolves when nobody listens there any more. */
export async function refused(url: URL): Promise<void> {
  while (true) {
    const socket = connect(Number(url.port), url.hostname);
    try {
      await once(socket, "connect");
    } catch {
      return;
    } finally {
      socket.destroy();
    }
  }
}

/** A client that is connected and asks for nothing. */
export async function idle(url: URL): Promise<void> {
  const socket = connect(Number(url.port), url.hostname);
  socket.on("error", () => {});
  socket.resume(); // it hears when it is to go
  await once(socket, "connect");
}
