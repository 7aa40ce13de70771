// @ts-check
/** Views that move by themselves: to a place, or on a ride along the edge of the set. */
import { isStill } from "./theme.js";

/** @typedef {import("./view.js").View} View */
/** @typedef {{ re: number, im: number, zoom: number }} Spot */
/** @typedef {Spot & { ms: number }} Leg - where to, and in what time */

/** Places worth seeing; the first is the whole of it. @type {readonly (readonly [name: string, spot: Spot | undefined])[]} */
export const places = [
  ["The whole set", undefined],
  ["Seahorse valley", { re: -0.7453, im: 0.1127, zoom: 9.2 }],
  ["Elephant valley", { re: 0.2825, im: 0.0075, zoom: 9.4 }],
  ["A double spiral", { re: -0.7436439, im: 0.1318259, zoom: 14.6 }],
  ["Triple spirals", { re: -0.0884, im: 0.6549, zoom: 9.6 }],
  ["A small copy", { re: -1.7687788, im: -0.0017389, zoom: 13 }],
  ["Lightning", { re: -1.2568, im: 0.3797, zoom: 11.5 }],
];

/** Fast enough that most tiles have left again before they are there. @type {readonly Leg[]} */
const ride = [
  { re: -1.3, im: 0.06, zoom: 4.6, ms: 1200 },
  { re: -0.75, im: 0.14, zoom: 4.7, ms: 1200 },
  { re: -0.12, im: 0.82, zoom: 4.7, ms: 1300 },
  { re: 0.32, im: 0.03, zoom: 4.7, ms: 1300 },
  { re: -0.12, im: -0.82, zoom: 4.7, ms: 1300 },
  { re: -0.75, im: -0.14, zoom: 5.2, ms: 1200 },
  { re: -0.7436439, im: -0.1318259, zoom: 12.2, ms: 2200 },
];

export class Flight {
  #view;
  #moved;
  #rideEnded;
  #frame = 0;
  #isRide = false;

  /**
   * @param {View} view
   * @param {() => void} moved
   * @param {(isThere: boolean) => void} rideEnded - at its end, or on the way there
   */
  constructor(view, moved, rideEnded) {
    this.#view = view;
    this.#moved = moved;
    this.#rideEnded = rideEnded;
  }

  get isUnderWay() {
    return this.#frame !== 0;
  }

  get isRide() {
    return this.#isRide;
  }

  stop() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#endRide(false);
  }

  ride() {
    this.#fly(ride);
    this.#isRide = true;
  }

  /** @param {boolean} isThere */
  #endRide(isThere) {
    if (!this.#isRide) return;
    this.#isRide = false;
    this.#rideEnded(isThere);
  }

  /** @param {Spot} to */
  flyTo(to) {
    const { re, im, zoom, step, width } = this.#view;
    const away = Math.hypot(to.re - re, to.im - im);
    const out = Math.log2((step * 2 ** zoom * width) / Math.max(away, 1e-15)) - 1;
    /** @param {number} levels */
    const ms = (levels) => 400 + 320 * Math.abs(levels);
    if (isStill()) this.#fly([{ ...to, ms: 0 }]);
    else if (out >= Math.min(zoom, to.zoom)) this.#fly([{ ...to, ms: ms(to.zoom - zoom) }]);
    // Too far to see from here: first out, as far as needed, then in.
    else
      this.#fly([
        { re, im, zoom: Math.max(out, 1), ms: ms(zoom - out) },
        { ...to, ms: ms(to.zoom - out) },
      ]);
  }

  /** @param {readonly Leg[]} legs */
  #fly(legs) {
    this.stop();
    const began = performance.now();
    let from = { re: this.#view.re, im: this.#view.im, zoom: this.#view.zoom };
    let left = [...legs];
    let start = began;
    const next = () => {
      this.#frame = 0;
      const now = performance.now();
      while (left[0] !== undefined && now - start >= left[0].ms) {
        start += left[0].ms;
        from = left[0];
        left = left.slice(1);
      }
      const [leg] = left;
      // Where nothing is to move by itself, it jumps from one to the next.
      this.#view.moveTo(leg === undefined || isStill() ? from : between(from, leg, (now - start) / leg.ms));
      this.#moved();
      if (leg === undefined) this.#endRide(true);
      else this.#frame = requestAnimationFrame(next);
    };
    this.#frame = requestAnimationFrame(next);
  }
}

/**
 * As one moves through a picture: what is aimed at stays, and what is around it grows.
 *
 * @param {Spot} from
 * @param {Spot} to
 * @param {number} share - of the time
 */
function between(from, to, share) {
  const eased = share * share * (3 - 2 * share);
  const zoom = from.zoom + (to.zoom - from.zoom) * eased;
  const [first, last] = [2 ** -from.zoom, 2 ** -to.zoom];
  const way = Math.abs(to.zoom - from.zoom) < 0.01 ? 1 - eased : (2 ** -zoom - last) / (first - last);
  return { re: to.re + (from.re - to.re) * way, im: to.im + (from.im - to.im) * way, zoom };
}
