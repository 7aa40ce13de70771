/**
 * The fault matrix: every fault, against every entry, in every state of a call. What each cell holds is table.mjs, which
 * docs/reliability.md shows.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { heapUsed } from "../support/memory.js";
import { longSecondGrace } from "../support/second-grace.mjs";
import { turn } from "../support/turn.js";
import { doings } from "./doings.js";
import { type Company, play, TooSlow } from "./play.js";
import { open, type Stage, type StageOptions } from "./stages.js";
import {
  cellOf,
  type EntryName,
  entryNames,
  type Fault,
  type FaultName,
  faultNames,
  faults,
  type Settles,
  type State,
  states,
} from "./table.mjs";
import { liveThreads, watchThreads } from "./threads.js";

/** What of the kinds that the library uses keeps this process alive. */
function active(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => kind === "MessagePort" || kind === "Worker");
}

function listeners(): Record<string, number> {
  return Object.fromEntries(process.eventNames().map((name) => [String(name), process.listenerCount(name)]));
}

/** The stages that cells share, by what they are made with. */
class Stages {
  readonly #entry: EntryName;
  readonly #open = new Map<string, Stage>();

  constructor(entry: EntryName) {
    this.#entry = entry;
  }

  async take(options: StageOptions): Promise<Stage> {
    const key = JSON.stringify(options);
    const stage = this.#open.get(key) ?? (await open(this.#entry, options));
    this.#open.delete(key);
    return stage;
  }

  /** For the next cell, as it is whole. */
  giveBack(options: StageOptions, stage: Stage): void {
    this.#open.set(JSON.stringify(options), stage);
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#open.values()].map((stage) => stage[Symbol.asyncDispose]()));
    this.#open.clear();
  }
}

/** What an actor has died of, its end says once more. */
async function dispose(stage: Stage, mayHaveDied: boolean): Promise<void> {
  try {
    await stage[Symbol.asyncDispose]();
  } catch (error) {
    if (!mayHaveDied) throw error;
  }
}

const [major] = process.versions.node.split(".").map(Number) as [number];

function isSkipped(fault: FaultName): boolean {
  const { notOn }: Fault = faults[fault];
  return notOn !== undefined && major >= notOn.node;
}

for (const entry of entryNames) {
  describe(entry, () => {
    const stages = new Stages(entry);
    const contexts: Company["contexts"] = [];
    /** Calls of an actor's share its end: what must not be touched is another one. */
    let beside: Stage | undefined;
    let unwatch: () => void;
    let before: { readonly active: string[]; readonly listeners: Record<string, number> };
    beforeAll(async () => {
      before = { active: active(), listeners: listeners() };
      unwatch = watchThreads();
      if (entry === "actor") beside = await open(entry, { grace: 60_000 });
    });

    async function cell(fault: FaultName, state: State, wanted: Settles, patience: number): Promise<void> {
      const { stage: special, kills = false, usesUp = false } = doings[fault];
      const options: StageOptions = {
        grace: entry === "actor" ? 60_000 : Number.POSITIVE_INFINITY,
        ...(state === "dispatching" && { spares: 0 }),
        ...special,
      };
      const isUsedUp = usesUp || state === "closing" || (kills && entry === "actor");
      const stage = isUsedUp ? await open(entry, options) : await stages.take(options);
      let isWhole = false;
      try {
        await play(fault, state, wanted, { entry, stage, beside: beside ?? stage, contexts }, patience);
        isWhole = true;
      } finally {
        if (isWhole && !isUsedUp) stages.giveBack(options, stage);
        else await dispose(stage, kills);
      }
    }

    for (const state of states) {
      describe(state, () => {
        for (const fault of faultNames) {
          const wanted = cellOf(fault, entry, state);
          if (typeof wanted === "string") continue;
          const { outcome, gets } = wanted;
          test.skipIf(isSkipped(fault))(`${fault}: ${outcome ?? "not taken in"}, ${gets}`, async () => {
            const takeBack = fault === "loops, and is to be interrupted" ? longSecondGrace() : () => {};
            try {
              await patiently((patience) => cell(fault, state, wanted, patience));
            } finally {
              takeBack();
            }
          });
        }
      });
    }

    test("nothing of all this is left: no thread, no port, no listener, no context", async () => {
      // While the pools are still there: what they hold would be left.
      for (let round = 0; round < 20 && held() > 0; round++) {
        await turn();
        heapUsed();
      }
      expect(held()).toBe(0);
      await Promise.all([stages.dispose(), beside?.[Symbol.asyncDispose]()]);
      await turn();
      unwatch();
      expect(liveThreads()).toBe(0);
      expect(active()).toEqual(before.active);
      expect(listeners()).toEqual(before.listeners);
    });
    afterAll(() => stages.dispose());

    function held(): number {
      return contexts.filter(({ below }) => below.deref() !== undefined).length;
    }
  });
}

/** With twice the patience for as long as it has been too slow. */
async function patiently(play: (patience: number) => Promise<void>): Promise<void> {
  for (let patience = 50; ; patience *= 2) {
    try {
      await play(patience);
      return;
    } catch (error) {
      if (!(error instanceof TooSlow)) throw error;
    }
  }
}
