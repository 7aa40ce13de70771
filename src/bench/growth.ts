/** How cancelling grows with the number of tasks under one context. */
import { setImmediate as turn } from "node:timers/promises";
import { now } from "../context/clock.js";
import type { Context } from "../context/context.js";
import { background } from "../context/roots.js";
import { withCancel } from "../context/with-cancel.js";
import type { SubmitOptions } from "../pool/types.js";
import { Probe, type Probed, probeKey, STAMPS, stamp } from "../workers/probe.js";
import { medianOf } from "./distribution.js";
import type { Growth } from "./report.js";
import type { Subject } from "./specimen.js";
import { within } from "./waiting.js";

/** Rounds at each size, of which the median counts. */
const ROUNDS = 5;

/** Of the time for all sizes, ms: the next size is begun only when there is still so much of it left as it will take. */
const GROWTH = 10;

export interface GrowthOptions {
  readonly ctx: Context;
  readonly sizes: readonly number[];
  /** ms for all of it. */
  readonly time: number;
  /** ms until the first task begins, and until all have settled. */
  readonly patience: number;
  readonly onSize: (size: number) => void;
}

/** Larger sizes are left out when there is no time for them, when they run out of patience, or when `ctx` has ended. */
export async function growth(subject: Subject, options: GrowthOptions): Promise<Growth[]> {
  const { ctx, sizes, time, onSize } = options;
  const from = now();
  const points: Growth[] = [];
  let last = 0;
  for (const size of sizes) {
    if (now() - from + last * GROWTH > time && points.length > 0) break;
    onSize(size);
    const began = now();
    const rounds: Growth[] = [];
    for (let i = 0; i < ROUNDS && ctx.err() === undefined; i++) {
      const result = await round(subject, size, options);
      if (result === undefined) return points;
      rounds.push(result);
    }
    if (rounds.length < ROUNDS) break;
    const middle = (of: (round: Growth) => number): number => medianOf(rounds.map(of));
    points.push({
      size,
      submit: middle(({ submit }) => submit),
      cancel: middle(({ cancel }) => cancel),
      settled: middle(({ settled }) => settled),
    });
    last = now() - began;
  }
  return points;
}

/** Undefined: it took too long, or was called off. */
async function round(
  { pool, name, args, submit: options }: Subject,
  size: number,
  { ctx, patience }: GrowthOptions,
): Promise<Growth | undefined> {
  const [parent, cancel] = withCancel(background);
  const probe = new Probe(STAMPS);
  // The first one tells when it has begun; the others are as they come.
  const first: SubmitOptions & Probed = { ...options, [probeKey]: probe.buffer };
  const from = stamp();
  const tasks = Array.from({ length: size }, (_, at) =>
    pool.submit(parent, name, [...args], at === 0 ? first : options),
  );
  const submit = (stamp() - from) / size;
  const settled = Promise.allSettled(tasks.map(({ result }) => result));
  const late = now() + patience;
  while (!probe.hasBegun && tasks[0]?.outcome === undefined && now() < late && ctx.err() === undefined)
    await turn();
  const asked = stamp();
  cancel();
  const returned = stamp();
  if (!(await within(settled, patience, ctx))) return undefined;
  return { size, submit, cancel: returned - asked, settled: stamp() - asked };
}
