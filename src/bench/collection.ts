/** The figures of a measurement, as they come in. */
import type { Outcome } from "../pool/types.js";
import { distributionOf, medianOf } from "./distribution.js";
import type { CancellationReport, Distribution, Timeline } from "./report.js";
import type { Specimen } from "./specimen.js";

type Figures = Pick<
  CancellationReport,
  "samples" | "latency" | "first" | "heard" | "outcomes" | "hard" | "finishedFirst" | "timeline"
>;

export class Collection {
  /** Cancellations that hit something. */
  rounds = 0;
  /** Tasks that were over by then. */
  finishedFirst = 0;
  readonly #outcomes: Record<Outcome, number> = {
    completed: 0,
    failed: 0,
    dropped: 0,
    stopped: 0,
    interrupted: 0,
    terminated: 0,
    crashed: 0,
  };
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
    const returned = cancelled.returned - cancelled.from;
    this.#cancel.push(returned);
    for (const { seen, isHeard, stopped, settled, outcome } of moments) {
      this.#outcomes[outcome]++;
      if (seen !== undefined) this.#seen.push(seen);
      if (isHeard) this.#heard++;
      this.#stopped.push(stopped);
      // Handing over the next task comes first, where there is one: that is no part of the way to the promise.
      if (next === undefined) this.#settled.push(settled);
    }
    if (next === undefined || moments.length < subject.tasks) return;
    const begins = next.begins.map((at) => at - cancelled.from);
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

  /** There must have been a round. */
  figures(): Figures {
    const { interrupted, terminated } = this.#outcomes;
    return {
      samples: this.rounds,
      latency: {
        cancel: distributionOf(this.#cancel) as Distribution,
        seen: distributionOf(this.#seen),
        stopped: distributionOf(this.#stopped) as Distribution,
        // Where every one was followed, as when it was ended early, there is none without.
        settled: (distributionOf(this.#settled) ??
          distributionOf(this.#timelines.map(({ settled }) => settled))) as Distribution,
        next: distributionOf(this.#next),
      },
      first: this.#first as CancellationReport["first"],
      heard: this.#heard / Math.max(1, this.#seen.length),
      outcomes: this.#outcomes,
      hard: (interrupted + terminated) / this.#stopped.length,
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
