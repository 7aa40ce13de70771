/** A model and the real pool side by side: what is done to one is done to the other, and then they are compared. */
import { setTimeout as realTimeout } from "node:timers";
import { turn } from "../../support/turn.js";
import { type Action, told } from "./actions.js";
import type { Exact } from "./exact.js";
import type { Loose } from "./loose.js";
import type { Real } from "./real.js";

/** How long the real pool may take to come to where the model is, ms of real time; less once it has been found wrong, while that is shrunk. */
const PATIENCE = { first: 15_000, shrinking: 1500 };
let patience = PATIENCE.first;

/** Looks of the pool at threads that have several tasks: so many are needed until it has taken back what waits behind a gate. */
const LOOKS = 4;

export const HOUR = 3_600_000;

/** What commands act on. */
export abstract class Game {
  readonly real: Real;
  #lastId = 0;
  /** What has been done so far, for who looks at a failure. */
  readonly log: string[] = [];

  constructor(real: Real) {
    this.real = real;
  }

  abstract readonly kind: "quiet" | "racing";
  abstract readonly contexts: number;
  /** Which gates can be opened, and which tasks and batches cancelled. */
  abstract readonly gates: readonly number[];
  abstract readonly tasks: readonly number[];
  abstract readonly batches: readonly number[];
  abstract readonly isClosed: boolean;
  /** How far to go on the clock for something to happen, ms; undefined where time goes by itself. */
  abstract readonly untilNext: number | undefined;
  protected abstract do(action: Action): Promise<void>;

  async act(action: Action): Promise<void> {
    this.log.push(told(action));
    await this.do(action);
  }

  nextId(): number {
    return ++this.#lastId;
  }
}

export class QuietGame extends Game {
  readonly kind = "quiet";
  readonly #model: Exact;
  readonly #seen: (situation: string) => void;

  constructor(model: Exact, real: Real, seen: (situation: string) => void) {
    super(real);
    this.#model = model;
    this.#seen = seen;
  }

  get contexts(): number {
    return this.#model.contexts.length;
  }
  get gates(): readonly number[] {
    return this.#model.gates;
  }
  get tasks(): readonly number[] {
    return this.#model.tasks;
  }
  get batches(): readonly number[] {
    return this.#model.batches;
  }
  get isClosed(): boolean {
    return this.#model.phase !== "open";
  }
  get untilNext(): number | undefined {
    return this.#model.untilNext;
  }

  protected override async do(action: Action): Promise<void> {
    this.#model.apply(action);
    this.real.apply(action);
    await this.compare();
    this.#seen(this.#model.situation());
  }

  /** Waits until the pool is where the model says, and sees that it stays there. */
  async compare(): Promise<void> {
    const outside = (): string => difference(this.real.view(), this.#model.view());
    const inside = (): string => difference(this.real.inside(), this.#model.inside());
    await agreement(outside);
    if (this.real.rules.together) for (let i = 0; i < LOOKS; i++) await pause();
    await agreement(inside);
    await turn();
    await turn();
    const late = outside() + inside() + this.real.faults.join("\n");
    if (late !== "") failed(`the pool did not stay where the model is:\n${late}`);
  }
}

export class RacingGame extends Game {
  readonly kind = "racing";
  readonly untilNext = undefined;
  readonly #model: Loose;

  constructor(model: Loose, real: Real) {
    super(real);
    this.#model = model;
  }

  get contexts(): number {
    return this.#model.contexts.length;
  }
  get gates(): readonly number[] {
    return this.#model.gates;
  }
  get tasks(): readonly number[] {
    return this.#model.tasks;
  }
  get batches(): readonly number[] {
    return this.#model.batches;
  }
  get isClosed(): boolean {
    return this.#model.isClosed;
  }

  protected override async do(action: Action): Promise<void> {
    this.#model.apply(action);
    this.real.apply(action);
    this.#model.expectSound();
    if (action.do === "turns") for (let i = 0; i < action.count; i++) await turn();
  }

  /** When the real pool has told everybody. */
  async over(): Promise<void> {
    await agreement(() => {
      const { closes, batches, waiters } = this.real;
      const words = [
        ...closes.values(),
        ...waiters.values(),
        ...[...batches.values()].map((each) => each.told),
      ];
      return words.every((each) => each.length > 0) ? "" : "somebody has not been told";
    });
    await this.real.hear();
    this.#model.expectOver();
  }
}

/** A real millisecond, whatever clocks are faked. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    realTimeout(resolve, 1);
  });
}

async function agreement(look: () => string): Promise<void> {
  const since = Date.now();
  for (let found = look(); found !== ""; found = look()) {
    if (Date.now() - since > patience) failed(`the pool did not come to where the model is:\n${found}`);
    await turn();
  }
}

function failed(what: string): never {
  patience = PATIENCE.shrinking;
  throw new Error(what);
}

/** Where the two differ, line by line. */
function difference(real: object, model: object): string {
  const [ours, theirs] = [flat(real), flat(model)];
  const lines: string[] = [];
  for (const key of new Set([...ours.keys(), ...theirs.keys()])) {
    const [is, ought] = [ours.get(key) ?? "nothing", theirs.get(key) ?? "nothing"];
    if (is !== ought) lines.push(`  ${key}: ${is}; the model: ${ought}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

function flat(value: object, path = ""): Map<string, string> {
  const all = new Map<string, string>();
  for (const [key, each] of Object.entries(value) as [string, unknown][]) {
    const name = path === "" ? key : `${path} ${key}`;
    if (typeof each === "object" && each !== null)
      for (const [deep, text] of flat(each, name)) all.set(deep, text);
    else all.set(name, String(each));
  }
  return all;
}
