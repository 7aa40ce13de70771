/**
 * Whatever is done to a pool in whatever order, against a model of it. In a quiet game the model says exactly where everything is
 * once the pool has come to rest; in a racing one nobody waits for that, and the model says how each task may end.
 *
 * fast-check prints seed, path and replayPath of what fails: MODEL_SEED, MODEL_PATH and MODEL_REPLAY run just that again.
 * MODEL_FIRST stops at the first failure as it is, without looking for a shorter one. MODEL_RUNS sets how many sequences there are, and prints what they covered.
 */
import fc from "fast-check";
import { background, withCancel } from "lifeguard";
import { describe, expect, test, vi } from "vitest";
import { reasonOf } from "../../src/context/invalid.js";
import { uncaughtDuring } from "../support/uncaught.js";
import { countOf } from "./model/census.js";
import { commands } from "./model/commands.js";
import { Exact } from "./model/exact.js";
import { type Game, HOUR, QuietGame, RacingGame } from "./model/game.js";
import { Loose } from "./model/loose.js";
import type { Rules } from "./model/parts.js";
import { Real } from "./model/real.js";
import { Tally } from "./model/tally.js";

const { MODEL_RUNS, MODEL_SEED, MODEL_PATH, MODEL_REPLAY, MODEL_FIRST } = process.env;

const parameters = (numRuns: number): fc.Parameters<unknown> => ({
  numRuns: MODEL_RUNS === undefined ? numRuns : Number(MODEL_RUNS),
  ...(MODEL_SEED !== undefined && { seed: Number(MODEL_SEED) }),
  ...(MODEL_PATH !== undefined && { path: MODEL_PATH }),
  endOnFailure: MODEL_FIRST !== undefined,
});

const constraints: fc.CommandsContraints = {
  maxCommands: 40,
  size: "max",
  ...(MODEL_REPLAY !== undefined && { replayPath: MODEL_REPLAY }),
};

const LONG = MODEL_RUNS === undefined ? 600_000 : 0;

const rules = fc.record({
  threads: fc.integer({ min: 1, max: 3 }),
  spares: fc.integer({ min: 0, max: 1 }),
  order: fc.constantFrom("fifo" as const, "deadline" as const),
  maxQueue: fc.constantFrom(0, 1, 3, Infinity, Infinity),
  together: fc.boolean(),
});

/** Contexts of the library, all kinds. */
const node = (): object => withCancel(background)[0];

/** Plays the game with a pool of its own, and sees that nothing is left of that. */
async function played(make: () => Real, play: (real: Real) => Promise<void>): Promise<void> {
  const before = { contexts: countOf(node()), kept: { active: active(), listeners: listeners() } };
  await using real = make();
  expect(await uncaughtDuring(() => play(real))).toEqual([]);
  real.expectGone();
  const own = real.contexts.length;
  real.forget();
  expect({ active: active(), listeners: listeners() }).toEqual(before.kept);
  // Fewer, when what was left of an earlier game has gone meanwhile.
  expect(countOf(node()) - own).toBeLessThanOrEqual(before.contexts);
}

/** What of the kinds that a pool uses keeps this process alive. */
function active(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => kind === "MessagePort" || kind === "Worker");
}

function listeners(): Record<string, number> {
  return Object.fromEntries(process.eventNames().map((name) => [String(name), process.listenerCount(name)]));
}

/** Some families to begin with, and some with deadlines, ms. */
async function families(game: Game, deadlines: readonly number[]): Promise<void> {
  for (const timeout of [Infinity, Infinity, ...deadlines])
    await game.act({ do: "derive", parent: 0, timeout, cause: undefined });
}

/** What there is to see of a game that goes wrong is what was done. */
async function logged(game: Game, play: () => Promise<void>): Promise<void> {
  try {
    await play();
  } catch (error) {
    const steps = game.log.map((step, i) => `${i + 1}. ${step}`);
    throw new Error(`${reasonOf(error)}\n\nThis was done:\n${steps.join("\n")}`, { cause: error });
  }
}

type Sequence = Iterable<fc.AsyncCommand<Game, Real>>;

async function openAll(game: Game): Promise<void> {
  for (let [id] = game.gates; id !== undefined; [id] = game.gates) await game.act({ do: "open", id });
}

describe("a pool and its model", () => {
  test(
    "quiet: after each command everything is where the model says",
    async () => {
      const tally = new Tally("quiet");
      const play = async (real: Real, sequence: Sequence): Promise<void> => {
        await real.start();
        vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
        const model = new Exact(real.rules);
        const game = new QuietGame(model, real, (situation) => tally.saw(situation));
        await logged(game, async () => {
          await families(game, [5 * HOUR, 3 * HOUR]);
          await fc.asyncModelRun(() => ({ model: game, real }), sequence);
          await openAll(game);
          if (!game.isClosed) {
            await expectCapacity(game, real.rules.threads);
            await game.act({ do: "close", id: game.nextId(), ctx: undefined });
          }
          while (model.phase !== "closed") await game.act({ do: "advance", ms: game.untilNext ?? HOUR });
          await real.hear();
        });
        tally.ended(real.pool.stats().outcomes);
      };
      await fc.assert(
        fc.asyncProperty(
          rules,
          fc.constantFrom(HOUR, Infinity),
          commands("quiet", (what) => tally.did(what), constraints),
          async (drawn, grace, sequence) => {
            // With several threads it is chance which of them takes how many at a time.
            const own: Rules = { ...drawn, grace, together: drawn.together && drawn.threads === 1 };
            await played(
              () => new Real(own),
              (real) => play(real, sequence),
            );
          },
        ),
        parameters(25),
      );
      tally.print();
    },
    LONG,
  );

  test(
    "racing: with everything on its way, each task ends once, in a way it may",
    async () => {
      const tally = new Tally("racing");
      const play = async (
        real: Real,
        watchdog: boolean,
        sequence: Sequence,
        end: "close" | "destroy",
      ): Promise<void> => {
        await real.start();
        const game = new RacingGame(new Loose(real, watchdog), real);
        await logged(game, async () => {
          await families(game, []);
          await fc.asyncModelRun(() => ({ model: game, real }), sequence);
          if (end === "close") {
            await openAll(game);
            await game.act({ do: end, id: game.nextId(), ctx: undefined });
          } else {
            await game.act({ do: end, id: game.nextId() });
            await openAll(game);
          }
          await game.over();
        });
        tally.ended(real.pool.stats().outcomes);
      };
      await fc.assert(
        fc.asyncProperty(
          rules,
          fc.constantFrom(0, 5, Infinity),
          fc.boolean(),
          commands("racing", (what) => tally.did(what), constraints),
          fc.constantFrom("close" as const, "destroy" as const),
          async (drawn, grace, watchdog, sequence, end) => {
            await played(
              () => new Real({ ...drawn, grace }, { watchdog }),
              (real) => play(real, watchdog, sequence, end),
            );
          },
        ),
        parameters(25),
      );
      tally.print();
    },
    LONG,
  );
});

/** Every thread is there and takes a task, all at once. */
async function expectCapacity(game: Game, threads: number): Promise<void> {
  const part = { gated: true, hears: "polls", ends: "returns", heeds: "gives up" } as const;
  const own = {
    priority: 9,
    grace: undefined,
    onOverrun: "terminate",
    isHeard: true,
    isOpen: false,
  } as const;
  for (let i = 0; i < threads; i++)
    await game.act({ do: "submit", task: { id: game.nextId(), part, ctx: -1, ...own } });
  await openAll(game);
}
