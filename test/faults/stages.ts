/** Where the calls of the matrix are made: a pool, a pool behind a server, an actor. One stage serves many cells, one after the other. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import * as Comlink from "comlink";
import {
  background,
  type Context,
  Group,
  Pool,
  type PoolOptions,
  transfer,
  withCancel,
  withTimeout,
} from "lifeguard";
import { contextOf, spawn } from "lifeguard/comlink";
import { requestContext, respond, type ServerOptions, serverContext } from "lifeguard/http";
import { openableGate } from "../support/gate.js";
import { fixture, threadGate } from "../support/pool.js";
import { type Client, client, get } from "../support/server.js";
import type { EntryName } from "./table.mjs";

/** What the function is told: see fixtures/matrix.mjs. */
interface Order {
  readonly words: Int32Array;
  readonly held: boolean;
  readonly how: string;
  readonly arg?: unknown;
}

interface Wish {
  readonly order: Order;
  /** The task's name, where it is not the one of the fixture. */
  readonly task?: string | undefined;
  /** What moves along with the argument. */
  readonly transfer?: readonly object[] | undefined;
  /** Its deadline, ms. */
  readonly timeout?: number | undefined;
  /** What the call's context is made of, e.g. to give it values. */
  readonly derive: (ctx: Context) => Context;
  /** Of a batch: what comes after its inputs. */
  readonly inputsThrow?: boolean | undefined;
}

export type Settled =
  | { readonly type: "value"; readonly value: unknown }
  | { readonly type: "error"; readonly error: unknown }
  | { readonly type: "nothing" };

export interface Call {
  /** Whose `err()` it gets, if it gets one. */
  readonly ctx: Context;
  readonly settled: Promise<Settled>;
  cancel(cause?: unknown): void;
  /** Its task's, where there is a handle. */
  state?(): string;
  /** Of a group: fails one of its other members, if it has not ended. */
  failSibling?(): void;
  /** Of a batch: its reader goes. */
  leave?(): void;
  /** Of a batch: the input that shares a chunk with this one. */
  readonly mate?: { readonly words: Int32Array; readonly settled: Promise<Settled | undefined> };
  /** Of a request. */
  readonly client?: Client;
  readonly res?: ServerResponse;
  /** What else the entry promises, to be checked once the call has settled. */
  also?(settled: Settled): Promise<void>;
}

export interface Stage extends AsyncDisposable {
  readonly pool: Pool | undefined;
  call(wish: Wish): Promise<Call>;
  /** A call of somebody else's, on the same threads. */
  other(order: Order): Promise<unknown>;
  /** Leaves stray work on a thread, which blocks it until the gate opens. */
  blockLater(words: Int32Array): Promise<unknown>;
  close(): Promise<void>;
  destroy(): Promise<void>;
  /** Releases the proxy: actors only. */
  release?(): void;
}

export interface StageOptions extends PoolOptions {
  readonly module?: string;
}

const noted = (promise: PromiseLike<unknown>): Promise<Settled> =>
  Promise.resolve(promise).then(
    (value) => ({ type: "value", value }) as const,
    (error: unknown) => ({ type: "error", error }) as const,
  );

const argsOf = ({ words, held, how, arg }: Order): unknown[] => [words, held, how, arg];

/** A context of the call's own, which the test can end. */
function contextFor(
  { timeout, derive }: Wish,
  parent: Context = background,
): [Context, (cause?: unknown) => void] {
  const [own, cancel] = timeout === undefined ? withCancel(parent) : withTimeout(parent, timeout);
  return [derive(own), cancel];
}

/** As an argument of `run`, which has no options. */
function marked({ order, transfer: list }: Wish): unknown[] {
  if (list !== undefined) transfer(order.arg as object, list);
  return argsOf(order);
}

export async function open(entry: EntryName, options: StageOptions): Promise<Stage> {
  const { module = "matrix.mjs", ...rest } = options;
  if (entry === "actor")
    return options.module === undefined ? await actorStage(module, rest) : unmadeActorStage(module);
  const pool = new Pool(fixture(module), { threads: 2, spares: 1, ...rest });
  switch (entry) {
    case "run":
      return poolStage(pool, async (wish) => {
        const [ctx, cancel] = contextFor(wish);
        return { ctx, cancel, settled: noted(pool.run(ctx, wish.task ?? "act", ...marked(wish))) };
      });
    case "submit":
      return poolStage(pool, async (wish) => {
        const [ctx, cancel] = contextFor(wish);
        const options = wish.transfer === undefined ? undefined : { transfer: [...wish.transfer] as never[] };
        const task = pool.submit(ctx, wish.task ?? "act", argsOf(wish.order), options);
        return { ctx, cancel, settled: noted(task.result), state: () => task.state };
      });
    case "map":
      return poolStage(pool, async (wish) => callOfBatch(pool, wish));
    case "group":
      return poolStage(pool, async (wish) => callOfGroup(pool, wish));
    case "http":
      return await serverStage(pool);
    default:
      return entry satisfies never;
  }
}

function poolStage(pool: Pool, call: Stage["call"]): Stage {
  return {
    pool,
    call,
    other: (order) => pool.run(background, "act", ...argsOf(order)),
    blockLater: (words) => pool.run(background, "blockLater", words),
    close: () => pool.close(),
    destroy: () => pool.destroy(),
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
}

function callOfBatch(pool: Pool, wish: Wish): Call {
  const [ctx, cancel] = contextFor(wish);
  const words = threadGate().view;
  const inputs: object[] = [wish.order, { words, held: false, how: "number" }];
  if (wish.transfer !== undefined) transfer(wish.order, wish.transfer);
  function* read(): Generator<object> {
    yield* inputs;
    if (wish.inputsThrow === true) throw new RangeError("no more inputs");
  }
  const batch = pool.map(ctx, wish.task === undefined ? "actOn" : wish.task, read() as never, {
    concurrency: 1,
    chunk: 2,
    onError: "settle",
  });
  const reader = batch[Symbol.asyncIterator]();
  const records: Settled[] = [];
  let thrown: Settled | undefined;
  const left = openableGate();
  const read1 = async (): Promise<Settled> => {
    const step = await noted(reader.next());
    if (step.type !== "value") {
      thrown = step;
      return step;
    }
    const { done, value } = step.value as IteratorResult<PromiseSettledResult<unknown>, undefined>;
    if (done === true) return { type: "nothing" };
    const record: Settled =
      value.status === "fulfilled"
        ? { type: "value", value: value.value }
        : { type: "error", error: value.reason };
    records.push(record);
    return record;
  };
  const hasLeft = left.opened.then(() => ({ type: "nothing" }) as const);
  const first = read1();
  const second = first.then(() => (thrown === undefined ? read1() : thrown));
  const third = second.then(() => (thrown === undefined ? read1() : thrown));
  return {
    ctx,
    cancel,
    settled: Promise.race([first, hasLeft]),
    mate: { words, settled: Promise.race([second, hasLeft]) },
    leave: () => {
      // It resolves when what was under way has stopped.
      void reader.return?.().then(() => left.open());
    },
    also: async () => {
      const last = await Promise.race([third, hasLeft]);
      if (wish.inputsThrow === true && ctx.err() === undefined && pool.stats().threads > 0)
        requireThat(
          last.type === "error" && last.error instanceof RangeError,
          "the reader gets what its inputs throw",
        );
      requireThat(records.length <= 2, "a record for each input, and no more");
    },
  };
}

function callOfGroup(pool: Pool, wish: Wish): Call {
  const [ctx, cancel] = contextFor(wish);
  const group = new Group(ctx);
  const sibling = openableGate();
  // Alive as long as the other one: whichever fails first decides.
  void group.go(() => sibling.opened);
  const settled = noted(group.go((inner) => pool.run(inner, wish.task ?? "act", ...marked(wish))));
  const waited = noted(group.wait());
  let hasFailed = false;
  return {
    ctx: group.ctx,
    cancel,
    settled,
    failSibling: () => {
      hasFailed = true;
      sibling.fail(new RangeError("a sibling"));
    },
    also: async (got) => {
      sibling.open();
      const end = await waited;
      if (hasFailed) {
        requireThat(
          end.type === "error" && end.error instanceof RangeError,
          "wait() rejects with the first failure",
        );
      } else if (got.type === "error") {
        requireThat(
          end.type === "error" && Object.is(end.error, got.error),
          "wait() rejects with what its member failed with",
        );
      } else requireThat(end.type === "value", "wait() resolves");
      requireThat(group.ctx.err() !== undefined, "wait() ends the group's context");
    },
  };
}

function requireThat(condition: boolean, promise: string): void {
  if (!condition) throw new Error(`broken: ${promise}`);
}

// ---- requests

interface Planned {
  readonly wish: Wish;
  readonly taken: (call: Omit<Call, "client" | "also">) => void;
}

async function serverStage(pool: Pool): Promise<Stage> {
  const server: Server = createServer();
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  const options: ServerOptions = { pools: [pool] };
  const [base, shutdown] = serverContext(background, server, options);
  const plans = new Map<string, Planned>();
  server.on("request", (req: IncomingMessage, res: ServerResponse) => {
    const { wish, taken } = plans.get(req.url ?? "") as Planned;
    const ofRequest = requestContext(
      base,
      req,
      res,
      wish.timeout === undefined ? {} : { timeout: wish.timeout },
    );
    const [ctx, cancel] = contextFor({ ...wish, timeout: undefined }, ofRequest);
    const result = pool.run(ctx, wish.task ?? "act", ...marked(wish));
    taken({ ctx, cancel, res, settled: noted(result) });
    result.then(
      () => res.end("an answer"),
      (error: unknown) => {
        if (!respond(res, error)) res.writeHead(500).end();
      },
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  let requests = 0;
  return {
    ...poolStage(pool, async (wish) => {
      const path = `/${++requests}`;
      const arrived = new Promise<Omit<Call, "client" | "also">>((taken) => {
        plans.set(path, { wish, taken });
      });
      const visitor = await client(port, get(path));
      const call = await arrived;
      plans.delete(path);
      return { ...call, client: visitor, also: (settled) => answered(visitor, settled) };
    }),
    close: () => shutdown(),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await Promise.all([closed, pool.destroy()]);
    },
  };
}

/** What the client is told, if it is there. */
async function answered(visitor: Client, settled: Settled): Promise<void> {
  if (visitor.socket.destroyed) return;
  const status = Number((await visitor.received(/^HTTP\/1\.1 \d+/)).slice(9, 12));
  const { code } = ((settled.type === "error" ? settled.error : undefined) ?? {}) as {
    readonly code?: unknown;
  };
  const isBusy =
    code === "ABORT_ERR" ||
    code === "ERR_DEADLINE_EXCEEDED" ||
    code === "ERR_POOL_CLOSED" ||
    code === "ERR_QUEUE_FULL";
  const isOwn =
    settled.type === "error" && (settled.error as Error | null)?.message === "not because of the context";
  const wanted = settled.type === "value" ? 200 : isBusy && !isOwn ? 503 : 500;
  requireThat(status === wanted, `the client is told ${String(wanted)}, and was told ${String(status)}`);
}

// ---- actors

type Remote = AsyncDisposable &
  Record<string, (ctx: Context, ...args: readonly unknown[]) => Promise<unknown>>;

/** An actor that never gets so far: the call is the one that would make it. */
function unmadeActorStage(module: string): Stage {
  const unmade = (): never => {
    throw new Error("there is no actor");
  };
  return {
    pool: undefined,
    call: async (wish) => {
      const [ctx, cancel] = contextFor(wish);
      return { ctx, cancel, settled: noted(spawn(ctx, fixture(module))) };
    },
    other: unmade,
    blockLater: unmade,
    close: unmade,
    destroy: unmade,
    async [Symbol.asyncDispose]() {
      // It has failed with its call.
    },
  };
}

async function actorStage(module: string, { grace, resourceLimits }: PoolOptions): Promise<Stage> {
  const remote = (await spawn(background, fixture(module), {
    ...(grace !== undefined && { grace }),
    ...(resourceLimits !== undefined && { resourceLimits }),
  })) as unknown as Remote;
  const dispose = async (): Promise<void> => {
    await remote[Symbol.asyncDispose]();
  };
  return {
    pool: undefined,
    call: async (wish) => {
      const [ctx, cancel] = contextFor(wish);
      const method = wish.task ?? "act";
      const args = argsOf(wish.order);
      if (wish.transfer !== undefined) Comlink.transfer(wish.order.arg, wish.transfer as never[]);
      return { ctx, cancel, settled: noted(remote[method]!(ctx, ...args)) };
    },
    other: (order) => remote.act!(background, ...argsOf(order)),
    blockLater: (words) => remote.blockLater!(background, words),
    close: dispose,
    destroy: dispose,
    release: () => {
      (remote as unknown as Comlink.Remote<object>)[Comlink.releaseProxy]();
    },
    async [Symbol.asyncDispose]() {
      await dispose();
      requireThat(
        contextOf(remote as never).err() !== undefined,
        "an actor that has gone has ended its context",
      );
    },
  };
}
