/** Cancelling a task again and again, at random moments, and what comes of it. */
import { now } from "../context/clock.js";
import { race } from "../context/race.js";
import { withTimeout } from "../context/with-deadline.js";
import type { Pool } from "../pool/pool.js";
import type { TaskArgs, TaskName } from "../pool/types.js";
import { STAMPS } from "../workers/probe.js";
import { Collection } from "./collection.js";
import { failed, MeasurementError, tooMany, tooShort } from "./errors.js";
import { type MeasureOptions, type ResolvedMeasureOptions, resolveMeasureOptions } from "./options.js";
import type { CancellationReport } from "./report.js";
import { Specimen, type Subject } from "./specimen.js";
import { summaryOf } from "./summary.js";
import { begun, moment, stopped } from "./waiting.js";
import { type Observed, observe } from "./watching.js";

/** Rounds that are not in the figures, in which code is compiled; and the part of the time they may take. */
const WARM_UP = 1000;
const WARM_UP_PART = 0.1;
const WARM_UP_TIME = 1000;
/** ns: in these rounds it is cancelled soon, so that there are many. */
const WARM_UP_WINDOW = 0.1e6;
/** Rounds that are taken whatever time they take; half of them followed by another task, where the pool is full. */
const LEAST = 10;
/** ns: a thread that was ended is replaced by a spare, which is followed by another one after 15 to 35 ms. */
const RECOVERY = 60e6;
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
  const { threads } = subject.pool.stats();
  if (subject.tasks > threads) throw tooMany(subject, threads);
  const observed = await observe(subject, options);
  if (observed.duration.ns < SHORTEST && !observed.duration.atLeast)
    throw tooShort(subject.name, observed.duration.ns);
  const window = windowOf(observed, options.time);
  const collected = new Collection();
  const isEndless = observed.duration.atLeast;
  await sample(subject, options, { window, fills: threads === subject.tasks, isEndless }, collected, beside);
  if (collected.isEmpty) options.ctx.throwIfDone();
  if (collected.isEmpty) throw tooShort(subject.name, observed.duration.ns);
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

/** Of a task that ends by itself, all of it; but no more than leaves time for the samples that are taken in any case. */
function windowOf({ duration, polls }: Observed, time: number): number {
  const most = (2 * time * 1e6) / LEAST;
  // To one that never looks, all moments are the same.
  const gap = polls === undefined || polls.perSecond === 0 ? 0 : polls.longestGap;
  const wanted = duration.atLeast ? Math.max(WINDOW, 2 * gap) : duration.ns;
  return Math.min(wanted, most, duration.ns);
}

interface Plan {
  /** ns. */
  readonly window: number;
  /** The tasks take all threads of the pool. */
  readonly fills: boolean;
  /** The task has no end of its own, as far as has been watched. */
  readonly isEndless: boolean;
}

async function sample(
  subject: Subject,
  options: ResolvedMeasureOptions,
  { window, fills: isFull, isEndless }: Plan,
  collected: Collection,
  beside: () => Promise<void> | undefined,
): Promise<void> {
  const { ctx, patience, samples, time } = options;
  const from = now();
  let fills = isFull;
  let next: Specimen | undefined;
  let current: Specimen | undefined;
  let wasFollowed = true;
  /** ns that the pool needs to be whole again after a thread was ended. */
  let recovery = 0;
  let left = WARM_UP;
  try {
    while (collected.rounds < samples && ctx.err() === undefined) {
      if (collected.rounds >= LEAST && now() - from > time) break;
      const isWarmUp = left > 0 && now() - from < Math.min(WARM_UP_PART * time, WARM_UP_TIME);
      left = isWarmUp ? left - 1 : 0;
      // What is measured beside it has the machine for itself.
      if (next === undefined) await beside();
      current = next ?? new Specimen(subject, STAMPS);
      next = undefined;
      if (!(await begun(current, patience, ctx))) break;
      const within = isWarmUp ? Math.min(window, WARM_UP_WINDOW) : window;
      await moment(Math.max(...current.begins) + recovery + Math.random() * within, ctx);
      if (ctx.err() !== undefined) break;
      // Never twice in a row, so that there is always something to tell; and not the first, nor the first that counts.
      const isFollowed: boolean = fills && !wasFollowed && (isWarmUp || collected.rounds > 0);
      if (isFollowed) next = new Specimen(subject, STAMPS);
      // A pool whose queue takes none.
      if (next?.isRefused === true) [next, fills] = [undefined, false];
      current.cancel();
      await stopped(current, patience);
      if (next !== undefined && !(await begun(next, patience, ctx))) break;
      if (isWarmUp) collected.noteFirst(current);
      else collect(current, next, subject, collected);
      recovery = isEndless && current.hasLostThread ? RECOVERY : 0;
      wasFollowed = next !== undefined;
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
  // Whoever watches does not disturb: neither by what it throws nor by a promise.
  new Promise((resolve) => {
    resolve(onProgress?.(done, samples));
  }).catch(() => {});
}

/** What is left when a measurement ends early. One that was cancelled before has been waited for. */
async function calledOff(specimens: readonly (Specimen | undefined)[], patience: number): Promise<void> {
  const left = specimens.filter((each) => each !== undefined && each.cancelled === undefined) as Specimen[];
  for (const specimen of left) specimen.cancel();
  for (const specimen of left) await stopped(specimen, patience).catch(() => {});
}
