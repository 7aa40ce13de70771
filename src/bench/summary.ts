/** What the figures mean, in sentences: what to do about it, where something can be done. */
import { formatNs } from "./format.js";
import type { CancellationReport, Distribution } from "./report.js";

type Measured = Omit<CancellationReport, "summary">;

/** A wait that people and servers notice, ns; and one that nobody does. */
const LONG = 1e6;
const SOON = 0.1e6;

/** Cancellations that it takes to say something of the tail. */
const FEW = 50;

export function summaryOf(report: Measured): string[] {
  return [...lookingOf(report), ...hardOf(report), ...outcomesOf(report)];
}

/** How it comes to know, and what it does then. */
function lookingOf(report: Measured): string[] {
  const { seen } = report.latency;
  const { polls } = report;
  if (seen === undefined && polls !== undefined && polls.perSecond > 0)
    return [
      `It polls every ${formatNs(1e9 / polls.perSecond)}, ${formatNs(polls.longestGap)} apart at most, and was stopped hard before it came to that: ${settledOf(report)}. Give it a longer grace, or poll in the inner loop.`,
    ];
  if (seen === undefined)
    return [`It never looked at its context: ${settledOf(report)}.`, ...insteadOf(report)];
  return report.heard > 0.5 ? toldOf(report) : pollingOf(report, seen);
}

function settledOf({ latency: { settled } }: Measured): string {
  return `half of all cancellations have settled within ${formatNs(settled.p50)}, 99 of 100 within ${formatNs(settled.p99)}`;
}

function insteadOf({ outcomes }: Measured): string[] {
  const poll = "Call ctx.throwIfDone() in its inner loop, which costs 1 to 2 ns";
  if (outcomes.interrupted > 0) return [`${poll}, and it stops without being cut off.`];
  return [`${poll}; where that is not possible, choose a short grace and onOverrun: "interrupt".`];
}

function toldOf(report: Measured): string[] {
  const told = `Its thread is told of a cancellation while it awaits something: ${settledOf(report)}.`;
  const after = afterSeen(report);
  if (after === undefined) return [told];
  return [
    told,
    `But it goes on for another ${after}: what it awaits does not know of the context. Await sleep(ctx, …) or race(ctx, …), or hand ctx.signal on; unless that is its clean-up.`,
  ];
}

function pollingOf(report: Measured, seen: Distribution): string[] {
  const { polls, hard } = report;
  const settled = settledOf(report);
  const after = afterSeen(report);
  const cleaning =
    after === undefined || hard > 0.5
      ? []
      : [`Once it has seen its end it takes another ${after} to stop: that is its own clean-up, and counts.`];
  if (polls === undefined || polls.perSecond === 0)
    return [
      `It looks at its context at times, and at times it does not: ${settled}. Poll in the inner loop.`,
      ...cleaning,
    ];
  const { longestGap } = polls;
  const interval = 1e9 / polls.perSecond;
  const worst = Math.max(longestGap, seen.max);
  const polling = `It polls every ${formatNs(interval)}: a cancellation takes ${formatNs(seen.mean)} on average to be seen, and ${formatNs(worst)} at worst`;
  if (seen.mean < SOON)
    return [`${polling}; ${settled}. There is nothing to gain by polling more.`, ...cleaning];
  if (longestGap > 10 * interval)
    return [
      `${polling}, since it does not poll all the time; ${settled}. Look for what it does in between, and poll there, too, unless the machine was busy with something else.`,
      ...cleaning,
    ];
  return [`${polling}; ${settled}. To stop sooner, poll inside the inner loop.`, ...cleaning];
}

/** How long it went on, where that is worth a word. */
function afterSeen({ latency: { seen, stopped }, outcomes }: Measured): string | undefined {
  if (seen === undefined || outcomes.crashed > 0) return undefined;
  const after = stopped.p50 - seen.p50;
  return after < LONG || after < seen.p50 / 4 ? undefined : formatNs(after);
}

function hardOf({ hard, heard, latency: { seen } }: Measured): string[] {
  if (hard === 0) return [];
  if (seen === undefined || heard > 0.5)
    return [`${percent(hard)} of the cancelled tasks had to be stopped hard.`];
  return [
    `${percent(hard)} had to be stopped hard, because they overran their grace: poll more often, or do less after the cancellation.`,
  ];
}

function outcomesOf({ outcomes, finishedFirst, samples, isComplete }: Measured): string[] {
  const all = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  const sentences: string[] = [];
  if (outcomes.failed > 0)
    sentences.push(
      `${percent(outcomes.failed / all)} failed with an error of their own instead of giving up: let what ctx.throwIfDone() throws pass through.`,
    );
  if (outcomes.completed > 0)
    sentences.push(
      `${percent(outcomes.completed / all)} completed although they had been cancelled: as intended by a task that returns its best so far, else a sign that it does not poll near its end.`,
    );
  if (outcomes.crashed > 0) sentences.push(`${percent(outcomes.crashed / all)} took their thread down.`);
  if (finishedFirst > all / 4)
    sentences.push(
      `${finishedFirst} tasks were over before they could be cancelled: give it more to do for figures that say more.`,
    );
  if (samples < FEW)
    sentences.push(
      `${samples === 1 ? "One cancellation is" : `${samples} cancellations are`} few${isComplete ? ": more of them make the tail worth looking at" : ", since it was ended early"}.`,
    );
  return sentences;
}

function percent(share: number): string {
  return share === 1 ? "All" : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}
