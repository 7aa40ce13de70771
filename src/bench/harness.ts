/** What measuring itself costs on this machine. */
import { background } from "../context/roots.js";
import { COUNT, GAPS, type ProbeMode, STAMPS, stamp } from "../workers/probe.js";
import { medianOf } from "./distribution.js";
import type { Harness } from "./report.js";
import { Specimen, type Subject } from "./specimen.js";
import { begun, stopped } from "./waiting.js";

const STAMP_COUNT = 20_000;
const POLLS = 200_000;
const ROUNDS = 7;
const PATIENCE = 10_000;

/** @param subject its task takes the number of polls */
export async function harnessCosts(subject: Subject): Promise<Harness> {
  const costs: Record<ProbeMode, number[]> = { [STAMPS]: [], [COUNT]: [], [GAPS]: [] };
  for (let round = 0; round < ROUNDS; round++)
    for (const mode of [STAMPS, COUNT, GAPS] as const) costs[mode].push(await costOfPolls(subject, mode));
  const plain = medianOf(costs[STAMPS]);
  const more = (mode: ProbeMode): number => Math.max(0, medianOf(costs[mode]) - plain) / POLLS;
  return { stamp: costOfStamp(), countedPoll: more(COUNT), timedPoll: more(GAPS) };
}

/** ns for all of them. */
async function costOfPolls(subject: Subject, mode: ProbeMode): Promise<number> {
  const specimen = new Specimen({ ...subject, args: [POLLS], tasks: 1 }, mode);
  await begun(specimen, PATIENCE, background);
  await stopped(specimen, PATIENCE);
  return specimen.ended - Math.max(...specimen.begins);
}

function costOfStamp(): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const from = stamp();
    for (let i = 0; i < STAMP_COUNT; i++) stamp();
    return stamp() - from;
  });
  return medianOf(rounds) / STAMP_COUNT;
}
