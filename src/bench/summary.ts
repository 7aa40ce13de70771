/** What the figures mean, in sentences: what to do about it, where something can be done. */
import { formatNs } from "./format.js";
import type { CancellationReport } from "./report.js";

type Measured = Omit<CancellationReport, "summary">;

/** A wait that people and servers notice, ns; and one that nobody does. */
const LONG = 1e6;
const SOON = 0.1e6;

export function summaryOf(report: Measured): string[] {
  return [...pollingOf(report), ...hardOf(report), ...endingOf(report), ...outcomesOf(report)];
}

function pollingOf({ polls, heard, latency: { seen, settled }, hard }: Measured): string[] {
  const when = `half of all cancellations have settled within ${formatNs(settled.p50)}, 99 of 100 within ${formatNs(settled.p99)}`;
  if (seen === undefined) {
    return [
      `It never looked at its context: ${when}.`,
      'Call ctx.throwIfDone() in its inner loop, which costs 1 to 2 ns; where that is not possible, choose a short grace and onOverrun: "interrupt".',
    ];
  }
  if (heard > 0.5 || polls === undefined)
    return [`It is told of a cancellation while it awaits something: ${when}.`];
  const interval = formatNs(1e9 / polls.perSecond);
  const { longestGap, meanWait } = polls;
  const polling = `It polls every ${interval}: a cancellation takes ${formatNs(meanWait)} on average to be seen, and ${formatNs(longestGap)} at worst`;
  if (meanWait < SOON) return [`${polling}; ${when}. There is nothing to gain by polling more.`];
  if (longestGap > 10 * (1e9 / polls.perSecond))
    return [
      `${polling}: it goes up to ${formatNs(longestGap)} without; ${when}. Unless the machine was busy with something else then, look for what it does there, and poll there, too.`,
    ];
  return [`${polling}; ${when}. ${hard > 0.5 ? "Poll" : "To stop sooner, poll"} inside the inner loop.`];
}

function hardOf({ hard, latency: { seen } }: Measured): string[] {
  if (hard === 0) return [];
  const share = percent(hard);
  if (seen === undefined) return [`${share} of the cancelled tasks had to be stopped hard.`];
  return [
    `${share} had to be stopped hard, because they overran their grace: poll more often, or do less after the cancellation.`,
  ];
}

function endingOf({ hard, latency: { seen, stopped } }: Measured): string[] {
  if (seen === undefined || hard > 0.5) return [];
  const after = stopped.p50 - seen.p50;
  if (after < LONG || after < seen.p50 / 4) return [];
  return [
    `Once it has seen its end it takes another ${formatNs(after)} to stop: that is its own clean-up, and counts.`,
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
  if (samples < 50)
    sentences.push(
      `${samples} cancellations are few${isComplete ? ": more time makes the tail worth looking at" : ", since it was ended early"}.`,
    );
  return sentences;
}

function percent(share: number): string {
  return share === 1 ? "All" : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}
