// @ts-check
/** What of the plane is in view: a centre and a zoom. Zoom 0 shows all of the plane in 256 pixels, each step twice as large. */
import { MAX_ZOOM, PLANE } from "./plane.js";

/** Side of a tile on the screen, at a whole zoom. */
export const SIDE = 256;

/**
 * @typedef {object} Place - of a tile, and where it is on the screen
 * @property {string} key
 * @property {number} zoom
 * @property {number} x
 * @property {number} y
 * @property {number} left
 * @property {number} top
 * @property {number} side
 * @property {number} distance - of its middle from that of the screen
 */

export class View {
  re = -0.65;
  im = 0;
  zoom = 2;
  width = 0;
  height = 0;

  /**
   * @param {number} width
   * @param {number} height
   */
  resize(width, height) {
    this.width = width;
    this.height = height;
    this.#keepWithin();
  }

  /** The whole of the set. */
  home() {
    const fitting = Math.min(this.width / 3.1, this.height / 2.7) * (PLANE.side / SIDE);
    this.moveTo({ re: -0.65, im: 0, zoom: Math.log2(Math.max(fitting, 0.5)) });
  }

  /** @param {{ re: number, im: number, zoom: number }} to */
  moveTo({ re, im, zoom }) {
    this.re = re;
    this.im = im;
    this.zoom = zoom;
    this.#keepWithin();
  }

  /** Of the plane, to a pixel. */
  get step() {
    return PLANE.side / (SIDE * 2 ** this.zoom);
  }

  /**
   * The picture follows a finger.
   *
   * @param {number} dx - pixels
   * @param {number} dy
   */
  pan(dx, dy) {
    this.re -= dx * this.step;
    this.im += dy * this.step;
    this.#keepWithin();
  }

  /**
   * What is at the point stays there.
   *
   * @param {number} by - levels; below 0: out
   * @param {number} [x]
   * @param {number} [y]
   */
  zoomAt(by, x = this.width / 2, y = this.height / 2) {
    const dx = x - this.width / 2;
    const dy = y - this.height / 2;
    const before = this.step;
    this.zoom += by;
    this.#keepWithin();
    this.re += dx * (before - this.step);
    this.im -= dy * (before - this.step);
    this.#keepWithin();
  }

  #keepWithin() {
    this.zoom = Math.min(Math.max(this.zoom, 0.5), MAX_ZOOM);
    this.re = Math.min(Math.max(this.re, PLANE.re), PLANE.re + PLANE.side);
    this.im = Math.min(Math.max(this.im, PLANE.im - PLANE.side), PLANE.im);
  }

  /** The zoom of the tiles that are shown: their pixels are those of the screen, or nearly. */
  get level() {
    return Math.round(this.zoom);
  }

  /**
   * The tiles in view, those in the middle first.
   *
   * @returns {Place[]}
   */
  places() {
    const zoom = this.level;
    const side = SIDE * 2 ** (this.zoom - zoom);
    const count = 2 ** zoom;
    // In tiles, from the upper left corner of the plane.
    const across = ((this.re - PLANE.re) / PLANE.side) * count;
    const down = ((PLANE.im - this.im) / PLANE.side) * count;
    const [halfWidth, halfHeight] = [this.width / 2 / side, this.height / 2 / side];
    /** @type {Place[]} */
    const places = [];
    const lastX = Math.min(count - 1, Math.ceil(across + halfWidth) - 1);
    const lastY = Math.min(count - 1, Math.ceil(down + halfHeight) - 1);
    for (let y = Math.max(0, Math.floor(down - halfHeight)); y <= lastY; y++) {
      for (let x = Math.max(0, Math.floor(across - halfWidth)); x <= lastX; x++) {
        places.push({
          key: `${zoom}/${x}/${y}`,
          zoom,
          x,
          y,
          left: this.width / 2 + (x - across) * side,
          top: this.height / 2 + (y - down) * side,
          side,
          distance: Math.hypot(x + 0.5 - across, y + 0.5 - down),
        });
      }
    }
    return places.sort((a, b) => a.distance - b.distance);
  }

  /** For the address bar: "#-0.743643887,0.131825904,12.50". */
  get hash() {
    const digits = Math.ceil(this.zoom * 0.31) + 4;
    return `#${this.re.toFixed(digits)},${this.im.toFixed(digits)},${this.zoom.toFixed(2)}`;
  }

  /** @param {string} hash @returns {boolean} false: it says nothing, and nothing has changed */
  follow(hash) {
    const [re = Number.NaN, im = Number.NaN, zoom = Number.NaN, ...more] = hash
      .slice(1)
      .split(",")
      .map((text) => (text === "" ? Number.NaN : Number(text)));
    if (more.length > 0 || ![re, im, zoom].every(Number.isFinite)) return false;
    this.moveTo({ re, im, zoom });
    return true;
  }
}
