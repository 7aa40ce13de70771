/** The figures of a measurement, as they come in. */
import { noOutcomes } from "../pool/ledger.js";
import { distributionOf, medianOf } from "./distribution.js";
import type { CancellationReport, Distribution, Timeline } from "./report.js";
import type { Moments, Specimen } from "./specimen.js";

type Figures = Pick<
  CancellationReport,
  "samples" | "latency" | "first" | "heard" | "outcomes" | "hard" | "finishedFirst" | "timeline"
>;

export class Collection {
  /** Cancellations that hit something. */
  rounds = 0;
  /** Tasks that were over by then. */
  finishedFirst = 0;
  readonly #outcomes = noOutcomes();
  readonly #cancel: number[] = [];
  readonly #seen: number[] = [];
  readonly #stopped: number[] = [];
  readonly #settled: number[] = [];
  readonly #next: number[] = [];
  readonly #timelines: Timeline[] = [];
  #first: CancellationReport["first"] | undefined;
  #heard = 0;

  /** Of one that is not in the figures: the first of all is told apart. */
  noteFirst({ cancelled, settledLast }: Specimen): void {
    if (cancelled === undefined) return;
    const { from, returned } = cancelled;
    this.#first ??= { cancel: returned - from, settled: settledLast - from };
  }

  /** @param next what waited behind it, and has begun */
  add(specimen: Specimen, next: Specimen | undefined): void {
    const { cancelled, subject } = specimen;
    if (cancelled === undefined) return;
    const moments = specimen.moments();
    this.finishedFirst += subject.tasks - moments.length;
    if (moments.length === 0) return;
    this.rounds++;
    this.noteFirst(specimen);
    for (const { outcome } of moments) this.#outcomes[outcome]++;
    const returned = cancelled.returned - cancelled.from;
    // One or the other: handing over the next task comes before the promise, and is no part of the way to it.
    if (next === undefined) this.#addStop(returned, moments);
    else if (moments.length === subject.tasks) this.#addNext(returned, moments, next, cancelled.from);
  }

  #addStop(returned: number, moments: readonly Moments[]): void {
    this.#cancel.push(returned);
    for (const { seen, isHeard, stopped, settled } of moments) {
      if (seen !== undefined) this.#seen.push(seen);
      if (isHeard) this.#heard++;
      this.#stopped.push(stopped);
      this.#settled.push(settled);
    }
  }

  #addNext(returned: number, moments: readonly Moments[], next: Specimen, from: number): void {
    const begins = next.begins.map((at) => at - from);
    this.#next.push(...begins);
    const last = (times: readonly number[]): number => Math.max(...times);
    const sights = moments.flatMap(({ seen }) => (seen === undefined ? [] : [seen]));
    this.#timelines.push({
      returned,
      seen: sights.length < moments.length ? undefined : last(sights),
      stopped: last(moments.map(({ stopped }) => stopped)),
      next: last(begins),
      settled: last(moments.map(({ settled }) => settled)),
    });
  }

  /** Whether there is something to tell. */
  get isEmpty(): boolean {
    return this.#stopped.length === 0;
  }

  /** It must not be empty. */
  figures(): Figures {
    const { interrupted, terminated } = this.#outcomes;
    return {
      samples: this.rounds,
      latency: {
        cancel: distributionOf(this.#cancel) as Distribution,
        seen: distributionOf(this.#seen),
        stopped: distributionOf(this.#stopped) as Distribution,
        settled: distributionOf(this.#settled) as Distribution,
        next: distributionOf(this.#next),
      },
      first: this.#first as CancellationReport["first"],
      heard: this.#heard / Math.max(1, this.#seen.length),
      outcomes: this.#outcomes,
      hard: (interrupted + terminated) / Object.values(this.#outcomes).reduce((sum, count) => sum + count),
      finishedFirst: this.finishedFirst,
      timeline: this.#typical(),
    };
  }

  /** The cancellation whose task settled in the middle of all. */
  #typical(): Timeline | undefined {
    if (this.#timelines.length === 0) return undefined;
    const middle = medianOf(this.#timelines.map(({ settled }) => settled));
    const distance = ({ settled }: Timeline): number => Math.abs(settled - middle);
    return this.#timelines.reduce((a, b) => (distance(b) < distance(a) ? b : a));
  }
}
