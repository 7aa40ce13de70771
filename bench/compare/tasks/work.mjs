// @ts-check
/**
 * The tasks, as functions of one argument, which is what piscina, tinypool and poolifier pass. The files beside this
 * one hand them to the pools that want more.
 */
import { setImmediate as turn } from "node:timers/promises";
import { Cell } from "../../support/cell.mjs";
import * as loops from "../../tasks/loops.mjs";

/** What one input costs, ns. */
export const SPIN = 20_000n;

/** @param {unknown} [_input] */
export function nothing(_input) {
  return undefined;
}

/** @param {readonly unknown[]} inputs */
export function nothings(inputs) {
  return inputs.map(nothing);
}

/** @param {unknown} _input */
export function spin(_input) {
  const end = process.hrtime.bigint() + SPIN;
  while (process.hrtime.bigint() < end);
}

/** @param {readonly unknown[]} inputs */
export function spins(inputs) {
  return inputs.map(spin);
}

/** @param {SharedArrayBuffer} buffer */
export function hold(buffer) {
  loops.hold(buffer);
}

/** @param {{ buffer: SharedArrayBuffer, parties: number }} argument */
export function meet({ buffer, parties }) {
  loops.meet(buffer, parties);
}

/** For how long a task computes that nobody stops, ns: longer than the 2 s that workerpool waits before it ends a thread. */
const BUSY = 2_500_000_000n;

/**
 * Computes, says when it last did, and never looks up.
 *
 * @param {SharedArrayBuffer} buffer
 * @param {() => void} [poll] gives up by throwing
 */
export function busy(buffer, poll = doNotPoll) {
  const { running, stamp } = new Cell(buffer);
  const end = process.hrtime.bigint() + BUSY;
  stamp[0] = process.hrtime.bigint();
  Atomics.store(running, 0, 1);
  while (process.hrtime.bigint() < end) {
    poll();
    stamp[0] = process.hrtime.bigint();
  }
}

/**
 * The same for whoever is told by a message: lets its event loop turn every millisecond.
 *
 * @param {SharedArrayBuffer} buffer
 * @param {() => boolean} isTold
 */
export async function busyInTurns(buffer, isTold) {
  const { running, stamp } = new Cell(buffer);
  const end = process.hrtime.bigint() + BUSY;
  stamp[0] = process.hrtime.bigint();
  Atomics.store(running, 0, 1);
  while (!isTold() && process.hrtime.bigint() < end) {
    const next = process.hrtime.bigint() + 1_000_000n;
    while (process.hrtime.bigint() < next) stamp[0] = process.hrtime.bigint();
    await turn();
  }
}

/**
 * Never ends, never looks up.
 *
 * @param {SharedArrayBuffer} buffer
 */
export function endless(buffer) {
  loops.stampForever(buffer);
}

function doNotPoll() {}
