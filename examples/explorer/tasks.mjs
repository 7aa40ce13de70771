// @ts-check
/** What runs on the pool's threads. */
import { threadId, workerData } from "node:worker_threads";
import { progress, transfer } from "lifeguard/worker";
import { Board } from "./board.mjs";
import { FINE, PLANE } from "./page/plane.js";

const shared = /** @type {{ board: SharedArrayBuffer }} */ (workerData);
const board = new Board(shared.board);

/** |z|² at which a point has got away: far out, where the number of steps can be told in fractions. */
const FAR = 2 ** 16;

/**
 * A tile of the Mandelbrot set, one number for each pixel: 0 inside, or else 1 + 4096 log2(1 + steps it took to get away).
 *
 * It polls at each pixel, every few microseconds at most.
 *
 * @param {import("lifeguard/worker").Context} ctx
 * @param {number} number - by which it is known on the board
 * @param {import("./tiles.mjs").Tile} tile
 * @returns {Uint16Array}
 */
export function mandelbrot(ctx, number, { zoom, x, y, size, detail }) {
  board.begin(number, threadId);
  const step = PLANE.side / 2 ** zoom / size;
  const left = PLANE.re + (x * size + 0.5) * step;
  const top = PLANE.im - (y * size + 0.5) * step;
  const pixels = new Uint16Array(size * size);
  for (let row = 0; row < size; row++) {
    progress(ctx, row / size);
    for (let column = 0; column < size; column++) {
      ctx.throwIfDone();
      pixels[row * size + column] = colorOf(left + column * step, top - row * step, detail);
    }
  }
  return transfer(pixels, [pixels.buffer]);
}

/**
 * @param {number} re
 * @param {number} im
 * @param {number} detail
 */
function colorOf(re, im, detail) {
  let a = 0;
  let b = 0;
  let aa = 0;
  let bb = 0;
  let steps = 0;
  while (aa + bb <= FAR && steps < detail) {
    b = 2 * a * b + im;
    a = aa - bb + re;
    aa = a * a;
    bb = b * b;
    steps++;
  }
  if (aa + bb <= FAR) return 0;
  // With the fraction, neighbours differ by little, and there are no bands.
  const smooth = Math.max(0, steps + 4 - Math.log2(Math.log2(aa + bb) / 2));
  return Math.min(65_535, 1 + Math.round(FINE * Math.log2(1 + smooth)));
}
