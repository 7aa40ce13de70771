/** How a task runs when nobody cancels it: how long it takes, and how often it looks at its context. */
import { COUNT, GAPS, type ProbeMode } from "../workers/probe.js";
import { failed } from "./errors.js";
import type { ResolvedMeasureOptions } from "./options.js";
import type { CancellationReport, Polls } from "./report.js";
import { Specimen, type Subject } from "./specimen.js";
import { begun, endsWithin, stopped } from "./waiting.js";

export type Observed = Pick<CancellationReport, "duration" | "polls">;

/** The longest that a task is watched, ms; and of the time there is for the measurement, a part. */
const LONGEST = 1000;
const PART = 5;

interface Run {
  /** How long it went, or was watched. */
  readonly ns: number;
  /** It ended by itself. */
  readonly isWhole: boolean;
  readonly polls: number;
  readonly gaps: { readonly longest: number; readonly squares: number };
}

/** Two runs: counting polls costs nothing, but reading the clock at each of them costs more than they do. */
export async function observe(subject: Subject, options: ResolvedMeasureOptions): Promise<Observed> {
  const counted = await watch(subject, options, COUNT);
  const duration = { ns: counted.ns, atLeast: !counted.isWhole };
  if (counted.ns <= 0) return { duration, polls: undefined };
  const timed = await watch(subject, options, GAPS);
  const polls: Polls = {
    perSecond: (1e9 * counted.polls) / counted.ns,
    longestGap: timed.gaps.longest,
    // A moment that may be any falls into a gap in proportion to its length, and waits for half of it.
    meanWait: timed.gaps.squares / (2 * Math.max(1, timed.ns)),
  };
  return { duration, polls };
}

/** One task alone, whatever number is going to be cancelled at once. */
async function watch(subject: Subject, options: ResolvedMeasureOptions, mode: ProbeMode): Promise<Run> {
  const { ctx, patience, time } = options;
  const specimen = new Specimen({ ...subject, tasks: 1 }, mode);
  try {
    if (!(await begun(specimen, patience, ctx))) ctx.throwIfDone();
    const isWhole = await endsWithin(specimen, Math.min(LONGEST, time / PART), ctx);
    const { failure } = specimen;
    if (failure !== undefined) throw failed(subject.name, failure.reason);
    specimen.cancel();
    await stopped(specimen, patience);
    ctx.throwIfDone();
    return runOf(specimen, isWhole);
  } finally {
    specimen.cancel();
  }
}

function runOf(specimen: Specimen, isWhole: boolean): Run {
  const [probe] = specimen.probes;
  const [began] = specimen.begins;
  if (probe === undefined || began === undefined) throw new Error("there is one task");
  const asked = specimen.cancelled?.from ?? specimen.ended;
  const end = isWhole ? specimen.ended : (probe.seen ?? asked);
  return { ns: end - began, isWhole, polls: probe.polls, gaps: probe.gaps(end) };
}
