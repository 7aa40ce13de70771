// @ts-check
/** Draws the Mandelbrot set in letters. */
import { parentPort } from "node:worker_threads";
import { Comlink, nodeEndpoint } from "./comlink.mjs";

const SHADES = " .:-=+*%#";
/** The colour of a letter is the mean of so many points in a square. */
const POINTS = 20;

let drawn = 0;

const api = {
  render(/** @type {Size} */ { width, height }) {
    /** @type {string[]} */
    const lines = [];
    for (drawn = 0; drawn < height; drawn++) {
      let line = "";
      for (let x = 0; x < width; x++) {
        line += letter(x / width, drawn / height, 1 / width, 1 / height);
      }
      lines.push(line);
    }
    return lines;
  },

  /** How many lines of the picture are done. */
  drawn: () => drawn,
};

Comlink.expose(api, nodeEndpoint(parentPort));

/** @typedef {typeof api} Api */
/** @typedef {{ width: number, height: number }} Size - in letters */

/**
 * One letter; all in parts of the picture.
 *
 * @param {number} left
 * @param {number} top
 * @param {number} width
 * @param {number} height
 */
function letter(left, top, width, height) {
  let sum = 0;
  for (let i = 0; i < POINTS; i++)
    for (let j = 0; j < POINTS; j++)
      sum += depth(-2.2 + 3.2 * (left + (width * i) / POINTS), -1.2 + 2.4 * (top + (height * j) / POINTS));
  return SHADES.charAt(Math.round((sum / POINTS ** 2) * (SHADES.length - 1)));
}

/**
 * 0 for a point that is far out after one step, 1 for one that never gets there.
 *
 * @param {number} x
 * @param {number} y
 */
function depth(x, y) {
  const most = 2000;
  let steps = 0;
  for (let re = 0, im = 0; steps < most && re * re + im * im < 4; steps++)
    [re, im] = [re * re - im * im + x, 2 * re * im + y];
  return Math.log(steps) / Math.log(most);
}
