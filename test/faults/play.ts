/** One cell: brings a call into its state, lets the fault come upon it, and looks what becomes of it and of everything else. */
import { type Context, cause, contextKey, type PoolStats, remaining, withValue } from "lifeguard";
import { expect, onTestFinished } from "vitest";
import { expectBalanced, expectWhole, threadGate, until } from "../support/pool.js";
import { turn } from "../support/turn.js";
import { uncaughtDuring } from "../support/uncaught.js";
import { type Doing, doings, end, type Scene } from "./doings.js";
import type { Call, Settled, Stage } from "./stages.js";
import { type EntryName, type FaultName, faults, type Settles, type State } from "./table.mjs";

/** What the cells of one entry share. */
export interface Company {
  readonly entry: EntryName;
  readonly stage: Stage;
  /** Where a call goes on undisturbed meanwhile, if that is not the stage itself. */
  readonly beside: Stage;
  /** What calls leave behind on the contexts they were made under is seen by what these still hold of those below. */
  readonly contexts: { readonly parent: Context; readonly below: WeakRef<Context> }[];
}

/** It was not in its state by the time its deadline passed: to be tried again with a longer one. */
export class TooSlow extends Error {}

const number = contextKey<number>("test.matrix.number");

/** A call that somebody else makes, which has to come through. */
class Other {
  readonly #gate = threadGate();
  readonly #result: Promise<unknown>;

  constructor(stage: Stage, held: boolean) {
    this.#result = stage.other({ words: this.#gate.view, held, how: "number" });
    this.#result.catch(() => {});
  }
  get words(): Int32Array {
    return this.#gate.view;
  }
  entered(): Promise<void> {
    return this.#gate.entered();
  }
  release(): void {
    this.#gate.open();
  }
  async comesThrough(): Promise<void> {
    expect(await this.#result, "what somebody else has called").toBe(7);
    expect(this.#gate.read(0), "how often that has begun").toBe(1);
  }
  async failsWith(code: string): Promise<void> {
    await expect(this.#result).rejects.toMatchObject({ code });
  }
}

export async function play(
  fault: FaultName,
  state: State,
  wanted: Settles,
  company: Company,
  patience: number,
): Promise<void> {
  const doing: Doing = doings[fault];
  const uncaught = await uncaughtDuring(async () => {
    await new Cell(fault, doing, state, wanted, company, patience).play();
  });
  expect(uncaught.map(({ error }) => String(error))).toEqual(
    (doing.uncaught ?? []).map((text) => expect.stringMatching(text) as unknown),
  );
}

class Cell {
  readonly fault: FaultName;
  readonly doing: Doing;
  readonly state: State;
  readonly wanted: Settles;
  readonly company: Company;
  readonly patience: number;
  readonly #gate = threadGate();
  /** What keeps the threads that this call may not have. */
  #bystander: Other | undefined;
  #front: Other | undefined;
  /** What waits behind it. */
  #behind: Other | undefined;
  readonly #stray = threadGate();
  #closing: Promise<void> | undefined;

  constructor(
    fault: FaultName,
    doing: Doing,
    state: State,
    wanted: Settles,
    company: Company,
    patience: number,
  ) {
    this.fault = fault;
    this.doing = doing;
    this.state = state;
    this.wanted = wanted;
    this.company = company;
    this.patience = patience;
  }

  async play(): Promise<void> {
    const { stage, entry } = this.company;
    const before = stage.pool?.stats();
    // Whatever becomes of this one: the next ones need the threads.
    onTestFinished(() => this.#releaseAll());
    try {
      const scene = await this.#enter();
      const { call } = scene;
      const got = await this.#through(scene);
      this.#expectSettled(got, call);
      if (this.doing.isCutOff !== true) await call.also?.(got);
      const mate = await this.#expectMate(call);
      await this.#others();
      await this.#stageIsWhole(before, mate);
      expect(this.#begun, "how often it has begun").toBeLessThanOrEqual(1);
      if (entry !== "actor") this.#expectBegun();
    } finally {
      this.#releaseAll();
      if (this.#closing !== undefined) await this.#closing.catch(() => {});
    }
  }

  get #begun(): number {
    return this.#gate.read(0);
  }

  /** Whether it has to wait, for a thread or for its turn on one. */
  get #waits(): boolean {
    const { state } = this;
    return state === "queued" || state === "dispatching" || (state === "closing" && this.#neverRuns);
  }

  get #neverRuns(): boolean {
    const { running } = faults[this.fault].settles;
    return typeof running === "string" && this.fault !== "is made after close";
  }

  // ---- into its state

  async #enter(): Promise<Scene> {
    const { doing, state } = this;
    const { stage, beside, entry } = this.company;
    if (doing.isAlone !== true) {
      this.#bystander = new Other(beside, true);
      await this.#bystander.entered();
      if (state === "dispatching") {
        await stage.blockLater(this.#stray.view);
        await this.#stray.entered();
      } else if (this.#waits) {
        this.#front = new Other(stage, true);
        await this.#front.entered();
      }
    }
    if (doing.comesLate === true) this.#closing = this.#close(true);
    const call = await this.#call();
    const scene: Scene = {
      entry,
      state,
      stage,
      call,
      words: this.#gate.view,
      front: this.#front?.words ?? (state === "dispatching" ? this.#stray.view : undefined),
    };
    if (doing.isAlone !== true && !(doing.comesLate === true)) {
      if (entry === "map" && stage.pool !== undefined) await turn();
      this.#behind = new Other(stage, false);
    }
    if (!this.#waits && doing.comesLate !== true) await this.#begins(call);
    this.#expectState(call);
    if (state === "stopping") {
      await this.#stop(scene);
      if (call.state !== undefined && doing.stage?.grace === undefined) expect(call.state()).toBe("stopping");
    }
    if (state === "closing") this.#closing ??= this.#close(false);
    return scene;
  }

  async #call(): Promise<Call> {
    const { doing, state, patience } = this;
    const { stage, entry, contexts } = this.company;
    const given = doing.give?.(entry);
    const isLate = doing.deadline === "has passed";
    const call = await stage.call({
      order: {
        words: this.#gate.view,
        // What is in the middle of it when the fault comes must not wait for anything but that.
        held: !(doing.isAtIt === true && state !== "stopping" && !this.#waits),
        how: doing.how ?? "return",
        ...(given !== undefined && { arg: given.arg }),
      },
      task: doing.task,
      transfer: given?.transfer,
      timeout: doing.deadline === undefined ? undefined : isLate ? 0 : patience,
      inputsThrow: doing.inputsThrow,
      derive: (ctx) => {
        const derived = withValue(doing.derive?.(ctx) ?? ctx, number, contexts.length);
        contexts.push({ parent: ctx, below: new WeakRef(derived) });
        return derived;
      },
    });
    return call;
  }

  async #begins(call: Call): Promise<void> {
    const { doing } = this;
    await until(() => this.#begun > 0 || (doing.deadline !== undefined && call.ctx.err() !== undefined));
    if (this.#begun === 0 || (doing.deadline !== undefined && remaining(call.ctx) === 0)) throw new TooSlow();
    if (doing.isAtIt === true && this.state !== "stopping") await this.#gate.written(2);
  }

  async #stop(scene: Scene): Promise<void> {
    // Of a request not by its client, so that the client may still do something.
    if (scene.entry === "http") {
      scene.call.cancel("the first cause");
      await scene.call.ctx.done();
    } else await end({ ...scene, entry: "run" });
    if (this.doing.deadline === "passes" && scene.call.ctx.err()?.code === "ERR_DEADLINE_EXCEEDED")
      throw new TooSlow();
  }

  #expectState(call: Call): void {
    const { pool } = this.company.stage;
    const { state, wanted } = this;
    if (wanted.outcome === undefined || this.doing.deadline === "has passed") return;
    const isRefused = wanted.gets === "ERR_NOT_CLONEABLE" && this.#neverRuns;
    if (call.state !== undefined && !(isRefused && state === "dispatching")) {
      const is = call.state();
      const wantedState = this.#waits && state !== "dispatching" ? "queued" : "running";
      if (is !== wantedState && this.doing.deadline === "passes" && remaining(call.ctx) === 0)
        throw new TooSlow();
      expect(is).toBe(wantedState);
    }
    if (pool === undefined || this.doing.isAlone === true) return;
    if (state === "dispatching" && !isRefused) expect(this.#begun, "begun before it can have").toBe(0);
    if (this.#waits && state !== "dispatching") expect(pool.stats().queued).toBeGreaterThanOrEqual(1);
  }

  #close(isLate: boolean): Promise<void> {
    const { stage } = this.company;
    // A server that closes takes no more requests: what comes late finds its pool closed.
    const closed = isLate && stage.pool !== undefined ? stage.pool.close() : stage.close();
    closed.catch(() => {});
    return closed;
  }

  // ---- the fault

  async #through(scene: Scene): Promise<Settled> {
    const { doing, wanted } = this;
    const { call, entry } = scene;
    await doing.strike?.(scene);
    const isOverAtOnce = wanted.outcome === "dropped" || wanted.outcome === undefined;
    if (isOverAtOnce && entry !== "actor" && wanted.gets !== "nothing") {
      // Without waiting for the thread, or for anybody else.
      const got = await call.settled;
      this.#release();
      return got;
    }
    this.#release();
    doing.meanwhile?.(scene);
    if (doing.afterwards !== undefined) {
      let isOver = false;
      void call.settled.then(() => {
        isOver = true;
      });
      await until(() => isOver || this.#gate.read(2) !== 0);
      await doing.afterwards(scene);
    }
    return await call.settled;
  }

  #releaseAll(): void {
    this.#release();
    this.#bystander?.release();
  }

  #release(): void {
    this.#front?.release();
    this.#stray.open();
    this.#gate.open();
  }

  // ---- what has come of it

  #expectSettled(got: Settled, call: Call): void {
    const { wanted, doing } = this;
    switch (wanted.gets) {
      case "nothing":
        expect(got.type).toBe("nothing");
        return;
      case "its value":
        expect(got).toMatchObject({ type: "value" });
        if (got.type === "value") (doing.check ?? ((value) => expect(value).toBe("its value")))(got.value);
        return;
      case "its error":
        expect(got).toMatchObject({ type: "error" });
        if (got.type === "error") doing.check!(got.error);
        return;
      case "err()":
        expect(got).toMatchObject({ type: "error" });
        expect(call.ctx.err()).toBeDefined();
        if (got.type === "error") expect(got.error).toBe(call.ctx.err());
        if (this.state !== "stopping")
          expect(call.ctx.err()!.code).toBe(
            doing.deadline === undefined ? "ABORT_ERR" : "ERR_DEADLINE_EXCEEDED",
          );
        return;
      default:
        expect(got).toMatchObject({ type: "error", error: { code: wanted.gets } });
        if (wanted.gets !== "ABORT_ERR") return;
        // A group ends with what its member has failed with; nobody else's context does.
        if (this.company.entry !== "group")
          expect(call.ctx.err(), "the caller's own context").toBeUndefined();
        else if (got.type === "error") expect(cause(call.ctx)).toBe(got.error);
    }
  }

  #expectBegun(): void {
    const { wanted } = this;
    const isKnown = wanted.outcome === "dropped" || wanted.outcome === undefined || this.#neverRuns;
    const begun = isKnown && this.fault !== "is on a thread that somebody else ends" ? 0 : 1;
    // Of those that are to be looked at in several states, some do not get so far.
    if (wanted.outcome === "terminated" && this.state === "stopping") return;
    expect(this.#begun, "how often it has begun").toBe(begun);
  }

  /** What shares its chunk: its own, unless its context has ended. */
  async #expectMate(call: Call): Promise<"completed" | "dropped" | "other" | undefined> {
    const { mate } = call;
    if (mate === undefined || this.wanted.outcome === undefined) return undefined;
    const got = await mate.settled;
    const begun = Atomics.load(mate.words, 0);
    // A module that cannot be loaded is the whole batch's; so is a shared value of its context.
    if (this.doing.isAlone === true) return this.wanted.outcome === "dropped" ? "dropped" : "other";
    if (this.doing.derive !== undefined) {
      expect(got).toMatchObject({ type: "error", error: { code: this.wanted.gets } });
      return "other";
    }
    if (call.ctx.err() !== undefined || this.wanted.gets === "nothing" || this.wanted.gets === "ABORT_ERR") {
      expect(begun, "how often what shares its chunk has begun").toBe(0);
      return "dropped";
    }
    expect(got, "what shares its chunk").toEqual({ type: "value", value: 7 });
    expect(begun, "how often what shares its chunk has begun").toBe(1);
    return "completed";
  }

  async #others(): Promise<void> {
    const { stage, beside, entry } = this.company;
    const isOver = this.doing.usesUp === true && this.doing.strike !== undefined;
    const isDead = entry === "actor" && (this.doing.kills === true || isOver);
    this.#bystander?.release();
    if (!isOver || beside !== stage) await this.#bystander?.comesThrough();
    if (isDead || isOver) return;
    if (!(this.fault === "is on a thread that somebody else ends" && this.state === "queued"))
      await this.#front?.comesThrough();
    else await this.#front?.failsWith("ERR_WORKER_CRASHED");
    if (entry === "actor" && this.state === "closing") return;
    if (this.wanted.gets === "ERR_QUEUE_FULL" || this.doing.stage?.maxQueue === 0) return;
    await this.#behind?.comesThrough();
  }

  async #stageIsWhole(before: PoolStats | undefined, mate: "completed" | "dropped" | "other" | undefined) {
    const { stage } = this.company;
    const { pool } = stage;
    const { doing, wanted, state } = this;
    // Of an actor that dies meanwhile the disposal says so.
    if (this.#closing !== undefined)
      await this.#closing.catch((error: unknown) => {
        if (pool !== undefined || doing.kills !== true) throw error;
      });
    if (pool === undefined || before === undefined) {
      if (doing.kills !== true && doing.usesUp !== true && this.#closing === undefined)
        expect(await stage.other({ words: threadGate().view, held: false, how: "return" })).toBe("its value");
      return;
    }
    if (doing.usesUp !== true && this.#closing === undefined) await expectWhole(pool);
    const after = pool.stats();
    expectBalanced(after);
    if (this.#closing !== undefined)
      expect(after).toMatchObject({ threads: 0, queued: 0, running: 0, stuck: 0 });
    if (doing.usesUp === true) return;
    // Every one of them has been counted once, as what it was.
    const others: Partial<Record<string, number>> = {};
    const count = (outcome: string | undefined): void => {
      if (outcome !== undefined && outcome !== "completed") others[outcome] = (others[outcome] ?? 0) + 1;
    };
    count(wanted.outcome);
    if (mate !== undefined) count(mate === "other" ? wanted.outcome : mate);
    if (this.fault === "is on a thread that somebody else ends" && state === "queued") count("crashed");
    for (const outcome of Object.keys(after.outcomes) as (keyof typeof after.outcomes)[]) {
      if (outcome === "completed") continue;
      expect(after.outcomes[outcome] - before.outcomes[outcome], outcome).toBe(others[outcome] ?? 0);
    }
    const unbegun =
      (wanted.outcome !== undefined && this.#begun === 0 ? 1 : 0) +
      (mate === "dropped" || mate === "other" ? 1 : 0);
    expect(after.submitted - before.submitted - (after.started - before.started), "never started").toBe(
      unbegun,
    );
  }
}
