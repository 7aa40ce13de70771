// @ts-check
/** Loops that bare workers, piscina's tasks and lifeguard's share: what differs is who looks after them. */
import { Cell, step } from "../support/cell.mjs";

/**
 * Runs until the flag is raised.
 *
 * @param {SharedArrayBuffer} buffer
 */
export function spinOnFlag(buffer) {
  const { flag, running, sink, stamp, ended } = new Cell(buffer);
  Atomics.add(running, 0, 1);
  let x = 1;
  while (flag[0] === 0) x = step(x);
  stamp[0] = process.hrtime.bigint();
  sink[0] = x;
  ended[0] = process.hrtime.bigint();
}

/** How long a loop that polls rarely works between two polls, ns. */
const RARELY = 1_000_000n;

/**
 * Runs until `isOver`, asks once in a millisecond, and stamps when that was so.
 *
 * @param {Cell} cell
 * @param {() => boolean} isOver
 */
export function spinRarely({ sink, stamp }, isOver) {
  let x = 1;
  while (!isOver()) {
    const next = process.hrtime.bigint() + RARELY;
    while (process.hrtime.bigint() < next) x = step(x);
  }
  stamp[0] = process.hrtime.bigint();
  sink[0] = x;
}

/**
 * Runs for ever.
 *
 * @param {SharedArrayBuffer} buffer
 */
export function spinForever(buffer) {
  const { running, sink } = new Cell(buffer);
  Atomics.add(running, 0, 1);
  for (let x = 1; ; x = step(x)) sink[0] = x;
}

/**
 * Runs for ever, and says when it last ran.
 *
 * @param {SharedArrayBuffer} buffer
 */
export function stampForever(buffer) {
  const { running, stamp } = new Cell(buffer);
  stamp[0] = process.hrtime.bigint();
  Atomics.add(running, 0, 1);
  for (;;) stamp[0] = process.hrtime.bigint();
}

/**
 * Waits until all parties are here, each on a thread of its own, and stamps that moment.
 *
 * @param {SharedArrayBuffer} buffer
 * @param {number} parties
 */
export function meet(buffer, parties) {
  const { running, stamp } = new Cell(buffer);
  Atomics.add(running, 0, 1);
  while (Atomics.load(running, 0) < parties);
  stamp[0] = process.hrtime.bigint();
}

/**
 * Sleeps until the flag is raised: keeps a thread without using a processor.
 *
 * @param {SharedArrayBuffer} buffer
 */
export function hold(buffer) {
  const { flag, running } = new Cell(buffer);
  Atomics.add(running, 0, 1);
  Atomics.wait(flag, 0, 0);
}

/**
 * By trial division: integers, registers, no memory.
 *
 * @param {number} from
 * @param {number} to
 */
export function countPrimes(from, to) {
  let count = 0;
  for (let n = from; n < to; n++) {
    let isPrime = n > 1;
    for (let d = 2; d * d <= n; d++) {
      if (n % d === 0) {
        isPrime = false;
        break;
      }
    }
    if (isPrime) count++;
  }
  return count;
}
