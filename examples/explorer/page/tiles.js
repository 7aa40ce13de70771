// @ts-check
/**
 * The tiles the page has, and those it asks for: in the middle first, a few at a time, each with a signal of its own. One that
 * leaves the view is aborted, which closes its connection; that is how the server learns of it.
 */
import { palette } from "./palette.js";

/** @typedef {import("./view.js").Place} Place */

/** Of a browser's six connections: one brings the live picture, one is for cancelling by hand. */
const AT_ONCE = 4;

/** Tiles that are kept, those in view included. A few hundred kilobytes each. */
const KEPT = 240;

/**
 * `none`: it is not there, and nobody has asked for it. `cancelled`, `failed`: nobody will, until somebody says so.
 *
 * @typedef {"none" | "loading" | "here" | "cancelled" | "failed"} Status
 */

export class Tile {
  /** @type {Status} */
  status = "none";
  ticket = "";
  why = "";
  /** When it came, as of performance.now(). */
  arrived = 0;
  /** What can be drawn; while it is computed with another detail, what was there before. @type {HTMLCanvasElement | undefined} */
  image;
  /** @type {Uint16Array | undefined} */
  values;
  /** @type {AbortController | undefined} */
  aborter;

  /** @param {Place} place */
  constructor({ key, zoom, x, y }) {
    this.key = key;
    this.zoom = zoom;
    this.x = x;
    this.y = y;
  }

  /** @param {boolean} isDark */
  paint(isDark) {
    if (this.values === undefined) return;
    const side = Math.sqrt(this.values.length);
    this.image ??= document.createElement("canvas");
    this.image.width = side;
    this.image.height = side;
    const colors = palette(isDark);
    const data = this.image.getContext("2d")?.createImageData(side, side);
    if (data === undefined) return;
    const words = new Uint32Array(data.data.buffer);
    for (const [at, value] of this.values.entries()) words[at] = colors[value] ?? 0;
    this.image.getContext("2d")?.putImageData(data, 0, 0);
  }
}

export class Tiles {
  /** All that are kept, those used last at the end. @type {Map<string, Tile>} */
  #tiles = new Map();
  /** @type {Set<Tile>} */
  #loading = new Set();
  /** @type {readonly Place[]} */
  #places = [];
  #changed;
  #next = 1;
  /** Apart from other pages'. */
  #prefix = crypto.getRandomValues(new Uint32Array(1))[0]?.toString(36) ?? "page";
  #pausedUntil = 0;
  #isDark;

  detail = 2000;
  size = 256;
  /** Whether the server is to stop what was left. */
  cancels = true;

  /**
   * @param {boolean} isDark
   * @param {() => void} changed - called when a tile's state has
   */
  constructor(isDark, changed) {
    this.#isDark = isDark;
    this.#changed = changed;
  }

  /** @param {string} key */
  get(key) {
    return this.#tiles.get(key);
  }

  /** @param {string} ticket */
  ofTicket(ticket) {
    return [...this.#tiles.values()].find((tile) => tile.ticket === ticket);
  }

  /** Until when the server wants to be left alone, as of performance.now(). */
  get pausedUntil() {
    return this.#pausedUntil;
  }

  /** Of the tiles in view, how many have that status. @param {Status} status */
  count(status) {
    return this.#places.filter(({ key }) => (this.#tiles.get(key)?.status ?? "none") === status).length;
  }

  get inView() {
    return this.#places.length;
  }

  /**
   * These are in view from now on, and nothing else.
   *
   * @param {readonly Place[]} places - those in the middle first
   */
  show(places) {
    this.#places = places;
    const keys = new Set(places.map(({ key }) => key));
    for (const tile of this.#loading) if (!keys.has(tile.key)) this.#abort(tile);
    this.ask();
  }

  /** Asks for what is missing, as far as there are connections. */
  ask() {
    if (performance.now() < this.#pausedUntil) return;
    for (const place of this.#places) {
      const tile = this.#tiles.get(place.key) ?? new Tile(place);
      this.#tiles.delete(place.key);
      this.#tiles.set(place.key, tile);
      if (tile.status === "none" && this.#loading.size < AT_ONCE) void this.#load(tile);
    }
    for (const [key, tile] of this.#tiles) {
      if (this.#tiles.size <= KEPT) break;
      if (!this.#loading.has(tile)) this.#tiles.delete(key);
    }
  }

  /** @param {Tile} tile - one that was cancelled, or has failed */
  askAgain(tile) {
    if (tile.status !== "cancelled" && tile.status !== "failed") return;
    tile.status = "none";
    this.ask();
    this.#changed();
  }

  /** Computes everything anew; what is in view stays visible until then. */
  renew() {
    const keys = new Set(this.#places.map(({ key }) => key));
    for (const tile of [...this.#loading]) this.#abort(tile);
    for (const [key, tile] of this.#tiles) {
      if (keys.has(key)) tile.status = "none";
      else this.#tiles.delete(key);
    }
    this.ask();
    this.#changed();
  }

  /** @param {boolean} isDark */
  repaint(isDark) {
    this.#isDark = isDark;
    for (const tile of this.#tiles.values()) tile.paint(isDark);
    this.#changed();
  }

  /** @param {Tile} tile */
  #abort(tile) {
    this.#loading.delete(tile);
    tile.status = "none";
    tile.aborter?.abort();
    tile.aborter = undefined;
  }

  /** @param {Tile} tile */
  async #load(tile) {
    const aborter = new AbortController();
    this.#loading.add(tile);
    tile.aborter = aborter;
    tile.status = "loading";
    tile.ticket = `${this.#prefix}-${this.#next++}`;
    const { zoom, x, y, ticket } = tile;
    const cancel = this.cancels ? "on" : "off";
    const query = `zoom=${zoom}&x=${x}&y=${y}&size=${this.size}&detail=${this.detail}&ticket=${ticket}&cancel=${cancel}`;
    try {
      const response = await fetch(`./tile?${query}`, { signal: aborter.signal, cache: "no-store" });
      const bytes = response.ok ? await response.arrayBuffer() : undefined;
      const why = response.ok ? "" : await response.text();
      // Aborted, it is not ours any more.
      if (tile.aborter !== aborter) return;
      if (bytes !== undefined) {
        tile.values = new Uint16Array(bytes);
        tile.paint(this.#isDark);
        tile.arrived = performance.now();
        tile.status = "here";
      } else if (response.status === 503) this.#pause(tile, Number(response.headers.get("Retry-After") ?? 1));
      else {
        tile.status = response.status === 410 ? "cancelled" : "failed";
        tile.why = why;
      }
    } catch {
      if (tile.aborter !== aborter) return;
      this.#pause(tile, 1); // the server does not answer
    }
    this.#loading.delete(tile);
    tile.aborter = undefined;
    this.ask();
    this.#changed();
  }

  /**
   * @param {Tile} tile
   * @param {number} seconds
   */
  #pause(tile, seconds) {
    tile.status = "none";
    const ms = 1000 * Math.min(Math.max(seconds, 0.2), 10);
    this.#pausedUntil = performance.now() + ms;
    setTimeout(() => {
      this.ask();
      this.#changed();
    }, ms + 5);
  }
}
