// @ts-check
/** The fault matrix as people read it: a line for each fault, and for entries that differ from the others. */
import { cellOf, entryNames, faultNames, faults, states } from "../../test/faults/table.mjs";
import { table } from "./tables.mjs";

/** @typedef {import("../../test/faults/table.mjs").EntryName} EntryName */
/** @typedef {import("../../test/faults/table.mjs").Cell} Cell */
/** @typedef {import("../../test/faults/table.mjs").Fault} Fault */

/** Reasons why cells are empty, in the order in which they come, each with its number. */
class Reasons {
  /** @type {string[]} */
  #all = [];

  /** @param {string} reason */
  mark(reason) {
    if (!this.#all.includes(reason)) this.#all.push(reason);
    return `– (${this.#all.indexOf(reason) + 1})`;
  }

  toString() {
    return this.#all.map((reason, at) => `${at + 1}. ${reason}`).join("\n");
  }
}

/** How many cells there are, and how many of them cannot be. */
export function count() {
  const cells = faultNames.flatMap((name) =>
    entryNames.flatMap((entry) => states.map((state) => cellOf(name, entry, state))),
  );
  const excluded = cells.filter((cell) => typeof cell === "string").length;
  return { faults: faultNames.length, cells: cells.length - excluded, excluded };
}

/** @returns {string} */
export function faultMatrix() {
  const reasons = new Reasons();
  const kinds = [...new Set(faultNames.map((name) => faults[name].kind))];
  const tables = kinds.map((kind) => {
    const rows = faultNames
      .filter((name) => faults[name].kind === kind)
      .flatMap((name) => {
        /** @type {Map<string, EntryName[]>} */
        const lines = new Map();
        for (const entry of entryNames) {
          const line = states.map((state) => text(cellOf(name, entry, state), reasons)).join(" | ");
          // An actor's calls have no outcome: what they get is what is to be compared.
          const same = [...lines.keys()].find((other) => entry === "actor" && gets(other) === gets(line));
          lines.set(same ?? line, [...(lines.get(same ?? line) ?? []), entry]);
        }
        return [...lines].map(([line, entries], at) => [
          at === 0 ? name + skipped(faults[name]) : "",
          lines.size === 1 ? "all" : entries.join(", "),
          ...(entries.length === 1 && entries[0] === "actor" ? gets(line) : line).split(" | "),
        ]);
      });
    return `### ${kind}\n\n${table(["", "entry", ...states], rows)}`;
  });
  const { faults: all, cells, excluded } = count();
  return `${all} faults, ${cells} cells that are tests, and ${excluded} that cannot be.

${tables.join("\n\n")}

### Why there is no such cell

${String(reasons)}`;
}

/**
 * @param {Cell} cell
 * @param {Reasons} reasons
 */
function text(cell, reasons) {
  if (typeof cell === "string") return reasons.mark(cell);
  const got = cell.gets.startsWith("its ") || cell.gets === "nothing" ? cell.gets : `\`${cell.gets}\``;
  return `${cell.outcome ?? "not taken in"}: ${got}`;
}

/** @param {string} line */
function gets(line) {
  return line.replaceAll(/(^|\| )[a-z ]+: /g, "$1");
}

/** @param {Fault} fault */
function skipped({ notOn }) {
  return notOn === undefined ? "" : ` (not run from Node ${notOn.node} on: ${notOn.why})`;
}
