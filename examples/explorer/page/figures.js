// @ts-check
/** The numbers: what one feels with cancellation and without, and what became of the tiles. */
import { byId, duration, write } from "./words.js";

/** @typedef {import("./live.js").Snapshot} Snapshot */

const outcomes = /** @type {const} */ ([
  "completed",
  "stopped",
  "dropped",
  "interrupted",
  "terminated",
  "failed",
  "crashed",
]);

/** Those that are told also while there are none. */
const usual = new Set(["completed", "stopped", "dropped"]);

export class Figures {
  #cells = new Map(
    ["on", "off"].flatMap((mode) =>
      ["picture", "p50", "p95", "last", "wasted"].map((what) => [
        `${mode}-${what}`,
        byId(`${mode}-${what}`, HTMLTableCellElement),
      ]),
    ),
  );
  #outcomes = byId("outcomes", HTMLElement);
  #counts;

  constructor() {
    this.#counts = new Map(
      [...outcomes, /** @type {const} */ ("refused")].map((outcome) => {
        const item = document.createElement("li");
        const count = document.createElement("b");
        item.append(count, ` ${outcome}`);
        item.className = outcome;
        item.hidden = true;
        this.#outcomes.append(item);
        return [outcome, { item, count }];
      }),
    );
  }

  /** @param {Snapshot} snapshot */
  tell({ totals }) {
    for (const mode of /** @type {const} */ (["on", "off"])) {
      const { p50, p95, last, wasted, left } = totals[mode];
      for (const [what, ms] of /** @type {const} */ ([
        ["p50", p50],
        ["p95", p95],
        ["last", last],
        ["wasted", left === 0 ? null : wasted],
      ])) {
        this.#write(`${mode}-${what}`, duration(ms));
      }
    }
    for (const [outcome, { item, count }] of this.#counts) {
      const number = outcome === "refused" ? totals.refused : (totals.outcomes[outcome] ?? 0);
      item.hidden = number === 0 && !usual.has(outcome);
      write(count, String(number));
    }
  }

  /**
   * @param {boolean} cancels
   * @param {number} ms - from the last move until all in view was there
   */
  pictureTook(cancels, ms) {
    this.#write(`${cancels ? "on" : "off"}-picture`, duration(ms));
  }

  /** @param {string} cell @param {string} text */
  #write(cell, text) {
    const element = this.#cells.get(cell);
    if (element !== undefined) write(element, text);
  }
}
