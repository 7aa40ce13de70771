// @ts-check
/** Colours of the map: one for each number a tile can have in it. */
import { FINE } from "./plane.js";

/** @typedef {readonly [red: number, green: number, blue: number]} Color */

/** One turn of the wheel each, from the far outside inwards; and what is inside. */
const dark = /** @type {const} */ ({
  wheel: ["#070b1e", "#12265e", "#1f5fae", "#5cc3d6", "#f3f4d8", "#f7b955", "#d8573c", "#74204f", "#241147"],
  inside: "#05060d",
});
const light = /** @type {const} */ ({
  wheel: ["#f4efe4", "#cfe3e4", "#86bfcb", "#3a86a8", "#1f4f86", "#4b3f86", "#9a4f86", "#e08a6d", "#f5cf9a"],
  inside: "#171d33",
});

/** Doublings of the steps to one turn of the wheel, and where it begins: no point gets away sooner. */
const TURN = 3.4;
const FIRST = 2.35;

/** @type {Map<boolean, Uint32Array<ArrayBuffer>>} */
const made = new Map();

/**
 * @param {boolean} isDark
 * @returns {Uint32Array<ArrayBuffer>} 65536 colours, as the bytes of an ImageData lie
 */
export function palette(isDark) {
  let colors = made.get(isDark);
  if (colors === undefined) {
    colors = make(isDark ? dark : light);
    made.set(isDark, colors);
  }
  return colors;
}

/** @param {{ readonly wheel: readonly string[], readonly inside: string }} scheme */
function make({ wheel, inside }) {
  const stops = wheel.map(parse);
  const colors = new Uint32Array(65_536);
  colors[0] = packed(parse(inside));
  for (let value = 1; value < colors.length; value++) {
    const turns = Math.max(0, ((value - 1) / FINE - FIRST) / TURN);
    const at = (turns % 1) * stops.length;
    const from = /** @type {Color} */ (stops[Math.floor(at)]);
    const to = /** @type {Color} */ (stops[Math.ceil(at) % stops.length]);
    colors[value] = packed(mix(from, to, at % 1));
  }
  return colors;
}

/** @param {string} text - "#rrggbb" @returns {Color} in linear light, in which colours mix as light does */
function parse(text) {
  /** @param {number} at */
  const part = (at) => (Number.parseInt(text.slice(at, at + 2), 16) / 255) ** 2.2;
  return [part(1), part(3), part(5)];
}

/**
 * @param {Color} from
 * @param {Color} to
 * @param {number} share
 * @returns {Color}
 */
function mix(from, to, share) {
  // Without corners at the stops.
  const eased = share * share * (3 - 2 * share);
  /** @param {0 | 1 | 2} i */
  const part = (i) => from[i] + (to[i] - from[i]) * eased;
  return [part(0), part(1), part(2)];
}

/** @param {Color} color */
function packed(color) {
  const [red, green, blue] = color.map((part) => Math.round(part ** (1 / 2.2) * 255));
  return new Uint32Array(Uint8Array.of(red ?? 0, green ?? 0, blue ?? 0, 255).buffer)[0] ?? 0;
}
