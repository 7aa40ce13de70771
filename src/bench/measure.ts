/** Cancelling a task again and again, at random moments, and what comes of it. */
import { now } from "../context/clock.js";
import { race } from "../context/race.js";
import { withTimeout } from "../context/with-deadline.js";
import type { Pool } from "../pool/pool.js";
import type { TaskArgs, TaskName } from "../pool/types.js";
import { STAMPS } from "../workers/probe.js";
import { Collection } from "./collection.js";
import { failed, MeasurementError, tooShort } from "./errors.js";
import { type MeasureOptions, type ResolvedMeasureOptions, resolveMeasureOptions } from "./options.js";
import type { CancellationReport } from "./report.js";
import { Specimen, type Subject } from "./specimen.js";
import { summaryOf } from "./summary.js";
import { begun, moment, stopped } from "./waiting.js";
import { type Observed, observe } from "./watching.js";

/** Rounds that are not in the figures, in which code is compiled; and the part of the time they may take. */
const WARM_UP = 1000;
const WARM_UP_PART = 0.1;
/** ns: in these rounds it is cancelled soon, so that there are many. */
const WARM_UP_WINDOW = 0.1e6;
/** Rounds that are taken whatever time they take. */
const LEAST = 10;
/** Once so many tasks were over before they could be cancelled, one in ten at least must not have been. */
const TRIALS = 40;
const HIT = 0.1;
/** A task that is over so soon, ns, is not there any more when somebody cancels it. */
const SHORTEST = 50_000;
/** Where the task has no end of its own: how much of it is looked at, ns, unless it goes longer without a look. */
const WINDOW = 20e6;

/**
 * Measures how fast a task stops: runs it on `pool`, with `args`, again and again, cancels it at random moments, and tells how
 * long it took to be seen, to stop and to settle, how often the task polls, and what that means.
 *
 * Takes `options.time` and some seconds more; the pool should have nothing else to do, and the machine neither. The pool
 * goes on to be the caller's: it is not closed. Where the tasks fill the pool's threads, every second one has another one
 * waiting behind it, whose begin is the thread's next task.
 *
 * @returns rejects with MeasurementError ERR_TASK_FAILED, ERR_TASK_NOT_STARTED, ERR_TASK_TOO_SHORT or ERR_TASK_NOT_STOPPED (then it
 * goes on in the pool), with PoolError such as ERR_UNKNOWN_TASK or ERR_TASK_MODULE, with TypeError ERR_INVALID_ARG, and with
 * `options.ctx.err()` when that ends before there is anything to tell; later it resolves with what there is, `isComplete` false
 */
export async function measureCancellation<M, K extends TaskName<M>>(
  pool: Pool<M>,
  name: K,
  args: TaskArgs<M[K]>,
  options?: MeasureOptions,
): Promise<CancellationReport> {
  const resolved = resolveMeasureOptions("measureCancellation", pool, name, args, options);
  const subject: Subject = {
    pool: pool as unknown as Pool,
    name,
    args,
    tasks: resolved.tasks,
    submit: resolved.submit,
  };
  return await measure(subject, resolved);
}

/** @param beside is called in turn with the cancellations, for something to compare them with */
export async function measure(
  subject: Subject,
  options: ResolvedMeasureOptions,
  beside: () => Promise<void> | undefined = () => undefined,
): Promise<CancellationReport> {
  await loaded(subject, options);
  const fills = subject.pool.stats().threads === subject.tasks;
  const observed = await observe(subject, options);
  if (observed.duration.ns < SHORTEST && !observed.duration.atLeast)
    throw tooShort(subject.name, observed.duration.ns);
  const window = windowOf(observed, options.time);
  const collected = new Collection();
  await sample(subject, options, { window, fills }, collected, beside);
  if (collected.rounds === 0) options.ctx.throwIfDone();
  if (collected.rounds === 0) throw tooShort(subject.name, observed.duration.ns);
  const isComplete = options.ctx.err() === undefined;
  const figures = { task: subject.name, tasks: subject.tasks, isComplete, window, ...observed };
  const report = { ...figures, ...collected.figures() };
  return { ...report, summary: summaryOf(report) };
}

async function loaded({ pool, name }: Subject, { ctx, patience }: ResolvedMeasureOptions): Promise<void> {
  const [waiting, cancel] = withTimeout(ctx, patience);
  try {
    await race(waiting, pool.ready());
  } catch (error) {
    if (error !== waiting.err() || ctx.err() !== undefined) throw error;
    throw new MeasurementError(
      "ERR_TASK_NOT_STARTED",
      `measureCancellation: the module of the task ${JSON.stringify(name)} was not loaded within ${patience} ms: look what it waits for at its top level`,
    );
  } finally {
    cancel();
  }
}

/** Of a task that ends by itself, all of it; but no more than leaves time for enough samples. */
function windowOf({ duration, polls }: Observed, time: number): number {
  const most = (2 * time * 1e6) / (3 * LEAST);
  const wanted = duration.atLeast ? Math.max(WINDOW, 2 * (polls?.longestGap ?? 0)) : duration.ns;
  return Math.min(wanted, most, duration.ns);
}

async function sample(
  subject: Subject,
  options: ResolvedMeasureOptions,
  { window, fills }: { readonly window: number; readonly fills: boolean },
  collected: Collection,
  beside: () => Promise<void> | undefined,
): Promise<void> {
  const { ctx, patience, samples, time } = options;
  const from = now();
  let next: Specimen | undefined;
  let current: Specimen | undefined;
  let left = WARM_UP;
  try {
    while (collected.rounds < samples && ctx.err() === undefined) {
      if (collected.rounds >= LEAST && now() - from > time) break;
      const isWarmUp = left > 0 && now() - from < WARM_UP_PART * time;
      left = isWarmUp ? left - 1 : 0;
      await beside();
      current = next ?? new Specimen(subject, STAMPS);
      next = undefined;
      if (!(await begun(current, patience, ctx))) break;
      const within = isWarmUp ? Math.min(window, WARM_UP_WINDOW) : window;
      await moment(Math.max(...current.begins) + Math.random() * within, ctx);
      if (ctx.err() !== undefined) break;
      // Both kinds are compiled.
      const isFollowed = fills && (collected.rounds + left) % 2 === 1;
      if (isFollowed) next = new Specimen(subject, STAMPS);
      current.cancel();
      await stopped(current, patience);
      if (next !== undefined && !(await begun(next, patience, ctx))) break;
      if (isWarmUp) collected.noteFirst(current);
      else collect(current, next, subject, collected);
      current = undefined;
      tell(options, collected.rounds);
    }
  } finally {
    await calledOff([current, next], patience);
  }
}

function collect(
  current: Specimen,
  next: Specimen | undefined,
  subject: Subject,
  collected: Collection,
): void {
  const { failedFirst } = current;
  if (failedFirst !== undefined) throw failed(subject.name, failedFirst.reason);
  collected.add(current, next);
  const { rounds, finishedFirst } = collected;
  if (finishedFirst >= TRIALS && rounds < HIT * finishedFirst)
    throw tooShort(subject.name, current.ended - Math.min(...current.begins));
}

function tell({ onProgress, samples }: ResolvedMeasureOptions, done: number): void {
  try {
    onProgress?.(done, samples);
  } catch {
    // Whoever watches does not disturb.
  }
}

/** What is left when a measurement ends early. */
async function calledOff(specimens: readonly (Specimen | undefined)[], patience: number): Promise<void> {
  for (const specimen of specimens) specimen?.cancel();
  for (const specimen of specimens)
    if (specimen !== undefined) await stopped(specimen, patience).catch(() => {});
}
