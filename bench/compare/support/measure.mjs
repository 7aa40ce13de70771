// @ts-check
/** Takes the samples of a scene: size by size, and at each the sides in turn, in an order that chance decides. */
import { scaled } from "../../support/sampling.mjs";
import { forecast, powerText } from "./forecast.mjs";
import { reportGrowth } from "./growth.mjs";
import { SideProcess } from "./side-process.mjs";

/** @typedef {import("./suite.mjs").Side} Side */

/**
 * @typedef {object} Options
 * @property {readonly number[]} sizes in order
 * @property {number | undefined} rounds undefined: fewer, the larger the size
 * @property {number} limit seconds a sample may take
 * @property {AbortSignal} stop
 */

/** However long they take, one sample has no spread. */
const AT_LEAST = 2;

/** How the note of a side begins that was not tried. */
const SKIPPED = "skipped: ";

/**
 * @param {number} n
 * @param {boolean} isFresh
 */
function usualRounds(n, isFresh) {
  // A process for each, and bytes that hardly vary.
  if (isFresh) return 3;
  if (n >= 1_000_000) return 3;
  if (n >= 100_000) return 6;
  return n >= 10_000 ? 12 : 30;
}

/** One side at one size. */
class Cell {
  /** @type {Readonly<Record<string, number>>[]} */
  samples = [];
  /** Seconds each sample took, from asking for it to having it. @type {number[]} */
  took = [];
  /** Why there are no more of them. @type {string | undefined} */
  note;
  /** @type {SideProcess | undefined} */
  process;
}

/**
 * @param {string} suite
 * @param {import("./suite.mjs").Scene<Side>} scene
 * @param {import("../../support/report.mjs").Report} report
 * @param {Options} options
 * @returns {Promise<boolean>} whether all that is ours was measured; peers may do as they like
 */
export async function measureScene(suite, scene, report, options) {
  const { rounds, stop } = options;
  const sizes = scene.alone === undefined ? options.sizes : [1];
  const limit = Math.min(options.limit, scene.alone?.limit ?? Number.POSITIVE_INFINITY);
  /** @type {Map<Side, Map<number, Cell>>} */
  const all = new Map(scene.sides.map((side) => [side, new Map()]));
  const isStopping = () => stop.aborted;
  /** @type {number[]} */
  const reached = [];

  for (const n of sizes) {
    if (isStopping()) break;
    reached.push(n);
    const what = scene.alone === undefined ? `, ${n.toLocaleString("en")} tasks` : "";
    /** @type {Map<Side, Cell>} */
    const cells = new Map();
    for (const side of scene.sides) {
      const cell = new Cell();
      cell.note = skipped(all.get(side) ?? new Map(), n, limit);
      all.get(side)?.set(n, cell);
      cells.set(side, cell);
    }

    /**
     * @param {Side} side
     * @param {Cell} cell
     */
    const start = async (side, cell) => {
      cell.process = new SideProcess([suite, scene.name, side.name, n], limit, stop);
      keep(cell, await cell.process.ready());
    };
    const rest = () => [...cells].filter(([, cell]) => cell.note === undefined);
    const wanted = rounds ?? scaled(scene.alone?.rounds ?? usualRounds(n, scene.fresh === true), AT_LEAST);
    for (let round = 0; round < wanted && rest().length > 0 && !isStopping(); round++) {
      report.progress(`${scene.name}${what}: round ${String(round + 1)} of ${String(wanted)}`);
      for (const [side, cell] of shuffled(rest())) {
        if (isStopping()) break;
        // Samples that take long are fewer: a side may use up its limit once in all.
        if (round >= AT_LEAST && sum(cell.took) > limit) continue;
        if (cell.process === undefined) await start(side, cell);
        if (cell.note !== undefined) continue;
        const from = performance.now();
        const outcome = await cell.process?.sample();
        if (outcome?.type === "sample") cell.took.push((performance.now() - from) / 1000);
        if (outcome !== undefined) keep(cell, outcome);
        if (scene.fresh === true) await finish(cell);
      }
    }
    for (const cell of cells.values()) await finish(cell);
    // What Ctrl-C has cut off is no news of the side.
    if (isStopping()) for (const cell of cells.values()) if (cell.note === "stopped") cell.note = undefined;
    reportSize(report, scene, n, cells);
  }

  /** @param {Side} side @param {number} n @param {import("./suite.mjs").Measure} measure */
  const taken = (side, n, measure) => {
    const cell = all.get(side)?.get(n);
    return { samples: values(cell, measure.key), note: cell?.note };
  };
  if (reached.length > 1) {
    for (const measure of scene.measures.filter(({ of }) => of !== "difference"))
      reportGrowth(report, measure, scene.sides, reached, (side, n) => taken(side, n, measure));
  }
  return scene.sides.every(
    (side) =>
      side.ours !== true || [...(all.get(side)?.values() ?? [])].every(({ note }) => note === undefined),
  );
}

/**
 * @param {Cell} cell
 * @param {import("./side-process.mjs").Outcome} outcome
 */
function keep(cell, outcome) {
  switch (outcome.type) {
    case "sample":
      cell.samples.push(outcome.values);
      return;
    case "lost":
      cell.note = outcome.why;
      return;
    case "ready":
      return;
    default:
      throw new Error("no such outcome");
  }
}

/** @param {Cell} cell */
async function finish(cell) {
  await cell.process?.end();
  cell.process = undefined;
}

/**
 * @param {ReadonlyMap<number, Cell>} before the side's cells at smaller sizes
 * @param {number} n
 * @param {number} limit
 * @returns {string | undefined} why a side is not tried at all
 */
function skipped(before, n, limit) {
  for (const [size, { note }] of before) {
    // Of one that was skipped, what is known lies before it.
    if (note !== undefined && !note.startsWith(SKIPPED))
      return `${SKIPPED}at ${size.toLocaleString("en")} it ${/^(?:crashed|failed)/.test(note) ? note : `was ${note}`}`;
  }
  const taken = [...before]
    .filter(([, { took }]) => took.length > 0)
    .map(([size, { took }]) => ({ n: size, seconds: sum(took) / took.length }));
  const ahead = forecast(taken, n);
  if (ahead === undefined || ahead.seconds <= limit) return undefined;
  const last = taken.at(-1);
  return `${SKIPPED}at ${last?.n.toLocaleString("en") ?? ""} it took ${short(last?.seconds ?? 0)} s, growing as ${powerText(ahead.power)}${taken.length > 1 ? "" : " at least"}, which would be ${short(ahead.seconds)} s here`;
}

/** @param {number} seconds */
function short(seconds) {
  return seconds >= 10 ? Math.round(seconds).toLocaleString("en") : seconds.toPrecision(2);
}

/**
 * @param {import("../../support/report.mjs").Report} report
 * @param {import("./suite.mjs").Scene<Side>} scene
 * @param {number} n
 * @param {ReadonlyMap<Side, Cell>} cells
 */
function reportSize(report, scene, n, cells) {
  for (const { key, text, unit, of, asked } of scene.measures) {
    const sides = [...cells].map(([side, cell], at) => ({
      name: side.name,
      samples: values(cell, key),
      ...(cell.note !== undefined && { note: cell.note }),
      // No ratio of two figures that should be nothing, nor of ours to ours.
      isReference: of === "difference" || (side.ours === true && at > 0),
    }));
    const what = scene.alone === undefined ? `${n.toLocaleString("en")} tasks: ` : "";
    report.row(what + text, sides, {
      unit,
      spread: scene.alone === undefined,
      ...(asked !== undefined && { asked: asked(n) }),
    });
  }
}

/**
 * @param {Cell | undefined} cell
 * @param {string} key
 */
function values(cell, key) {
  return (cell?.samples ?? []).map((sample) => sample[key]).filter((value) => value !== undefined);
}

/** @param {readonly number[]} list */
function sum(list) {
  return list.reduce((all, each) => all + each, 0);
}

/**
 * @template T
 * @param {readonly T[]} list
 */
function shuffled(list) {
  return list
    .map((value) => ({ value, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}
