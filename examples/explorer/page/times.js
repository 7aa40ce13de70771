// @ts-check
/** How long after nobody wanted it any more the work on a tile that was running was over: a dot for each, on a logarithmic scale. */
import { currentTheme } from "./theme.js";
import { sheet } from "./words.js";

/** @typedef {import("./live.js").Live} Live */
/** @typedef {import("./theme.js").Theme} Theme */

/** Ends of the scale, ms, and what stands at it. */
const FROM = 0.01;
const TO = 20_000;
const MARKS = /** @type {const} */ ([
  [0.01, "10 µs"],
  [0.1, "0.1 ms"],
  [1, "1 ms"],
  [10, "10 ms"],
  [100, "0.1 s"],
  [1000, "1 s"],
  [10_000, "10 s"],
]);

const AXIS = 18;
const LEFT = 26;

/** A dot is large when it comes, and then no more, ms. */
const NEW = 900;

export class Times {
  #canvas;
  #live;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Live} live
   */
  constructor(canvas, live) {
    this.#canvas = canvas;
    this.#live = live;
  }

  /** @param {boolean} calm @returns {boolean} whether it has to be drawn again */
  draw(calm) {
    const theme = currentTheme();
    const { pen, width, height } = sheet(this.#canvas);
    const row = (height - AXIS) / 2;
    /** @param {number} ms */
    const at = (ms) =>
      LEFT + ((width - LEFT - 14) * Math.log(Math.min(Math.max(ms, FROM), TO) / FROM)) / Math.log(TO / FROM);
    axis(pen, theme, at, height);
    const now = this.#live.shownAt;
    let fresh = false;
    for (const [index, cancels] of [true, false].entries()) {
      const middle = row * (index + 0.5);
      pen.fillStyle = theme.faint;
      pen.font = "11px system-ui, sans-serif";
      pen.textAlign = "left";
      pen.textBaseline = "middle";
      pen.fillText(cancels ? "on" : "off", 0, middle);
      pen.fillStyle = cancels ? theme.wanted : theme.nobody;
      for (const { unwanted, from, to, number, cancels: did } of this.#live.ended) {
        if (unwanted === null || did !== cancels) continue;
        if (from === null || from > unwanted) continue; // It was not running when it was left: there was nothing to stop.
        const age = now - to;
        const isNew = age < NEW && !calm;
        fresh ||= isNew;
        pen.globalAlpha = isNew ? 0.95 : 0.4;
        pen.beginPath();
        // Beside one another, always at the same height: otherwise they would hide each other, or dance.
        const y = middle + (((number * 0.618) % 1) - 0.5) * (row - 14);
        pen.arc(at(to - unwanted), y, isNew ? 5 - (2.5 * Math.max(0, age)) / NEW : 2.5, 0, 2 * Math.PI);
        pen.fill();
      }
      pen.globalAlpha = 1;
      const figures = this.#live.latest?.totals[cancels ? "on" : "off"];
      for (const ms of [figures?.p50, figures?.p95]) {
        if (ms === null || ms === undefined) continue;
        pen.fillStyle = theme.text;
        pen.fillRect(at(ms) - 0.75, middle - row / 2 + 3, 1.5, row - 6);
      }
    }
    return fresh;
  }
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Theme} theme
 * @param {(ms: number) => number} at
 * @param {number} height
 */
function axis(pen, theme, at, height) {
  pen.font = "10.5px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "alphabetic";
  for (const [ms, text] of MARKS) {
    pen.fillStyle = theme.line;
    pen.fillRect(at(ms), 0, 1, height - AXIS + 3);
    pen.fillStyle = theme.faint;
    pen.fillText(text, at(ms), height - 3);
  }
}
