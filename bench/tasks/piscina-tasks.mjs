// @ts-check
/** The same tasks for piscina, which passes one argument. */
import * as loops from "./loops.mjs";

export function nothing() {
  return undefined;
}

/** @param {SharedArrayBuffer} buffer */
export function spinOnFlag(buffer) {
  loops.spinOnFlag(buffer);
}

/** @param {SharedArrayBuffer} buffer */
export function spinForever(buffer) {
  loops.spinForever(buffer);
}

/** @param {{ buffer: SharedArrayBuffer, parties: number }} argument */
export function meet({ buffer, parties }) {
  loops.meet(buffer, parties);
}

/** @param {SharedArrayBuffer} buffer */
export function hold(buffer) {
  loops.hold(buffer);
}

/** @param {SharedArrayBuffer} buffer */
export function stampForever(buffer) {
  loops.stampForever(buffer);
}
