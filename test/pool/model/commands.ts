/** Random commands. Each picks what it acts on from what there is when its turn comes, so that a shrunken sequence still makes sense. */
import fc from "fast-check";
import type { Action, Submission } from "./actions.js";
import { type Game, HOUR } from "./game.js";
import type { Part } from "./parts.js";
import type { Real } from "./real.js";

/** A submission before it has its number. */
type Draft = Omit<Submission, "id" | "isOpen">;

class Command implements fc.AsyncCommand<Game, Real> {
  readonly #name: string;
  readonly #choose: (game: Game) => Action | undefined;
  readonly #tally: (what: string) => void;

  constructor(name: string, choose: (game: Game) => Action | undefined, tally: (what: string) => void) {
    this.#name = name;
    this.#choose = choose;
    this.#tally = tally;
  }

  check(): boolean {
    return true;
  }

  async run(game: Game): Promise<void> {
    const action = this.#choose(game);
    if (action === undefined) return;
    this.#tally(action.do);
    await game.act(action);
  }

  /** What it acted on depends on the others: the error tells. */
  toString(): string {
    return this.#name;
  }
}

function pick<T>(all: readonly T[], at: number): T | undefined {
  return all[at % Math.max(1, all.length)];
}

const index = fc.nat(1000);
const cause = fc.option(fc.constantFrom("why", "enough"), { nil: undefined });

/** @param kind what cannot be told in advance is not done in a quiet game */
function parts(kind: Game["kind"]): fc.Arbitrary<Part> {
  return fc
    .record({
      gated: fc.oneof(
        { weight: 3, arbitrary: fc.constant(true) },
        { weight: 1, arbitrary: fc.constant(false) },
      ),
      hears: fc.constantFrom("never" as const, "polls" as const, "awaits" as const),
      ends: fc.oneof(
        { weight: 4, arbitrary: fc.constant("returns" as const) },
        {
          weight: 3,
          arbitrary: fc.constantFrom("throws" as const, "uncloneable" as const, "unsendable" as const),
        },
        { weight: kind === "quiet" ? 1 : 2, arbitrary: fc.constant("exits" as const) },
      ),
      heeds: fc.oneof(
        { weight: 2, arbitrary: fc.constant("gives up" as const) },
        { weight: 1, arbitrary: fc.constantFrom("returns" as const, "throws" as const) },
      ),
    })
    .map((part) => (part.ends === "unsendable" ? { ...part, gated: false } : part));
}

function drafts(kind: Game["kind"]): fc.Arbitrary<Draft> {
  return fc
    .record({
      part: parts(kind),
      ctx: index,
      priority: fc.constantFrom(0, 0, 0, 1, -1),
      grace: fc.constantFrom(undefined, undefined, 0, kind === "quiet" ? 0 : 5),
      onOverrun: fc.constantFrom("terminate" as const, "terminate" as const, "interrupt" as const),
      isHeard: fc.boolean(),
    })
    .map((draft) => {
      const { part, grace, isHeard } = draft;
      // With no grace at all it is chance whether one that hears of it gets to say so.
      const isChance = kind === "quiet" && part.hears !== "never";
      // A failure of its own that nobody listens to is an unhandled rejection, and ought to be.
      const mayFail = part.ends !== "returns" || part.heeds === "throws";
      return { ...draft, grace: isChance ? undefined : grace, isHeard: isHeard || mayFail };
    });
}

function accepted(game: Game, draft: Draft): Submission {
  return { ...draft, id: game.nextId(), ctx: draft.ctx % game.contexts, isOpen: false };
}

/** @param tally is told what was done */
export function commands(
  kind: Game["kind"],
  tally: (what: string) => void,
  constraints: fc.CommandsContraints,
): fc.Arbitrary<Iterable<fc.AsyncCommand<Game, Real>>> {
  const as = (name: string, choose: (game: Game) => Action | undefined): Command =>
    new Command(name, choose, tally);
  const draft = drafts(kind);
  const isQuiet = kind === "quiet";

  const derive = fc
    .record({
      parent: index,
      timeout: isQuiet
        ? fc.constantFrom(Infinity, 0, HOUR, 2 * HOUR, 3 * HOUR)
        : fc.constantFrom(Infinity, 0, 1, 5, 15),
      cause,
    })
    .map((given) =>
      as("derive", (game) => {
        const parent = given.parent % game.contexts;
        // No two deadlines at the same moment: which cause would count is chance.
        const timeout = given.timeout >= HOUR ? given.timeout + 1013 * game.contexts : given.timeout;
        return { do: "derive", parent, timeout, cause: given.cause };
      }),
    );

  const submit = draft.map((given) =>
    as("submit", (game) => ({ do: "submit", task: accepted(game, given) })),
  );

  const map = fc
    .record({
      ctx: index,
      drafts: fc.array(draft, { minLength: 1, maxLength: 6, size: "max" }),
      concurrency: fc.constantFrom(1, 2, 9),
      onError: fc.constantFrom("cancel" as const, "settle" as const),
    })
    .map((given) =>
      as("map", (game) => {
        // A batch does not count as waiting, but takes the thread that room was seen for: while one is being replaced, it is
        // chance which comes first.
        if (isQuiet && Number.isFinite(game.real.rules.maxQueue)) return undefined;
        const inputs = given.drafts.map((each) => {
          const part = isQuiet ? quietPart(each.part, given.onError) : each.part;
          // An input has the pool's options, and an input that cannot be cloned is another matter.
          const ends = part.ends === "unsendable" ? "throws" : part.ends;
          const own = { priority: 0, grace: undefined, onOverrun: "terminate" as const, isHeard: true };
          return accepted(game, { ...each, ...own, part: { ...part, ends } });
        });
        const { concurrency, onError } = given;
        return { do: "map", id: game.nextId(), ctx: given.ctx % game.contexts, inputs, concurrency, onError };
      }),
    );

  const open = index.map((at) =>
    as("open", (game) => {
      const id = pick(game.gates, at);
      return id === undefined ? undefined : { do: "open", id };
    }),
  );

  const cancelOne = fc
    .record({ what: fc.constantFrom("task" as const, "task" as const, "batch" as const), at: index, cause })
    .map(({ what, at, cause }) =>
      as("cancel one", (game) => {
        const id = pick(what === "task" ? game.tasks : game.batches, at);
        return id === undefined ? undefined : { do: `cancel ${what}`, id, cause };
      }),
    );

  // Not the one that all others are derived from: little happens after that.
  const cancelFamily = fc.record({ at: index, cause }).map(({ at, cause }) =>
    as("cancel family", (game) => ({
      do: "cancel context",
      ctx: 1 + (at % Math.max(1, game.contexts - 1)),
      cause,
    })),
  );
  const cancelRoot = cause.map((cause) => as("cancel root", () => ({ do: "cancel context", ctx: 0, cause })));

  const waitForRoom = fc
    .record({ ctx: index, draft: fc.option(draft, { nil: undefined }) })
    .map(({ ctx, draft }) =>
      as("wait for room", (game) => {
        // Where there are many, the one who comes later also goes behind all that are there: else it would be chance who is first.
        const last = { ctx: 0, priority: -9 };
        const task = draft === undefined ? undefined : accepted(game, { ...draft, ...(isQuiet && last) });
        return { do: "wait for room", id: game.nextId(), ctx: ctx % game.contexts, task };
      }),
    );

  const close = fc.option(index, { nil: undefined }).map((ctx) =>
    as("close", (game) => ({
      do: "close",
      id: game.nextId(),
      ctx: ctx === undefined ? undefined : ctx % game.contexts,
    })),
  );
  const destroy = fc.constant(0).map(() => as("destroy", (game) => ({ do: "destroy", id: game.nextId() })));

  const time = isQuiet
    ? fc.constant(0).map(() => as("time", (game) => ({ do: "advance", ms: game.untilNext ?? HOUR })))
    : fc.oneof(fc.nat(3), fc.nat(300)).map((count) => as("time", () => ({ do: "turns", count })));

  return fc.commands(
    [
      fc.oneof(
        { weight: 40, arbitrary: submit },
        { weight: 6, arbitrary: map },
        { weight: 20, arbitrary: open },
        { weight: 14, arbitrary: cancelOne },
        { weight: 6, arbitrary: cancelFamily },
        { weight: 1, arbitrary: cancelRoot },
        { weight: 8, arbitrary: derive },
        { weight: isQuiet ? 6 : 30, arbitrary: time },
        { weight: 8, arbitrary: waitForRoom },
        { weight: 1, arbitrary: close },
        { weight: 1, arbitrary: destroy },
      ),
    ],
    constraints,
  );
}

/**
 * An input whose end cannot happen at the same time as another one's: it waits for its gate. And when a failure ends its batch, the next
 * one may have begun or not.
 */
function quietPart(part: Part, onError: "cancel" | "settle"): Part {
  return { ...part, gated: true, ends: onError === "cancel" ? "returns" : part.ends };
}
