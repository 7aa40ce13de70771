// @ts-check
/** From a program that fails to a smaller one that fails: takes steps away, and makes simpler what is left. */
import { Draft } from "./program.mjs";

/** @typedef {import("./program.mjs").Program} Program */
/** @typedef {import("./program.mjs").Step} Step */

/**
 * The program without what depends on steps that are not there, or is not determined any more.
 *
 * @param {Program} program
 * @returns {Program}
 */
function rebuilt({ every, actors, steps }) {
  const draft = new Draft(actors);
  for (const step of steps) draft.add(step);
  return { every, actors, steps: draft.steps };
}

/** @param {Program} a @param {Program} b */
function isSmaller(a, b) {
  const fewer = a.steps.length - b.steps.length;
  return fewer < 0 || (fewer === 0 && complexity(a) < complexity(b));
}

/** How much there is to a program besides the number of its steps. @param {Program} program */
function complexity({ actors, steps }) {
  const depths = new Map([[0, 0]]);
  let sum = actors === "none" ? 0 : 1;
  for (const step of steps) {
    const depth = "on" in step ? (depths.get(step.on) ?? 0) + 1 : 0;
    depths.set(step.id, depth);
    sum += depth + ("target" in step ? (depths.get(step.target) ?? 0) : 0);
    for (const [key, value] of Object.entries(step)) {
      const simplest = /** @type {Record<string, readonly unknown[]>} */ (order)[key];
      if (simplest !== undefined) sum += simplest.includes(value) ? simplest.indexOf(value) : simplest.length;
    }
    if (step.op === "pass") sum += Math.log2(step.ticks);
  }
  return sum;
}

/** What is simple, the simplest first; what is not listed is less simple. */
const order = {
  op: ["withCancel"],
  cause: [false],
  nil: [false],
  ms: [1],
  at: [0],
  limit: [-1],
  style: ["none"],
  kind: ["delegating", "independent"],
  does: ["nothing"],
  work: ["ok", "fail"],
  fails: ["no", "cause"],
};

/** What a step can be instead. @param {Step} step @param {Map<number, number>} parents @returns {Step[]} */
function simpler(step, parents) {
  /** @type {Record<string, unknown>[]} */
  const changes = [];
  if ("on" in step && parents.has(step.on)) changes.push({ on: 0 }, { on: parents.get(step.on) });
  if ("cause" in step && step.cause) changes.push({ cause: false });
  if ("nil" in step && step.nil) changes.push({ nil: false });
  switch (step.op) {
    case "withTimeout":
      changes.push({ ms: 1 }, { op: "withCancel" });
      break;
    case "withDeadline":
      changes.push({ at: 0 }, { op: "withCancel" });
      break;
    case "custom":
      changes.push({ kind: "delegating" }, { kind: "independent" }, { op: "withCancel", cause: false });
      break;
    case "group":
      changes.push({ limit: -1 }, { style: "none" }, { op: "withCancel", cause: false });
      break;
    case "afterFunc":
      changes.push({ does: "nothing" }, { target: parents.get(step.target) ?? 0 });
      break;
    case "pass":
      changes.push({ ticks: 1 }, { ticks: Math.ceil(step.ticks / 2) });
      break;
    case "go":
    case "tryGo":
      changes.push({ work: "ok" }, { work: "fail" });
      break;
    case "finish":
      changes.push({ fails: "no" }, { fails: "cause" });
      break;
    default:
  }
  return changes.map((change) => /** @type {Step} */ ({ ...step, ...change }));
}

/**
 * @param {Program} program
 * @returns {Generator<Program>} one change each, the largest first
 */
function* candidates({ every, actors, steps }) {
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let end = steps.length; end > 0; end -= size) {
      yield { every, actors, steps: steps.filter((_, i) => i < end - size || i >= end) };
    }
  }
  if (actors !== "none") yield { every, actors: "none", steps };
  const parents = new Map();
  for (const step of steps) if ("on" in step) parents.set(step.id, step.on);
  for (const [i, step] of steps.entries()) {
    for (const other of simpler(step, parents)) yield { every, actors, steps: steps.with(i, other) };
  }
}

/**
 * @param {Program} program one that fails
 * @param {(program: Program) => Promise<boolean>} fails
 * @returns {Promise<Program>} none of the changes there are makes a smaller one of it that fails
 */
export async function shrink(program, fails) {
  let smallest = program;
  for (let next = await smallerThan(smallest, fails); next !== undefined; ) {
    smallest = next;
    next = await smallerThan(smallest, fails);
  }
  return smallest;
}

/**
 * @param {Program} program
 * @param {(program: Program) => Promise<boolean>} fails
 * @returns {Promise<Program | undefined>}
 */
async function smallerThan(program, fails) {
  for (const candidate of candidates(program)) {
    const smaller = rebuilt(candidate);
    if (isSmaller(smaller, program) && (await fails(smaller))) return smaller;
  }
  return undefined;
}
