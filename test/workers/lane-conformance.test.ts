/**
 * The model of lane-model.test.ts against the lane itself: ways through the model, taken at random, are gone with two Lanes on one
 * buffer, one for each side. After each step every word has to be what it is in the model.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Claim, type Ended, Lane, type Notice, PLACES } from "../../src/workers/lane.js";
import { LaneModel } from "./model/lane-model.js";
import { setups } from "./model/setups.js";
import type { LaneStep, State } from "./model/state.js";
import type { Access, Words } from "./model/words.js";

/** Where docs/protocol.md says that they begin. */
const AT = { notices: 64, claims: 4224, awaits: 12_480, ended: 16_576 } as const;
const LAST_EPOCH = 2 ** 28 - 1;

/** The epoch of the lane that stands for one of the model: its first epochs, or the last ones and those after starting over. */
type Renaming = (epoch: number) => number;
const renamings: Record<string, Renaming> = {
  first: (epoch) => epoch,
  last: (epoch) => (epoch === 0 ? 0 : ((epoch + LAST_EPOCH - 2) % LAST_EPOCH) + 1),
};

class Replay {
  readonly #lanes: Record<LaneStep["side"], Lane>;
  readonly #name: Renaming;

  constructor(name: Renaming) {
    const main = new Lane();
    this.#lanes = { main, worker: new Lane(main.buffer), world: main };
    this.#name = name;
  }

  /** What the lane answers where the model made this access. */
  answer(side: LaneStep["side"], [name, args]: Access): number | boolean | undefined {
    const lane = this.#lanes[side];
    const [first, place, third, fourth] = args as [number, number, number, number];
    const epoch = this.#name(first);
    switch (name) {
      case "offer":
        lane.offer(epoch, place);
        return undefined;
      case "notice":
        return lane.notice(first)[0];
      case "post":
        lane.post(epoch, place, third as Notice);
        return undefined;
      case "move":
        return lane.move(epoch, place, third as Claim, fourth as Claim);
      case "stands":
        return lane.stands(epoch, place, third as Claim);
      case "awaits":
        lane.awaits(epoch, place);
        return undefined;
      case "isAwaiting":
        return lane.isAwaiting(epoch, place);
      case "report":
        lane.report(first, place as Ended, 0, 0);
        return undefined;
      case "ended":
        return lane.ended(first);
      case "store":
        throw new Error("only of wrong protocols");
      default:
        return name satisfies never;
    }
  }

  words(places: number): Omit<Words, "unseen"> {
    const all = new Int32Array(this.#lanes.main.buffer);
    const from = (bytes: number): number[] => [...all.subarray(bytes / 4, bytes / 4 + places)];
    return {
      notices: from(AT.notices),
      claims: from(AT.claims),
      awaits: from(AT.awaits),
      ended: from(AT.ended),
    };
  }

  /** What they are to be. */
  expected({ words }: State): Omit<Words, "unseen"> {
    const word = (value: number): number => (value === 0 ? 0 : (this.#name(value >> 3) << 3) | (value & 7));
    return {
      notices: words.notices.map(word),
      claims: words.claims.map(word),
      awaits: words.awaits.map(this.#name),
      ended: [...words.ended],
    };
  }

  result([name, , result]: Access): number | boolean | undefined {
    return name === "notice" && typeof result === "number" && result !== 0
      ? (this.#name(result >> 3) << 3) | (result & 7)
      : result;
  }
}

test.each(Object.entries(setups))("every way through the model is one through the lane: %s", (_, setup) => {
  const model = new LaneModel(setup, true);
  const met = new Set<string>();
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(renamings)),
      // Long enough for each of them to come to its end.
      fc.array(fc.nat(), { minLength: 80, maxLength: 80 }),
      (name, choices) => {
        const replay = new Replay(renamings[name] as Renaming);
        let state = model.initial;
        for (const choice of choices) {
          const steps = model.stepsOf(state);
          const step = steps[choice % Math.max(1, steps.length)];
          if (step === undefined) return;
          for (const access of step.accesses) {
            met.add(access[0]);
            expect([step.label, replay.answer(step.side, access)]).toEqual([
              step.label,
              replay.result(access),
            ]);
          }
          state = step.to;
          expect(replay.words(setup.places)).toEqual(replay.expected(state));
        }
      },
    ),
    { numRuns: 60 },
  );
  // It has not been idle.
  for (const name of ["offer", "move", "stands"]) expect(met).toContain(name);
});

test("the places of an envelope that the model never has are as those it has", () => {
  const lane = new Lane();
  const all = new Int32Array(lane.buffer);
  lane.offer(3, PLACES);
  for (const at of [AT.notices, AT.claims]) {
    const words = all.subarray(at / 4, at / 4 + PLACES);
    expect(new Set(words).size).toBe(1);
  }
});
