/**
 * Tries every interleaving of a model that has finitely many states: breadth first, so that the first way found to a fault is one
 * of the shortest. Owns nothing of what the states mean.
 */

/** Numbers, strings, and lists and objects of them: always with the same properties, in the same order. */
type Plain = number | string | readonly Plain[] | { readonly [name: string]: Plain };

export interface Step<S> {
  readonly label: string;
  /**
   * Somebody may take it, or never: a task that returns, a user who cancels, a thread that crashes. All others happen sooner or later,
   * as long as nothing else makes them impossible.
   */
  readonly isVoluntary: boolean;
  readonly to: S;
}

export interface Model<S> {
  readonly initial: S;
  stepsOf(state: S): readonly Step<S>[];
  /** The promise that this state breaks. */
  faultOf(state: S): string | undefined;
  /** The promise that is broken if everything stops here but what is voluntary. */
  faultAtRest(state: S): string | undefined;
}

interface Fault {
  readonly promise: string;
  /** The labels of the steps that lead to it. */
  readonly trace: readonly string[];
}

export interface Exploration {
  readonly states: number;
  readonly steps: number;
  /** The longest of the shortest ways from the beginning to each state. */
  readonly depth: number;
  /** States in which nothing happens any more but what is voluntary. */
  readonly rests: number;
  readonly fault: Fault | undefined;
}

/** @param most states; more are an error: a model that grows without bound is none */
export function explore<S>(model: Model<S>, most = 5_000_000): Exploration {
  const seen = new Map<string, number>();
  /** By number: from which state it was met first, and by which of the steps from there. */
  const parents: number[] = [-1];
  const ordinals: number[] = [-1];
  /** Behind the state that is looked at, those that are known and have not been. */
  const states: (S | undefined)[] = [model.initial];
  // The edges, all of one state side by side.
  const firsts: number[] = [];
  const targets: number[] = [];
  let depth = 0;
  let levelEnd = 1;
  let rests = 0;
  const report = (fault?: Fault): Exploration => ({
    states: states.length,
    steps: targets.length,
    depth,
    rests,
    fault,
  });
  const faultAt = (promise: string, at: number): Exploration =>
    report({ promise, trace: traceTo(model, wayTo(at, parents, ordinals)) });
  seen.set(keyOf(model.initial as Plain), 0);
  for (let at = 0; at < states.length; at++) {
    if (at === levelEnd) {
      depth++;
      levelEnd = states.length;
    }
    const state = states[at] as S;
    states[at] = undefined;
    const broken = model.faultOf(state);
    if (broken !== undefined) return faultAt(broken, at);
    const steps = model.stepsOf(state);
    firsts.push(targets.length);
    let isAtRest = true;
    for (const [ordinal, { isVoluntary, to }] of steps.entries()) {
      if (!isVoluntary) isAtRest = false;
      const key = keyOf(to as Plain);
      let target = seen.get(key);
      if (target === undefined) {
        target = states.length;
        if (target >= most) throw new Error(`more than ${String(most)} states`);
        seen.set(key, target);
        states.push(to);
        parents.push(at);
        ordinals.push(ordinal);
      }
      targets.push(target);
    }
    if (!isAtRest) continue;
    rests++;
    const hung = model.faultAtRest(state);
    if (hung !== undefined) return faultAt(hung, at);
  }
  firsts.push(targets.length);
  const onCycle = stateOnCycle(firsts, targets);
  return onCycle < 0 ? report() : faultAt("it goes on only so often: no state is come to twice", onCycle);
}

/** The state in one string: two have the same only if they are the same. */
function keyOf(state: Plain): string {
  return codes.toString("latin1", 0, encode(state, 0));
}

const codes = Buffer.alloc(4096);

/** Numbers for the words that states hold. */
const codesOfWords = new Map<string, number>();

/** @returns where the next one goes */
function encode(value: Plain, at: number): number {
  if (typeof value === "number") {
    if (value < 0 || value > 0xff) throw new Error(`not a number that a key can hold: ${String(value)}`);
    codes[at] = value;
    return at + 1;
  }
  if (typeof value === "string") {
    const code = codesOfWords.get(value) ?? codesOfWords.size;
    codesOfWords.set(value, code);
    codes[at] = code;
    return at + 1;
  }
  if (Array.isArray(value)) {
    codes[at++] = value.length;
    for (const each of value as readonly Plain[]) at = encode(each, at);
    return at;
  }
  const parts = value as { readonly [name: string]: Plain };
  for (const name in parts) at = encode(parts[name] as Plain, at);
  return at;
}

/** The steps to the state, each as its place among the steps from the state before. */
function wayTo(state: number, parents: readonly number[], ordinals: readonly number[]): number[] {
  const way: number[] = [];
  for (let at = state; at > 0; at = parents[at] as number) way.push(ordinals[at] as number);
  return way.reverse();
}

function traceTo<S>(model: Model<S>, way: readonly number[]): string[] {
  let state = model.initial;
  return way.map((ordinal) => {
    const step = model.stepsOf(state)[ordinal] as Step<S>;
    state = step.to;
    return step.label;
  });
}

/** A state from which it can come back to itself; -1 where there is none. Takes away, again and again, what nothing leads to. */
function stateOnCycle(firsts: readonly number[], targets: readonly number[]): number {
  const count = firsts.length - 1;
  const before = new Uint32Array(count);
  for (const target of targets) before[target] = (before[target] as number) + 1;
  const free = [...before.keys()].filter((at) => before[at] === 0);
  for (let at = free.pop(); at !== undefined; at = free.pop()) {
    for (let edge = firsts[at] as number; edge < (firsts[at + 1] as number); edge++) {
      const target = targets[edge] as number;
      before[target] = (before[target] as number) - 1;
      if (before[target] === 0) free.push(target);
    }
  }
  return before.findIndex((left) => left > 0);
}
