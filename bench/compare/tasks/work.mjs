// @ts-check
/**
 * The tasks, as functions of one argument, which is what piscina, tinypool and poolifier pass. The files beside this
 * one hand them to the pools that want more.
 */
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
