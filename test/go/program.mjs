// @ts-check
/**
 * What a program is that our library and Go both run, and how one is made from a seed. Every program is determined: what
 * either side does in it is laid down, by the notes or by Go's documentation, whatever the scheduler does. The rules that
 * see to it are those of `Draft.add`, and nowhere else.
 *
 * What is not compared, by the rules of Go's context that the tests are numbered by:
 * - 3: the text and class of errors; Go's two are compared by kind, causes by identity.
 * - 20: the cause of a live context. Go's is that of the context below a custom one; ours is undefined. And before Go 1.24
 *   a custom context that ended by itself has none where its error is meant.
 * - 23: which of two timers of one time is first, where that shows (`Draft.#dated`).
 * - 31: Go's nil is our undefined and our null.
 * - 14, 35: in what order things happen that one step sets off; each step's are sorted.
 * - 16: functions that cancel what a cancellation is still on its way to (`Draft.targetsFrom`).
 * - 42, 45: `wait` while a `go` is waiting for a place, and such a `go` while somebody waits. In Go the caller of `go` is
 *   blocked and cannot do so; ours queues, and `wait` waits for what is queued. Both sides say that they leave it out.
 * - 18: a cause for the cancel functions of deadlines, which in Go take none.
 * What only one of the two has: signals, `race`, `sleep`, `first`, the promise that `go` returns (46), polls while the event
 * loop is blocked (30), deadlines of Infinity (29), Go's AfterFunc method of custom contexts.
 *
 * Time: steps happen at odd milliseconds, 2 apart, and deadlines lie at even ones, so that no deadline passes beside a step.
 */

/**
 * Everything that a step makes (a context, a registration, a function of a group) is known by the step's id; 0 is
 * `background`. A cause is an error of its own that is known by the id of the step that brings it.
 *
 * @typedef {{ id: number, on: number, cause: boolean }} Derive
 * @typedef {"delegating" | "labelled" | "dated" | "independent" | "independent dated"} CustomKind
 * @typedef {"nothing" | "cancel" | "stop" | "register" | "derive"} Deed what a registered function does, besides telling that it runs
 * @typedef {"gate" | "ctx" | "ok" | "fail"} Work until a `finish`; until the group's context has ended; not at all
 * @typedef {"none" | "nil" | "err" | "cause"} Style what the functions of a group that wait for its context return then
 * @typedef {({ op: "withCancel" } & Derive)
 *   | ({ op: "withTimeout", ms: number } & Derive)
 *   | ({ op: "withDeadline", at: number } & Derive)
 *   | { op: "withValue", id: number, on: number, key: number, nil: boolean }
 *   | { op: "withoutCancel", id: number, on: number }
 *   | { op: "custom", id: number, on: number, kind: CustomKind, key: number, at: number }
 *   | { op: "group", id: number, on: number, limit: number, style: Style }
 *   | { op: "cancel", id: number, on: number, cause: boolean }
 *   | { op: "end", id: number, on: number, expired: boolean }
 *   | { op: "afterFunc", id: number, on: number, does: Deed, target: number, cause: boolean }
 *   | { op: "stop", id: number, on: number }
 *   | { op: "watch", id: number, on: number }
 *   | { op: "pass", id: number, ticks: number }
 *   | { op: "go" | "tryGo", id: number, on: number, work: Work }
 *   | { op: "finish", id: number, on: number, fails: "no" | "cause" | "err", target: number }
 *   | { op: "wait", id: number, on: number }
 *   | { op: "look", id: number }} Step
 *
 * @typedef {"none" | "plain" | "one"} Actors what registered functions may cancel: nothing; anything, without a cause; one
 * of them anything
 * @typedef {{ every: boolean, actors: Actors, steps: readonly Step[] }} Program `every`: whether all is looked at after
 * each step, or only at `look` and at the end
 */

/** The keys of values. */
export const KEYS = 3;

/** What time it is at the first step, and how long each takes, in ms since the program's start. */
export const FIRST = 1;
export const TICK = 2;

/** More than timers take, 2^31-1 ms. */
const FAR = 3_600_000_000;

/**
 * @typedef {{
 *   parent: number,
 *   enders: ReadonlySet<number>,
 *   cancel: "none" | "plain" | "cause",
 *   independent: boolean,
 * }} Node `enders`: itself and all above it whose end is its own end
 */

/** A program in the making, and what has to be known of it to keep it determined. */
export class Draft {
  /** @type {Step[]} */
  steps = [];
  /** @type {Map<number, Node>} */
  nodes = new Map([[0, { parent: 0, enders: new Set(), cancel: "none", independent: false }]]);
  /** @type {Set<number>} */
  registrations = new Set();
  /** @type {Map<number, Style>} */
  groups = new Map();
  /** Functions that wait for a `finish`. @type {Set<number>} */
  gates = new Set();
  /** @type {{ id: number, at: number, cause: boolean }[]} */
  #timers = [];
  #acting = 0;
  #time = FIRST;

  /** @param {Actors} actors */
  constructor(actors) {
    this.actors = actors;
  }

  get time() {
    return this.#time;
  }

  /**
   * Adds the step if the program is still determined with it.
   *
   * @param {Step} step
   * @returns {boolean} whether it was added
   */
  add(step) {
    if (!this.#take(step)) return false;
    this.steps.push(step);
    this.#time += step.op === "pass" ? TICK * step.ticks : TICK;
    return true;
  }

  /** @param {Step} step */
  #take(step) {
    switch (step.op) {
      case "withCancel":
        return this.#derive(step, step.cause ? "cause" : "plain");
      case "withTimeout":
        return this.#dated(step, step.ms <= 0 ? undefined : this.#time + step.ms);
      case "withDeadline":
        return this.#dated(step, step.at <= this.#time ? undefined : step.at);
      case "withValue":
        return this.#derive(step, "none");
      case "withoutCancel":
        return this.#unended(step, false);
      case "custom":
        if (step.kind.startsWith("independent")) return this.#unended(step, true);
        return this.#derive(step, "none");
      case "group":
        if (!this.#derive(step, "none", true)) return false;
        this.groups.set(step.id, step.style);
        return true;
      case "cancel": {
        const how = this.nodes.get(step.on)?.cancel ?? "none";
        return how === "cause" || (how === "plain" && !step.cause);
      }
      case "end":
        return this.nodes.get(step.on)?.independent === true;
      case "afterFunc":
        if (!this.nodes.has(step.on) || !this.#mayDo(step)) return false;
        if (step.does === "cancel") this.#acting++;
        this.registrations.add(step.id);
        return true;
      case "stop":
        return this.registrations.has(step.on);
      case "watch":
        return this.nodes.has(step.on);
      case "go":
      case "tryGo": {
        // Several that wait for the context return at once: which of them frees the place for one that fails is open.
        const style = this.groups.get(step.on);
        if (style === undefined || (step.work === "fail" ? style !== "none" : false)) return false;
        if (step.work === "ctx" && style === "none") return false;
        if (step.work === "gate") this.gates.add(step.id);
        return true;
      }
      case "finish":
        return this.gates.has(step.on) && (step.fails !== "err" || this.nodes.has(step.target));
      case "wait":
        return this.groups.has(step.on);
      case "pass":
      case "look":
        return true;
    }
  }

  /** Whether its end is that of what an independent custom context has its values from. @param {number} id */
  isInside(id) {
    return [...this.nodes.values()].some(
      ({ independent, parent }) => independent && this.nodes.get(parent)?.enders.has(id),
    );
  }

  /**
   * @param {{ id: number, on: number }} step
   * @param {Node["cancel"]} cancel
   * @param {boolean} [ends] whether it can end by itself
   */
  #derive({ id, on }, cancel, ends = cancel !== "none") {
    const parent = this.nodes.get(on);
    if (parent === undefined) return false;
    const enders = ends ? new Set([...parent.enders, id]) : parent.enders;
    this.nodes.set(id, { parent: on, enders, cancel, independent: false });
    return true;
  }

  /**
   * @param {{ id: number, on: number }} step
   * @param {boolean} independent
   */
  #unended({ id, on }, independent) {
    if (!this.nodes.has(on)) return false;
    this.nodes.set(id, { parent: on, enders: new Set(independent ? [id] : []), cancel: "none", independent });
    return true;
  }

  /**
   * Which of two timers of the same time is first is open. That shows where one context is below the other and the causes
   * differ, or where a function that runs at the first one's end cancels the other.
   *
   * @param {Derive} step
   * @param {number | undefined} at when its timer runs; undefined for never
   */
  #dated(step, at) {
    if (at !== undefined) {
      const above = this.nodes.get(step.on)?.enders;
      for (const other of this.#timers) {
        if (other.at !== at) continue;
        if (this.actors !== "none" || (above?.has(other.id) === true && (step.cause || other.cause)))
          return false;
      }
    }
    if (!this.#derive(step, "plain")) return false;
    if (at !== undefined) this.#timers.push({ id: step.id, at, cause: step.cause });
    return true;
  }

  /**
   * Registered functions run while Go's cancellation is still on its way through the tree: what they cancel must be out
   * of its way, on the way that it has come, or else it is open whose error it gets. And those of two functions that run at
   * the same time must not contradict each other: all of them cancel without a cause, or there is only one.
   *
   * @param {Extract<Step, { op: "afterFunc" }>} step
   */
  #mayDo({ on, does, target, cause }) {
    if (does === "register") return this.nodes.has(target);
    if (does !== "cancel") return true;
    if (cause && (this.actors !== "one" || this.nodes.get(target)?.cancel !== "cause")) return false;
    return this.targetsFrom(on).includes(target);
  }

  /**
   * What a function registered on this context may cancel.
   *
   * @param {number} on
   * @returns {number[]}
   */
  targetsFrom(on) {
    if (this.actors === "none" || (this.actors === "one" && this.#acting > 0)) return [];
    const enders = this.nodes.get(on)?.enders ?? new Set();
    const [top = Number.POSITIVE_INFINITY] = enders;
    const targets = [...this.nodes].filter(([id, node]) => {
      if (node.cancel === "none") return false;
      if (enders.has(id)) return true;
      // Elsewhere; and never back from there, by way of the functions that run there.
      const [otherTop = 0] = node.enders;
      return top < otherTop;
    });
    return targets.map(([id]) => id);
  }
}

/**
 * Numbers from a seed (mulberry32).
 *
 * @param {number} seed
 * @returns {() => number} 0 or more, below 1
 */
function randomFrom(seed) {
  let state = Math.imul(seed ^ (seed >>> 16), 0x45d9f3b) | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How often each is drawn. @type {readonly (readonly [Step["op"], number])[]} */
const weights = [
  ["withCancel", 8],
  ["withTimeout", 5],
  ["withDeadline", 5],
  ["withValue", 3],
  ["withoutCancel", 2],
  ["custom", 5],
  ["group", 3],
  ["cancel", 8],
  ["end", 3],
  ["afterFunc", 7],
  ["stop", 4],
  ["watch", 2],
  ["pass", 5],
  ["go", 7],
  ["tryGo", 4],
  ["finish", 7],
  ["wait", 3],
  ["look", 2],
];
const total = weights.reduce((sum, [, weight]) => sum + weight, 0);

/** @type {readonly CustomKind[]} */
const customs = ["delegating", "labelled", "dated", "independent", "independent", "independent dated"];

/**
 * The program of this seed.
 *
 * @param {number} seed an integer
 * @returns {Program}
 */
export function programOf(seed) {
  const random = randomFrom(seed);
  const below = (/** @type {number} */ n) => Math.floor(random() * n);
  const chance = (/** @type {number} */ part) => random() < part;
  /** @type {<T>(list: readonly T[]) => T} */
  const one = (list) => /** @type {(typeof list)[number]} */ (list[below(list.length)]);
  // The newest more often than the oldest: for trees that are deep.
  /** @type {<T>(list: readonly T[]) => T | undefined} */
  const recent = (list) => list[list.length - 1 - Math.floor(list.length * random() ** 1.5)];

  const every = chance(0.5);
  const draft = new Draft(one(/** @type {const} */ (["none", "none", "plain", "plain", "one"])));
  const size = 3 + below(one([10, 30, 60]));
  const node = () => recent([...draft.nodes.keys()]) ?? 0;
  const deadline = () =>
    chance(0.15) ? FAR + 10 * below(3) : Math.max(-10, 10 * (Math.floor(draft.time / 10) + below(8) - 2));

  /** @returns {Step["op"]} */
  const draw = () => {
    let left = random() * total;
    for (const [op, weight] of weights) {
      left -= weight;
      if (left < 0) return op;
    }
    return "look";
  };

  /**
   * @param {number} id
   * @returns {Step | undefined} undefined where there is nothing to do it to
   */
  const step = (id) => {
    const op = draw();
    switch (op) {
      case "withCancel":
        return { op, id, on: node(), cause: chance(0.7) };
      case "withTimeout":
        return { op, id, on: node(), cause: chance(0.5), ms: one([-3, 0, 1, 5, 9, 21, 45, FAR + 1]) };
      case "withDeadline":
        return { op, id, on: node(), cause: chance(0.5), at: deadline() };
      case "withValue":
        return { op, id, on: node(), key: below(KEYS), nil: chance(0.2) };
      case "withoutCancel":
        return { op, id, on: node() };
      case "custom":
        return { op, id, on: node(), kind: one(customs), key: below(KEYS), at: deadline() };
      case "group":
        return {
          op,
          id,
          on: node(),
          limit: one([-1, -1, 0, 1, 1, 2, 3]),
          style: one(/** @type {const} */ (["none", "none", "nil", "err", "cause"])),
        };
      case "cancel": {
        const all = [...draft.nodes].filter(([, { cancel }]) => cancel !== "none");
        const some = chance(0.25) ? all.filter(([other]) => draft.isInside(other)) : all;
        const on = recent(some);
        return on && { op, id, on: on[0], cause: on[1].cancel === "cause" && chance(0.7) };
      }
      case "end": {
        const on = recent([...draft.nodes].filter(([, { independent }]) => independent));
        return on && { op, id, on: on[0], expired: chance(0.5) };
      }
      case "afterFunc": {
        const does = one(
          /** @type {const} */ (["nothing", "nothing", "cancel", "cancel", "stop", "register", "derive"]),
        );
        const on = node();
        if (does !== "cancel") return { op, id, on, does, target: node(), cause: false };
        const target = recent(draft.targetsFrom(on));
        if (target === undefined) return undefined;
        const cause = draft.actors === "one" && draft.nodes.get(target)?.cancel === "cause" && chance(0.7);
        return { op, id, on, does, target, cause };
      }
      case "stop": {
        const on = recent([...draft.registrations]);
        return on === undefined ? undefined : { op, id, on };
      }
      case "watch":
        return { op, id, on: node() };
      case "pass":
        return { op, id, ticks: one([1, 2, 5, 10, 20, chance(0.2) ? FAR / TICK : 3]) };
      case "go":
      case "tryGo": {
        const on = recent([...draft.groups]);
        if (on === undefined) return undefined;
        /** @type {readonly Work[]} */
        const works =
          on[1] === "none" ? ["gate", "gate", "gate", "ok", "fail"] : ["gate", "ctx", "ctx", "ok"];
        return { op, id, on: on[0], work: one(works) };
      }
      case "finish": {
        if (draft.gates.size === 0) return undefined;
        const fails = one(/** @type {const} */ (["no", "no", "cause", "cause", "err"]));
        return { op, id, on: one([...draft.gates]), fails, target: node() };
      }
      case "wait": {
        const on = recent([...draft.groups.keys()]);
        return on === undefined ? undefined : { op, id, on };
      }
      case "look":
        return { op, id };
    }
  };
  // What does not suit is drawn again; a few times, since nothing may suit.
  for (let id = 1; id < 4 * size && draft.steps.length < size; id++) {
    const drawn = step(id);
    if (drawn !== undefined) draft.add(drawn);
  }
  return { every, actors: draft.actors, steps: draft.steps };
}

/** A step as a line to read. @param {Step} step */
function lineOf(step) {
  const { op, id } = step;
  const why = "cause" in step && step.cause ? `, c${id}` : "";
  switch (op) {
    case "withCancel":
      return `n${id} = withCancel(n${step.on})${step.cause ? "   // with a cause, when it is cancelled" : ""}`;
    case "withTimeout":
      return `n${id} = withTimeout(n${step.on}, ${step.ms} ms${why})`;
    case "withDeadline":
      return `n${id} = withDeadline(n${step.on}, start + ${step.at} ms${why})`;
    case "withValue":
      return `n${id} = withValue(n${step.on}, k${step.key}, ${step.nil ? "nil" : `v${id}`})`;
    case "withoutCancel":
      return `n${id} = withoutCancel(n${step.on})`;
    case "custom": {
      const more = step.kind.endsWith("dated")
        ? `, deadline start + ${step.at} ms`
        : step.kind === "labelled"
          ? `, k${step.key}: v${id}`
          : "";
      return `n${id} = custom(n${step.on}, ${step.kind}${more})`;
    }
    case "group":
      return `n${id} = group(n${step.on}, limit ${step.limit})${step.style === "none" ? "" : `   // functions that wait for it return ${step.style}`}`;
    case "cancel":
      return `cancel(n${step.on}${why})`;
    case "end":
      return `n${step.on} ends: ${step.expired ? "deadline" : "canceled"}`;
    case "afterFunc": {
      const deeds = {
        nothing: "",
        cancel: `cancel(n${step.target}${step.cause ? `, c${id}` : ""})`,
        stop: `stop(r${id})`,
        register: `afterFunc(n${step.target})`,
        derive: `withCancel(n${step.on})`,
      };
      return `r${id} = afterFunc(n${step.on}, () => { ${deeds[step.does]} })`;
    }
    case "stop":
      return `stop(r${step.on})`;
    case "watch":
      return `when n${step.on} is done: say so`;
    case "pass":
      return `${step.ticks * TICK} ms pass`;
    case "go":
    case "tryGo": {
      const works = {
        gate: "until it is finished",
        ctx: "until the group's context has ended",
        ok: "returns at once",
        fail: `fails at once, c${id}`,
      };
      return `f${id} = ${op}(n${step.on}, ${works[step.work]})`;
    }
    case "finish": {
      const fails = { no: "returns", cause: `fails, c${id}`, err: `fails, err of n${step.target}` };
      return `f${step.on} ${fails[step.fails]}`;
    }
    case "wait":
      return `wait(n${step.on})`;
    case "look":
      return "look";
  }
}

/** @param {Program} program */
export function textOf(program) {
  const looks = program.every ? "looks after every step" : "looks where it says so, and at the end";
  return [`// n0 is background; ${looks}`, ...program.steps.map(lineOf)].join("\n");
}
