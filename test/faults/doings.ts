/** How each fault of the table is brought about, and how what comes of it is told from something else. */
import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as Comlink from "comlink";
import { background, type Context, remaining, sharedKey, withValue } from "lifeguard";
import { proxy } from "lifeguard/comlink";
import { expect, onTestFinished } from "vitest";
import { until } from "../support/pool.js";
import type { Call, Stage, StageOptions } from "./stages.js";
import type { EntryName, FaultName, State } from "./table.mjs";
import { endThread, loseTheOrder, toldToEnd } from "./threads.js";

/** What a fault finds. */
export interface Scene {
  readonly entry: EntryName;
  readonly state: State;
  readonly stage: Stage;
  readonly call: Call;
  /** The call's own, see fixtures/matrix.mjs. */
  readonly words: Int32Array;
  /** Of what holds the thread that the call waits for. */
  readonly front: Int32Array | undefined;
}

interface Given {
  readonly arg: unknown;
  readonly transfer?: readonly object[];
}

/** What is not said here is as of a call that returns. */
export interface Doing {
  /** What the function does once it is let go: fixtures/matrix.mjs. */
  readonly how?: string;
  /** It does that at once, where its context is not to end first: the fault comes upon it in the middle. */
  readonly isAtIt?: boolean;
  readonly task?: string;
  readonly give?: (entry: EntryName) => Given;
  readonly derive?: (ctx: Context) => Context;
  readonly inputsThrow?: boolean;
  /** Its context has one; what it has to leave time for is tried again with a longer one. */
  readonly deadline?: "passes" | "has passed";
  /** The stage that it needs. */
  readonly stage?: StageOptions;
  /** Its thread does not come through it: an actor does not either. */
  readonly kills?: boolean;
  /** Nor does any other stage. */
  readonly usesUp?: boolean;
  /** Where nobody else can be at work: the stage does not get so far. */
  readonly isAlone?: boolean;
  /** The call is made when the stage is closing already. */
  readonly comesLate?: boolean;
  /** Once the call is in its state. */
  readonly strike?: (scene: Scene) => void | Promise<void>;
  /** In the same turn of the event loop in which the function has been let go. */
  readonly meanwhile?: (scene: Scene) => void;
  /** Once the function has told that it is at it. */
  readonly afterwards?: (scene: Scene) => void | Promise<void>;
  /** Of a request: its client is told nothing any more. */
  readonly isCutOff?: boolean;
  /** Its own value or error. */
  readonly check?: (got: unknown) => void;
  /** What nobody has caught in the caller's thread, as it should be. */
  readonly uncaught?: readonly RegExp[];
}

/** The context of the call ends, in the entry's own way. */
export async function end({ call, entry }: Scene): Promise<void> {
  if (entry === "http") call.client!.socket.destroy();
  else call.cancel("the first cause");
  await call.ctx.done();
}

const cancelWith =
  (cause: () => unknown) =>
  async ({ call }: Scene): Promise<void> => {
    call.cancel(cause());
    await call.ctx.done();
  };

/** Then it is over: nothing else would end it. An actor that is disposed of ends it by itself. */
const endIt = async (scene: Scene): Promise<void> => {
  if (scene.entry === "actor" && scene.state === "closing") return;
  if (scene.call.ctx.err() === undefined) await end(scene);
};

const short: StageOptions = { grace: 10 };
const stays = (how: string, stage: StageOptions = short): Doing => ({
  how,
  stage,
  kills: true,
  afterwards: endIt,
});

const error =
  (message: string | RegExp, fields: object = {}) =>
  (got: unknown): void => {
    expect(got).toBeInstanceOf(Error);
    expect((got as Error).message).toMatch(message);
    expect(got).toMatchObject(fields);
  };

const own = error("too much", {
  name: "QuotaError",
  code: "E_QUOTA",
  limit: 5,
  cause: { message: "because" },
});

/** A value that nothing can be asked about. */
function hostile(): object {
  const refuse = (): never => {
    throw new Error("no questions");
  };
  return new Proxy({}, { get: refuse, getPrototypeOf: refuse, ownKeys: refuse, has: refuse });
}

/** A named pipe: whoever reads it is in native code until `release`. */
function pipe(): { readonly path: string; release(): void } {
  const directory = mkdtempSync(join(tmpdir(), "lifeguard-test-"));
  const path = join(directory, "fifo");
  execFileSync("/usr/bin/env", ["mkfifo", path]);
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return {
    path,
    release() {
      // It fails as long as nobody reads.
      try {
        closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
      } catch {}
    },
  };
}

function blockUntil(condition: () => boolean): void {
  while (!condition());
}

const listenerThrows = (scene: Scene): Promise<void> => {
  scene.call.ctx.signal.addEventListener("abort", () => {
    throw new RangeError("a listener of the caller's");
  });
  return end(scene);
};

/** The request is over, in one way or the other. */
const onTheWire = (how: (call: Call) => void): Doing => ({
  how: "poll",
  isAtIt: true,
  isCutOff: true,
  strike: async ({ call, state }) => {
    how(call);
    // Where the context has ended before, there is nothing to be seen of it.
    if (state !== "stopping") await call.ctx.done();
  },
});

let fifo: ReturnType<typeof pipe> | undefined;

export const doings: Readonly<Record<FaultName, Doing>> = {
  "throws an error with code, cause and fields": { how: "throwOwnClass", check: own },
  "rejects with one": { how: "rejectOwnClass", check: own },
  "throws null": { how: "throwNull", check: (got) => expect(got).toBeNull() },
  "throws undefined": { how: "throwUndefined", check: (got) => expect(got).toBeUndefined() },
  "throws a function": { how: "throwFunction", check: error(/could not be cloned/) },
  "throws a Proxy whose traps throw": {
    how: "throwHostile",
    // The second is comlink's.
    check: error(/could not be cloned|Unserializable/),
  },
  "throws an error whose fields cannot be read": { how: "throwHostileGetters", check: error("") },
  "throws an error whose cause cannot be cloned": { how: "throwUncloneableCause", check: error("outer") },
  "throws an error that is its own cause": { how: "throwCycle", check: error("goes round") },
  "throws an abort error of somebody else's": {
    how: "throwAbort",
    check: error("not because of the context", { name: "AbortError", code: "ABORT_ERR" }),
  },
  "overflows the stack": { how: "overflowStack", check: error(/call stack/) },
  "calls back, and the callback throws": {
    how: "callBack",
    give: (entry) => {
      const callback = (): never => {
        throw Object.assign(new RangeError("from the callback"), { code: "E_CALLBACK" });
      };
      return { arg: entry === "actor" ? Comlink.proxy(callback) : proxy(callback) };
    },
    check: error("from the callback", { code: "E_CALLBACK" }),
  },

  "returns a function": { how: "returnFunction" },
  "returns an object whose getter throws": { how: "returnHostileGetter" },
  "returns its context": { how: "returnContext" },
  "transfers a buffer that is detached": { how: "detached" },
  "returns a thenable whose `then` throws": { how: "thenGetterThrows", check: error("from then") },
  "returns a thenable that rejects, then resolves": { how: "rejectThenResolve", check: error("first") },
  "returns a thenable that resolves, then throws": {
    how: "throwAfterResolve",
    check: (got) => expect(got).toBe("first"),
  },
  "returns late, having never looked at its context": {},
  "returns, and the caller's event loop is blocked": {
    how: "tellAndReturn",
    meanwhile: ({ words }) => blockUntil(() => Atomics.load(words, 2) !== 0),
  },

  "calls process.exit": { how: "exit", kills: true },
  "throws from a timer": { how: "uncaughtFromTimer", kills: true },
  "throws from a timer what cannot be looked at": { how: "uncaughtHostile", kills: true },
  "leaves a rejection unhandled": { how: "unhandledRejection", kills: true },
  "runs out of memory": {
    how: "outOfMemory",
    stage: { resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 } },
    kills: true,
  },
  "returns, and what it left behind throws": {
    how: "strayThrow",
    kills: true,
    check: (got) => expect(got).toBe(7),
  },
  "breaks what its thread does after it": { how: "breakThread", check: (got) => expect(got).toBe(7) },
  "is on a thread that somebody else ends": {
    kills: true,
    strike: ({ words, front }) => endThread(front ?? words),
  },
  "is on a thread that somebody else ends, with arguments that have moved along": {
    kills: true,
    give: () => {
      const bytes = new Uint8Array(8);
      return { arg: bytes, transfer: [bytes.buffer] };
    },
    strike: ({ front }) => endThread(front!),
  },

  "loops, and never looks": stays("spin"),
  "loops, and is to be interrupted": stays("spin", { ...short, onOverrun: "interrupt" }),
  "loops, and the order to end its thread is lost": {
    ...stays("spin"),
    afterwards: async (scene) => {
      loseTheOrder(scene.words);
      await endIt(scene);
    },
  },
  "blocks in Atomics.wait": stays("block"),
  "blocks in native code": {
    ...stays("readNatively"),
    give: () => {
      fifo = pipe();
      return { arg: fifo.path };
    },
    afterwards: async (scene) => {
      const { release } = fifo!;
      await endIt(scene);
      const { pool } = scene.stage;
      if (pool === undefined) {
        // Not before its grace is over. Its thread goes when it comes out of there.
        if (scene.state === "closing") await toldToEnd(scene.words);
        else await scene.call.settled;
        const timer = setInterval(release, 1);
        onTestFinished(() => clearInterval(timer));
        return;
      }
      let isOver = false as boolean;
      void scene.call.settled.then(() => {
        isOver = true;
      });
      // In the grace that it has it may not have come so far as to be stuck.
      await until(() => isOver || pool.stats().stuck === 1);
      if (!isOver && scene.state !== "closing" && scene.state !== "dispatching") {
        // A spare has taken its place.
        const words = new Int32Array(new SharedArrayBuffer(32));
        expect(await pool.run(background, "act", words, false, "return")).toBe("its value");
        expect(pool.stats().stuck).toBe(1);
      }
      await until(() => {
        release();
        return isOver;
      });
    },
  },
  "matches a runaway regular expression": stays("regExp"),
  "never settles": stays("neverSettles"),
  "returns a thenable that never settles": stays("neverThenable"),

  "an argument cannot be cloned": { give: () => ({ arg: () => {} }) },
  "the getter of an argument throws": {
    give: () => ({
      arg: {
        get it(): never {
          throw new RangeError("from the getter");
        },
      },
    }),
    // Comlink lets it through as it is.
    check: error("from the getter"),
  },
  "an argument that moves along is detached already": {
    give: () => {
      const bytes = new Uint8Array(8);
      structuredClone(bytes, { transfer: [bytes.buffer] });
      return { arg: bytes, transfer: [bytes.buffer] };
    },
  },
  "a shared value of its context cannot be cloned": {
    derive: (ctx) => withValue(ctx, sharedKey("test.matrix"), () => {}),
  },
  "a context among the arguments": { give: () => ({ arg: background }) },
  "there is no such task": { task: "nope" },
  "there is no such task, as is found out later": { task: "nope", usesUp: true, isAlone: true },

  "the module does not exist": { stage: { module: "nowhere.mjs" }, usesUp: true, isAlone: true },
  "the module throws while it is loaded": {
    stage: { module: "throws-while-loading.mjs" },
    usesUp: true,
    isAlone: true,
  },
  "the module ends its thread while it is loaded": {
    stage: { module: "exits-while-loading.mjs" },
    usesUp: true,
    isAlone: true,
  },
  "the module is never loaded, and the context ends": {
    stage: { module: "never-loads.mjs" },
    usesUp: true,
    isAlone: true,
    strike: end,
  },

  "is cancelled": { how: "poll", isAtIt: true, strike: end },
  "is cancelled with a cause that cannot be cloned": {
    how: "poll",
    isAtIt: true,
    strike: cancelWith(() => () => {}),
  },
  "is cancelled with a cause whose traps throw": { how: "poll", isAtIt: true, strike: cancelWith(hostile) },
  "is cancelled, and a listener of the caller's throws": {
    how: "poll",
    isAtIt: true,
    strike: listenerThrows,
    uncaught: [/a listener of the caller's/],
  },
  "is cancelled, and a listener of the task's throws": {
    how: "listenerThrows",
    kills: true,
    afterwards: endIt,
  },
  "its deadline passes": {
    how: "poll",
    isAtIt: true,
    deadline: "passes",
    strike: ({ call }) => until(() => remaining(call.ctx) === 0 && call.ctx.err() !== undefined),
  },
  "its deadline passes while the caller's event loop is blocked": {
    how: "poll",
    isAtIt: true,
    deadline: "passes",
    strike: ({ call }) => blockUntil(() => remaining(call.ctx) === 0),
  },
  "its deadline has passed before": { deadline: "has passed" },
  "a sibling fails": {
    how: "poll",
    isAtIt: true,
    strike: async ({ call }) => {
      call.failSibling!();
      await call.ctx.done();
    },
  },
  "its reader leaves": { how: "poll", isAtIt: true, strike: ({ call }) => call.leave!() },
  "its client leaves": onTheWire(({ client }) => client!.socket.destroy()),
  "its client resets the connection": onTheWire(({ client }) => client!.socket.resetAndDestroy()),
  "its client closes its side": onTheWire(({ client }) => client!.socket.end()),
  "its response is sent": onTheWire(({ res }) => res!.end("never mind")),

  "the pool is destroyed, or the actor disposed of": {
    how: "poll",
    isAtIt: true,
    usesUp: true,
    strike: ({ stage }) => void stage.destroy(),
  },
  "its proxy is released": {
    how: "poll",
    isAtIt: true,
    usesUp: true,
    strike: ({ stage }) => stage.release!(),
  },
  "is made after close": { comesLate: true },
  "the queue is full": { stage: { maxQueue: 0 }, usesUp: true },
  "the inputs of its batch throw": { inputsThrow: true },
};
