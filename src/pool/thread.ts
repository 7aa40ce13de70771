/**
 * One thread: a Piscina of exactly one worker, its lane and its port. Owns starting, handing over and ending it; which
 * task it gets, and what becomes of a task whose thread dies, is the pool's. docs/decisions/0001 says why one each.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from "node:worker_threads";
import { Piscina } from "piscina";
import { workerEntry } from "../entry-url.js";
import { type Carried, carry } from "../workers/carry.js";
import {
  type Claim,
  GUARDED,
  INTERRUPTING,
  KILLING,
  Lane,
  nextEpoch,
  OFFERED,
  STARTED,
} from "../workers/lane.js";
import type {
  Envelope,
  HelloAnswer,
  Letter,
  Parcel,
  Reply,
  Terms,
  ToThread,
  Wake,
} from "../workers/messages.js";
import { insist } from "./insistence.js";
import { canCut, cut } from "./interrupter.js";
import { Load } from "./load.js";
import type { Contents } from "./packing.js";
import { type ThreadOptions, workerOptions } from "./thread-options.js";

/** Why a thread is no more. `error` is what was thrown and not caught, or what Node says of an end like out of memory. */
export interface Death {
  readonly code: number;
  readonly error: unknown;
}

export interface ThreadHost {
  /** It has said hello and loaded the module: it may be handed tasks. */
  ready(thread: Thread, names: readonly string[]): void;
  unloadable(thread: Thread, error: Carried): void;
  /** All of it is over, and the thread is free. */
  reported(thread: Thread, load: Load, reply: Reply): void;
  /** It could not be handed over: something in it cannot be cloned. The thread is free. */
  refused(thread: Thread, load: Load, error: unknown): void;
  /** It does not do what threads do: code in it has changed what the library stands on. It is to be ended. */
  broken(thread: Thread): void;
  /** An error was thrown in it and not caught: it is about to exit, and must not be handed anything. */
  dying(thread: Thread): void;
  /** It has exited, whoever ended it. The last thing heard of it. */
  gone(thread: Thread, death: Death): void;
}

type State =
  | { readonly kind: "starting" }
  | { readonly kind: "idle" }
  | { readonly kind: "busy"; readonly load: Load }
  /** Told to end, not gone yet; `load` is what it had then. */
  | { readonly kind: "ending"; readonly load: Load | undefined }
  | { readonly kind: "gone" };

export class Thread {
  state: State = { kind: "starting" };
  readonly #host: ThreadHost;
  readonly #piscina: Piscina;
  readonly #worker: Worker;
  readonly lane = new Lane();
  readonly #port: MessagePort;
  /** Jobs that are on it: not settled, as far as is known here, nor taken back. */
  jobs = 0;
  /** Of the envelope it has, or had last. */
  epoch = 0;
  #error: unknown;
  #dead = false;

  /** Starts it. Throws what `new Worker` throws for options it does not take. */
  constructor(host: ThreadHost, options: ThreadOptions) {
    this.#host = host;
    this.#piscina = new Piscina({
      filename: workerEntry,
      name: "handle",
      // None to begin with, so that none is started again behind our back: the first task, the hello, starts the one.
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      // The thread's event loop turns between tasks. What that costs: docs/decisions/0002, bench/roundtrip.
      atomics: "disabled",
      recordTiming: false,
      ...workerOptions(options),
    });
    // Uncaught errors while no task runs; the worker's own events tell us.
    this.#piscina.on("error", () => {});
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const hello = this.#hand({ type: "hello", module: options.module, lane: this.lane.buffer, port: port2 }, [
      port2,
    ]);
    this.#worker = this.#piscina.threads[0] as Worker;
    this.#worker.on("error", (error) => {
      this.#error = error;
      if (this.#dead) return;
      this.#dead = true;
      this.#host.dying(this);
    });
    this.#worker.once("exit", (code) => {
      this.#dead = true;
      // What its tasks left in the port is still there.
      this.#host.gone(this, { code, error: this.#error });
      this.#port.close();
      this.state = { kind: "gone" };
    });
    hello.then(
      (answer) => {
        if (!this.#dead && this.state.kind === "starting") this.#welcome(answer);
      },
      () => {
        // It died: `exit` tells.
      },
    );
  }

  #hand(message: ToThread, transferList?: readonly object[]): Promise<unknown> {
    return this.#piscina.run(
      message,
      transferList === undefined ? undefined : { transferList: transferList as never[] },
    ) as Promise<unknown>;
  }

  #welcome(given: unknown): void {
    const answer = isHelloAnswer(given) ? given : unreadable;
    switch (answer.type) {
      case "ready":
        this.state = { kind: "idle" };
        this.#host.ready(this, answer.names);
        return;
      case "unloadable":
        this.#host.unloadable(this, answer.error);
        return;
      default:
        answer satisfies never;
    }
  }

  /** From now on it is about the next envelope: to be called before `postLetter`. */
  prepare(): void {
    this.epoch = nextEpoch(this.epoch);
  }

  /** What the task that will be at `place` is called with. Throws what cannot be cloned. */
  postLetter(place: number, args: readonly unknown[], values: Terms["values"]): void {
    const letter: Letter = { type: "letter", epoch: this.epoch, place, args, values };
    this.#port.postMessage(letter);
  }

  /** Hands it some jobs, to be run one after the other. It must be idle, and prepared. */
  run({ jobs, message, transfers }: Contents): void {
    const { epoch } = this;
    const load = new Load(this, jobs);
    this.state = { kind: "busy", load };
    this.lane.offer(epoch, jobs.length);
    for (let place = 0; place < jobs.length; place++) jobs[place]?.on(this, place);
    const envelope: Envelope = { type: "envelope", epoch, count: jobs.length, ...message };
    this.#hand(envelope, transfers).then(
      (reply) => {
        // A thread that dies of `throw null` makes piscina resolve, with nothing: `exit` tells.
        if (this.#dead || this.state.kind !== "busy") return;
        // A getter among the arguments that throws null makes piscina resolve with nothing as well.
        if (reply === undefined) this.#refuse(load, null);
        else if (!load.isThrough) this.#break("it replied, and left open how its tasks ended");
        else {
          this.state = { kind: "idle" };
          this.#host.reported(this, load, reply as Reply);
        }
      },
      (error: unknown) => {
        // Either the message could not be cloned, or the thread has died: then `exit` tells.
        if (this.#dead || this.state.kind !== "busy") return;
        this.#refuse(load, error);
      },
    );
  }

  /** It could not be handed over, if that is what it is: what has begun must not begin again. */
  #refuse(load: Load, error: unknown): void {
    if (!load.isUnbegun) {
      this.#break("it replied with nothing, and some of its tasks had begun");
      return;
    }
    this.state = { kind: "idle" };
    this.#host.refused(this, load, error);
  }

  #break(why: string): void {
    this.#error ??= new Error(why);
    this.#host.broken(this);
  }

  /** What the loop of the task at `place` sees at its next poll, and what wakes the task if it awaits something. */
  notify(place: number, notice: Wake["notice"], cause: Carried | undefined): void {
    const { lane, epoch } = this;
    const wake: Wake = { type: "wake", epoch, place, notice, cause };
    // A loop that sees the notice fetches the cause at once: it has to be there by then.
    if (cause !== undefined) this.#port.postMessage(wake);
    lane.post(epoch, place, notice);
    // A task in its synchronous part needs no message, which is most of what a cancellation costs here.
    if (cause === undefined && lane.isAwaiting(epoch, place)) this.#port.postMessage(wake);
  }

  /** Moves the claim of the task at `place`; false when the worker was quicker. */
  move(place: number, from: Claim, to: Claim): boolean {
    return this.lane.move(this.epoch, place, from, to);
  }

  /** Whether the claim of the task at `place` stands there. */
  stands(place: number, state: Claim): boolean {
    return this.lane.stands(this.epoch, place, state);
  }

  /** Whether the task at `place` is running in a way that nothing can cut off: its thread has no inspector. */
  isUnguarded(place: number): boolean {
    return this.stands(place, STARTED) && !this.lane.isAwaiting(this.epoch, place);
  }

  /**
   * Cuts off the task at `place`.
   *
   * - `sent`: it will be, wherever it is in its function, unless that is in native code for ever.
   * - `not needed`: it has returned, whether or not the promise it returned has settled.
   * - `not attached`: the inspector does not know the thread, or not any more. It is to be condemned then.
   * - `not possible`: there is no inspector here.
   */
  interrupt(place: number): "sent" | "not needed" | "not attached" | "not possible" {
    if (!this.stands(place, GUARDED)) return "not needed";
    const { threadId } = this.#worker;
    const reach = canCut(threadId);
    if (reach !== "yes") return reach;
    // From here on the task does not leave its function by itself, and nothing else can be hit.
    if (!this.move(place, GUARDED, INTERRUPTING)) return "not needed";
    return cut(threadId) ? "sent" : "not attached";
  }

  /** Moves the claim of the task at `place` to KILLING; false when it has ended. */
  condemn(place: number): boolean {
    // In the order in which the worker moves on.
    return [GUARDED, INTERRUPTING, STARTED].some((from) => this.move(place, from as Claim, KILLING));
  }

  /** Of its jobs, those that wait behind another one. */
  get waiting(): number {
    return Math.max(0, this.jobs - 1);
  }

  /** Whether the task at `place` waits behind another one. */
  isWaiting(place: number): boolean {
    return place > 0 && this.stands(place, OFFERED);
  }

  /** What the task at `place` has left in the port, when the lane says so; undefined when it is not there. */
  takeParcel(place: number): { readonly value: unknown } | undefined {
    for (
      let got = receiveMessageOnPort(this.#port);
      got !== undefined;
      got = receiveMessageOnPort(this.#port)
    ) {
      const parcel = got.message as Parcel;
      if (parcel.epoch === this.epoch && parcel.place === place) return parcel;
    }
    return undefined;
  }

  /** Ends it, whatever it does; `host.gone` follows when it really has. Repeated calls do nothing. */
  terminate(): void {
    const { state } = this;
    if (state.kind === "ending" || state.kind === "gone") return;
    this.state = { kind: "ending", load: state.kind === "busy" ? state.load : undefined };
    void this.#piscina.destroy();
    // Only one that is at a task can lose the order; one that is still loading modules must not be given it in the middle.
    if (state.kind === "busy") insist(this.#worker);
  }
}

/** What came is whatever the module has made of it that was being loaded. */
function isHelloAnswer(answer: unknown): answer is HelloAnswer {
  const { type, names } = (answer ?? {}) as { readonly type?: unknown; readonly names?: unknown };
  if (type === "unloadable") return true;
  return type === "ready" && Array.isArray(names) && names.every((name) => typeof name === "string");
}

const unreadable: HelloAnswer = {
  type: "unloadable",
  error: carry(new TypeError("the thread's answer cannot be read")),
};
