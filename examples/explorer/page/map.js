// @ts-check
/** Draws the map: tiles where they are there, until then what is known of the place from other zooms, and how far they are. */

/** @typedef {import("./view.js").View} View */
/** @typedef {import("./view.js").Place} Place */
/** @typedef {import("./tiles.js").Tiles} Tiles */
/** @typedef {import("./tiles.js").Tile} Tile */
/** @typedef {import("./live.js").Asked} Asked */

/** For so long a tile that has come appears, ms. */
const FADE = 200;

/** So many zooms up, a tile that covers the place is looked for. */
const ANCESTORS = 10;

export class MapPicture {
  #canvas;
  #view;
  #tiles;
  #pen;

  /** The key of the tile that is picked. */
  picked = "";
  calm = false;
  /** Of the tiles that are under way, by ticket. @type {ReadonlyMap<string, Asked>} */
  asked = new Map();

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {View} view
   * @param {Tiles} tiles
   */
  constructor(canvas, view, tiles) {
    this.#canvas = canvas;
    this.#view = view;
    this.#tiles = tiles;
    const pen = canvas.getContext("2d", { alpha: true });
    if (pen === null) throw new Error("there is no 2d context");
    this.#pen = pen;
  }

  /**
   * @param {readonly Place[]} places
   * @param {import("./theme.js").Theme} theme
   * @returns {boolean} whether it has to be drawn again, though nothing changes
   */
  draw(places, theme) {
    const pen = this.#pen;
    const ratio = devicePixelRatio;
    const width = Math.round(this.#view.width * ratio);
    const height = Math.round(this.#view.height * ratio);
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, width, height);
    const now = performance.now();
    let fading = false;
    for (const place of places) {
      const tile = this.#tiles.get(place.key);
      const box = boxOf(place, ratio);
      const share = this.calm || tile === undefined ? 1 : Math.min(1, (now - tile.arrived) / FADE);
      const isWhole = tile?.image !== undefined && share === 1;
      if (!isWhole) this.#drawOthers(place, box);
      if (tile?.image !== undefined) {
        pen.globalAlpha = share;
        pen.drawImage(tile.image, box.left, box.top, box.width, box.height);
        pen.globalAlpha = 1;
        if (share < 1) fading = true;
      }
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    for (const place of places) this.#mark(place, this.#tiles.get(place.key), theme);
    for (const place of places) if (place.key === this.picked) frame(pen, place, theme);
    return fading;
  }

  /**
   * The part of a larger tile, and above it the smaller ones.
   *
   * @param {Place} place
   * @param {Box} box
   */
  #drawOthers({ zoom, x, y }, box) {
    for (let up = 1; up <= Math.min(zoom, ANCESTORS); up++) {
      const parts = 2 ** up;
      const image = this.#tiles.get(`${zoom - up}/${Math.floor(x / parts)}/${Math.floor(y / parts)}`)?.image;
      if (image === undefined) continue;
      const side = image.width / parts;
      const [left, top] = [(x % parts) * side, (y % parts) * side];
      this.#pen.drawImage(image, left, top, side, side, box.left, box.top, box.width, box.height);
      break;
    }
    for (const [i, j] of /** @type {const} */ ([
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ])) {
      const image = this.#tiles.get(`${zoom + 1}/${2 * x + i}/${2 * y + j}`)?.image;
      if (image === undefined) continue;
      const [width, height] = [box.width / 2, box.height / 2];
      this.#pen.drawImage(image, box.left + i * width, box.top + j * height, width, height);
    }
  }

  /**
   * What its state is, if it is not there.
   *
   * @param {Place} place
   * @param {Tile | undefined} tile
   * @param {import("./theme.js").Theme} theme
   */
  #mark(place, tile, theme) {
    const pen = this.#pen;
    const { left, top, side } = place;
    const middle = { x: left + side / 2, y: top + side / 2 };
    if (tile === undefined || tile.status === "here") return;
    pen.fillStyle = theme.veil;
    pen.fillRect(left, top, side, side);
    if (tile.status === "cancelled" || tile.status === "failed") {
      hatch(pen, place, theme.nobody);
      label(pen, middle, tile.status, theme);
      return;
    }
    pen.strokeStyle = theme.grid;
    pen.lineWidth = 1;
    pen.strokeRect(left + 0.5, top + 0.5, side - 1, side - 1);
    if (tile.status === "none") return;
    const asked = this.asked.get(tile.ticket);
    const isRunning = asked !== undefined && asked.thread !== null;
    ring(pen, middle, isRunning ? asked.progress : 0, isRunning, theme);
  }
}

/** @typedef {{ left: number, top: number, width: number, height: number }} Box */

/**
 * On whole pixels of the device: there are no seams then.
 *
 * @param {Place} place
 * @param {number} ratio
 * @returns {Box}
 */
function boxOf({ left, top, side }, ratio) {
  const [x, y] = [Math.round(left * ratio), Math.round(top * ratio)];
  return {
    left: x,
    top: y,
    width: Math.round((left + side) * ratio) - x,
    height: Math.round((top + side) * ratio) - y,
  };
}

/** @typedef {import("./theme.js").Theme} Theme */
/** @typedef {CanvasRenderingContext2D} Pen */

/**
 * @param {Pen} pen
 * @param {{ x: number, y: number }} middle
 * @param {number} share
 * @param {boolean} isRunning - or else it waits
 * @param {Theme} theme
 */
function ring(pen, { x, y }, share, isRunning, theme) {
  pen.lineWidth = 4;
  pen.lineCap = "round";
  pen.strokeStyle = theme.track;
  pen.setLineDash(isRunning ? [] : [1, 7]);
  pen.beginPath();
  pen.arc(x, y, 16, 0, 2 * Math.PI);
  pen.stroke();
  pen.setLineDash([]);
  if (!isRunning) return;
  pen.strokeStyle = theme.wanted;
  pen.beginPath();
  pen.arc(x, y, 16, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * Math.max(0.02, share));
  pen.stroke();
}

/**
 * @param {Pen} pen
 * @param {Place} place
 * @param {string} color
 */
function hatch(pen, { left, top, side }, color) {
  pen.save();
  pen.beginPath();
  pen.rect(left + 1, top + 1, side - 2, side - 2);
  pen.clip();
  pen.strokeStyle = color;
  pen.globalAlpha = 0.55;
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (let at = -side; at < side; at += 12) {
    pen.moveTo(left + at, top + side);
    pen.lineTo(left + at + side, top);
  }
  pen.stroke();
  pen.restore();
}

/**
 * @param {Pen} pen
 * @param {{ x: number, y: number }} middle
 * @param {string} text
 * @param {Theme} theme
 */
function label(pen, { x, y }, text, theme) {
  pen.font = "600 13px system-ui, sans-serif";
  const half = pen.measureText(text).width / 2 + 10;
  pen.fillStyle = theme.card;
  pen.beginPath();
  pen.roundRect(x - half, y - 14, 2 * half, 28, 14);
  pen.fill();
  pen.fillStyle = theme.text;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(text, x, y + 1);
}

/**
 * @param {Pen} pen
 * @param {Place} place
 * @param {Theme} theme
 */
function frame(pen, { left, top, side }, theme) {
  pen.lineWidth = 5;
  pen.strokeStyle = theme.card;
  pen.strokeRect(left + 2, top + 2, side - 4, side - 4);
  pen.lineWidth = 2.5;
  pen.strokeStyle = theme.picked;
  pen.strokeRect(left + 2, top + 2, side - 4, side - 4);
}
