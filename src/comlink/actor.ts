/** An actor on the side that has started it: its thread, its context, and its end. */
import { setTimeout } from "node:timers";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import * as Comlink from "comlink";
import { actorEntry } from "../actor-url.js";
import type { Context } from "../context/context.js";
import { Ending } from "../context/ending.js";
import { invalid, reasonOf } from "../context/invalid.js";
import { Node } from "../context/node.js";
import { missingEntry } from "../pool/entry-file.js";
import { insist } from "../pool/insistence.js";
import { workerOptions } from "../pool/thread-options.js";
import { unpack } from "../workers/carry.js";
import { refuseDetached } from "../workers/transfer.js";
import type { Begin, FromActor, ToActor } from "./actor-messages.js";
import type { Calls } from "./calls.js";
import { connect, type ToldConnection, untilTold } from "./connection.js";
import { call } from "./endpoints.js";
import { CallError } from "./errors.js";
import type { Facade } from "./facade.js";
import { ensureRegistered } from "./handlers.js";
import type { ResolvedSpawnOptions } from "./spawn-options.js";

/** What `await using` waits for at most, ms: as Pool.destroy. */
const LONGEST_DISPOSAL = 1000;

/** Ends with the context it was spawned with, or when the actor does. */
class ActorNode extends Node {
  readonly #name: string;
  readonly #onEnded: () => void;

  constructor(parent: Context, owner: Node | null, name: string, onEnded: () => void) {
    super(parent, null, Node.watchBelow(parent, owner, owner === null ? null : owner.watch));
    this.#name = name;
    this.#onEnded = onEnded;
    if (owner !== null) this.linkTo(owner);
  }

  override get listens(): boolean {
    return true;
  }

  protected override ended(): void {
    super.ended();
    this.#onEnded();
  }

  override get label(): string {
    return `actor(${this.#name})`;
  }
}

type State = "starting" | "running" | "ending" | "gone";

export class ActorThread {
  readonly node: ActorNode;
  readonly #options: ResolvedSpawnOptions;
  readonly #worker: Worker;
  readonly #calls: Calls;
  readonly #control: MessagePort;
  readonly #callsPort: MessagePort;
  readonly #connection: ToldConnection;
  /** Endpoints with calls under way: its own, and those of objects that it has returned by reference. */
  #busy = 0;
  #state: State = "starting";
  #error: unknown;
  #disposalError: { readonly error: unknown } | undefined;
  readonly #ready: Promise<void>;
  #settleReady: { resolve(): void; reject(error: unknown): void } | undefined;
  readonly #gone: Promise<void>;
  #remote: object | undefined;

  /** Starts the thread. Throws what is wrong with the options, or with the arguments. */
  constructor(ctx: Context, owner: Node | null, options: ResolvedSpawnOptions, own: Facade["own"]) {
    this.#options = options;
    ensureRegistered(Comlink);
    const calls = new MessageChannel();
    const control = new MessageChannel();
    this.#control = control.port1;
    this.#worker = startWorker(options);
    this.#ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    // `spawn` waits for it, unless it does not get so far.
    this.#ready.catch(() => {});
    this.#gone = new Promise((resolve) => {
      this.#worker.once("exit", (code) => {
        this.#exited(code);
        resolve();
      });
    });
    this.#worker.on("error", (error) => {
      this.#error = error;
    });
    this.#control.on("message", (message: FromActor) => {
      this.#receive(message);
    });
    this.#control.unref();
    const { module, exportName, args, transfer, grace } = options;
    this.#callsPort = calls.port1;
    this.#connection = untilTold(connect("spawn", calls.port1));
    const made = call(
      Comlink,
      this.#connection,
      {
        grace,
        isOwned: true,
        isMortal: true,
        busy: (isBusy) => {
          this.#busy += isBusy ? 1 : -1;
          this.#hold();
        },
      },
      own,
    );
    this.#calls = made.calls;
    this.#remote = made.remote;
    const begin: Begin = {
      module,
      export: exportName,
      args,
      calls: calls.port2,
      control: control.port2,
    };
    try {
      refuseDetached(transfer);
      this.#worker.postMessage(begin, [calls.port2, control.port2, ...(transfer as never[])]);
    } catch (cause) {
      this.#state = "ending";
      void this.#worker.terminate();
      throw new CallError(
        "ERR_NOT_CLONEABLE",
        `spawn: options.args cannot be cloned to the other thread: ${reasonOf(cause)}`,
        { cause },
      );
    } finally {
      this.node = new ActorNode(ctx, owner, options.name, () => {
        this.#end(options.grace);
      });
      // Its deadline passed meanwhile.
      if (this.node.ending !== null) this.#end(options.grace);
    }
  }

  /**
   * Comlink's proxy, with the names that are ours; once. It is not held here: comlink's finalizers hold the calls, and with them all this,
   * for as long as the proxy is there.
   */
  takeRemote(): object {
    const remote = this.#remote as object;
    this.#remote = undefined;
    return remote;
  }

  /** Resolves when calls are answered, or rejects with why they never will be. */
  ready(): Promise<void> {
    return this.#ready;
  }

  /** Ends it, with its grace, but no more than a second. Resolves when its thread has gone; rejects with what its disposal threw. */
  async dispose(): Promise<void> {
    if (this.node.poll() === null) this.node.end(new Ending(false, disposedOf(this.#options.name)));
    this.#limit(LONGEST_DISPOSAL);
    await this.#gone;
    if (this.#disposalError !== undefined) throw this.#disposalError.error;
  }

  /** Idle, it does not keep the process alive. */
  #hold(): void {
    if (this.#busy > 0) this.#worker.ref();
    else if (this.#state === "running") this.#worker.unref();
  }

  #receive(message: FromActor): void {
    switch (message.type) {
      case "ready":
        if (this.#state !== "starting") return;
        this.#state = "running";
        this.#hold();
        this.#settleReady?.resolve();
        return;
      case "failed": {
        const cause = unpack(message.error);
        this.#fail(
          new CallError(
            "ERR_ACTOR_MODULE",
            `${this.#options.name}: the actor could not be made: ${reasonOf(cause)}`,
            { cause },
          ),
        );
        return;
      }
      case "disposed":
        if (message.error !== undefined) this.#disposalError = { error: unpack(message.error) };
        this.#stopHard();
        return;
      default:
        message satisfies never;
    }
  }

  /** It ends by itself, with `why`. */
  #fail(why: CallError): void {
    this.#settleReady?.reject(why);
    if (this.#state !== "gone") this.#stopHard();
    this.#calls.fail(why);
    if (this.node.poll() === null) this.node.end(new Ending(false, why));
  }

  /** Its context has ended. */
  #end(grace: number): void {
    const { node } = this;
    const isRunning = this.#state === "running";
    if (this.#state !== "starting" && !isRunning) return;
    this.#state = "ending";
    this.#settleReady?.reject(node.err());
    this.#calls.stop(node.ending as Ending, () => node.err());
    this.#worker.ref();
    if (!isRunning || grace === 0) {
      this.#stopHard(!isRunning);
      return;
    }
    const end: ToActor = { type: "end" };
    this.#control.postMessage(end);
    this.#limit(grace);
  }

  /** Stops it hard, if it has not ended so many ms from now. */
  #limit(ms: number): void {
    if (this.#state !== "ending" || ms === Number.POSITIVE_INFINITY) return;
    const timer = setTimeout(
      () => {
        this.#stopHard();
      },
      Math.min(ms, 2 ** 31 - 1),
    );
    timer.unref();
    void this.#gone.then(() => {
      clearTimeout(timer);
    });
  }

  #isStopped = false;

  /** @param isLoading a thread that is still loading modules must not be given the order again in the middle: see insistence.ts */
  #stopHard(isLoading = false): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#state = "ending";
    this.#worker.ref();
    void this.#worker.terminate();
    if (!isLoading) insist(this.#worker);
  }

  #exited(code: number): void {
    // What it has said to the last, which its end may have overtaken.
    drain(this.#callsPort, (message) => {
      this.#connection.deliver(message);
    });
    drain(this.#control, (message) => {
      this.#receive(message as FromActor);
    });
    const hasEnded = this.#state === "ending";
    this.#state = "gone";
    this.#control.close();
    if (hasEnded && this.node.ending !== null) {
      // It was asked to end, and has died of something else.
      if (!this.#isStopped) this.#disposalError ??= { error: this.#deathOf(code) };
      this.#calls.fail(this.node.err());
      return;
    }
    this.#fail(this.#deathOf(code));
  }

  #deathOf(code: number): CallError {
    const cause = this.#error ?? new Error(`the thread exited with code ${String(code)}`);
    return new CallError(
      "ERR_WORKER_CRASHED",
      `${this.#options.name}: the actor's thread died: ${reasonOf(cause)}`,
      { cause },
    );
  }
}

/** @throws TypeError ERR_INVALID_ARG for options that Node does not take, CallError within a bundle */
function startWorker({ name, thread }: ResolvedSpawnOptions): Worker {
  const missing = missingEntry(actorEntry);
  if (missing !== undefined) throw new CallError("ERR_ACTOR_MODULE", `spawn: ${missing}`);
  try {
    return new Worker(actorEntry, { name, ...workerOptions(thread) });
  } catch (cause) {
    throw invalid(`spawn: options: a thread cannot be started with them: ${reasonOf(cause)}`, { cause });
  }
}

function drain(port: MessagePort, take: (message: unknown) => void): void {
  for (let got = receiveMessageOnPort(port); got !== undefined; got = receiveMessageOnPort(port))
    take(got.message);
}

function disposedOf(name: string): CallError {
  const why = new CallError("ERR_PEER_CLOSED", `${name}: the actor was disposed of`);
  // Until somebody reads it, a stack holds whom its functions were called on: here, the proxy.
  why.stack = String(why.stack);
  return why;
}
