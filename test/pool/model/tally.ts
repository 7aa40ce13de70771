/** What the sequences have covered. */
import { noOutcomes } from "../../../src/pool/ledger.js";

export class Tally {
  readonly #name: string;
  readonly #commands = new Map<string, number>();
  readonly #situations = new Set<string>();
  readonly #outcomes = noOutcomes();
  #sequences = 0;

  constructor(name: string) {
    this.#name = name;
  }

  did(what: string): void {
    this.#commands.set(what, (this.#commands.get(what) ?? 0) + 1);
  }

  saw(situation: string): void {
    this.#situations.add(situation);
  }

  ended(outcomes: Readonly<ReturnType<typeof noOutcomes>>): void {
    this.#sequences++;
    for (const outcome of Object.keys(outcomes) as (keyof typeof outcomes)[])
      this.#outcomes[outcome] += outcomes[outcome];
  }

  /** Only where somebody asks for it. */
  print(): void {
    if (process.env.MODEL_RUNS === undefined) return;
    const total = [...this.#commands.values()].reduce((sum, count) => sum + count, 0);
    console.log(
      `${this.#name}: ${this.#sequences} sequences, ${total} commands, ${this.#situations.size} situations`,
    );
    console.log(Object.fromEntries(this.#commands), this.#outcomes);
  }
}
