// @ts-check
/**
 * The fault matrix as data: which faults there are, what a call comes to that meets one, and why some cells cannot be. The tests
 * (matrix.test.ts) and the table of docs/reliability.md (scripts/fault-matrix.mjs) are made of it.
 */

/** @typedef {"run" | "submit" | "map" | "group" | "actor" | "http"} EntryName */
/** @typedef {"queued" | "dispatching" | "running" | "stopping" | "closing"} State */
/** @typedef {import("lifeguard").Outcome} Outcome */

/**
 * - `its value`, `its error`: what the function returns or throws, or what stands for that where it cannot be cloned
 * - `err()`: the error of the call's context
 * - `nothing`: nobody waits for it any more
 * - anything else: the `code` of an error, whose cause may be somebody else's context
 *
 * @typedef {"its value" | "its error" | "err()" | "nothing" | "ABORT_ERR" | `ERR_${string}`} Gets
 */

/**
 * How a call ends. `outcome` is undefined where it was not taken in: then it is not counted.
 *
 * @typedef {{ readonly outcome: Outcome | undefined, readonly gets: Gets }} Settles
 */

/** What a cell holds: how the call ends, or why there is no such cell. @typedef {Settles | string} Cell */
/** @typedef {Readonly<Record<State, Cell>>} Row */

/** @type {readonly EntryName[]} */
export const entryNames = ["run", "submit", "map", "group", "actor", "http"];
/** @type {readonly State[]} */
export const states = ["queued", "dispatching", "running", "stopping", "closing"];

/** @type {Settles} */
const completed = { outcome: "completed", gets: "its value" };
/** @type {Settles} */
const failed = { outcome: "failed", gets: "its error" };
/** @type {Settles} */
const dropped = { outcome: "dropped", gets: "err()" };
/** @type {Settles} */
const stopped = { outcome: "stopped", gets: "err()" };
/** @type {Settles} */
const interrupted = { outcome: "interrupted", gets: "err()" };
/** @type {Settles} */
const terminated = { outcome: "terminated", gets: "err()" };
/** @type {Settles} */
const crashed = { outcome: "crashed", gets: "ERR_WORKER_CRASHED" };
/** @type {Settles} */
const uncloneable = { outcome: "failed", gets: "ERR_NOT_CLONEABLE" };

/**
 * @param {Gets} gets
 * @returns {Settles}
 */
const refused = (gets) => ({ outcome: undefined, gets });

/**
 * @param {Cell} cell
 * @param {Partial<Row>} [others]
 * @returns {Row}
 */
const always = (cell, others) => ({
  queued: cell,
  dispatching: cell,
  running: cell,
  stopping: cell,
  closing: cell,
  ...others,
});

// Why there is no such cell. ----

/** Reasons that several rows give. */
const NEVER_RUNS = "it strikes at the hand-over: such a call never runs";
const AT_SUBMISSION = "the call is refused when it is made, whatever else there is";
const NO_HAND_OVER = "nothing is handed to a thread that has not loaded its module";
const TOO_LATE_TO_LISTEN = "the context has ended before anybody can listen";
const NO_CLIENT = "only a request has a client and a response";
const NO_READER = "only a batch has a reader, and inputs that are read";

/**
 * What a fault comes to, in every entry where `at` says nothing else.
 *
 * @typedef {{
 *   readonly kind: string,
 *   readonly settles: Row,
 *   readonly at?: Readonly<Partial<Record<EntryName, Partial<Row>>>>,
 *   readonly notOn?: { readonly node: number, readonly why: string },
 * }} Fault
 */

/**
 * @param {string} why
 * @param {...EntryName} but
 * @returns {Readonly<Partial<Record<EntryName, Partial<Row>>>>}
 */
const only = (why, ...but) =>
  Object.fromEntries(entryNames.filter((name) => !but.includes(name)).map((name) => [name, always(why)]));

/** @type {Partial<Row>} */
const neverRuns = { running: NEVER_RUNS, stopping: NEVER_RUNS };

/** By an end of the call's own context: the same for whatever ends it. */
const ended = always(stopped, { queued: dropped, dispatching: dropped });

/**
 * By an end that is not its own context's: what it gets is another one's error.
 *
 * @param {Row} row
 * @returns {Row}
 */
const byAnother = (row) =>
  /** @type {Row} */ (
    Object.fromEntries(
      Object.entries(row).map(([state, cell]) => [
        state,
        typeof cell === "string" || state === "stopping" ? cell : { ...cell, gets: "ABORT_ERR" },
      ]),
    )
  );

/**
 * Where a thread's death ends the actor, its calls get the reason; of those that were ending anyway, what they were ending of.
 *
 * @param {Cell} cell
 */
const withTheActor = (cell) => ({
  actor: always(cell, {
    stopping: terminated,
    closing: { ...terminated, gets: /** @type {const} */ ("ABORT_ERR") },
  }),
});

/** An actor that is disposed of does not wait until the call's own context ends. */
const untilDisposed = { actor: { closing: { ...terminated, gets: /** @type {const} */ ("ABORT_ERR") } } };

const thrown = { kind: "The function throws", settles: always(failed) };
const returned = { kind: "The function returns" };
const dies = { kind: "Its thread dies", settles: always(crashed), at: withTheActor(crashed) };
const stays = { kind: "It does not stop", settles: always(terminated), at: untilDisposed };
const given = { kind: "What it is given", settles: always(uncloneable, neverRuns) };
/** Of a batch it is the whole: its items end with it, and its reader gets the error after them. */
const endsTheBatch = {
  queued: { ...dropped, gets: /** @type {const} */ ("ABORT_ERR") },
  closing: { ...dropped, gets: /** @type {const} */ ("ABORT_ERR") },
};

const module = {
  kind: "The module",
  settles: always(NO_HAND_OVER, {
    queued: { outcome: "failed", gets: "ERR_TASK_MODULE" },
    closing: { outcome: "failed", gets: "ERR_TASK_MODULE" },
  }),
};
const end = { kind: "Its context ends", settles: ended };
const around = { kind: "What is around it" };

/** @type {Partial<Row>} */
const neverMade = { closing: "an actor that has not been made cannot be closed" };

/** @satisfies {Record<string, Fault>} */
export const faults = {
  "throws an error with code, cause and fields": thrown,
  "rejects with one": thrown,
  "throws null": thrown,
  "throws undefined": thrown,
  "throws a function": thrown,
  "throws a Proxy whose traps throw": thrown,
  "throws an error whose fields cannot be read": thrown,
  "throws an error whose cause cannot be cloned": thrown,
  "throws an error that is its own cause": thrown,
  "throws an abort error of somebody else's": thrown,
  "overflows the stack": thrown,
  "calls back, and the callback throws": {
    ...thrown,
    at: { map: always("callbacks are refused as inputs; test/comlink/proxy.test.ts") },
  },

  "returns a function": { ...returned, settles: always(uncloneable) },
  "returns an object whose getter throws": { ...returned, settles: always(uncloneable) },
  "returns its context": {
    ...returned,
    settles: always(uncloneable),
    at: { actor: always("methods of actors may return contexts, and take them anywhere") },
  },
  "transfers a buffer that is detached": { ...returned, settles: always(uncloneable) },
  "returns a thenable whose `then` throws": { ...returned, settles: always(failed) },
  "returns a thenable that rejects, then resolves": { ...returned, settles: always(failed) },
  "returns a thenable that resolves, then throws": { ...returned, settles: always(completed) },
  "returns late, having never looked at its context": { ...returned, settles: always(completed) },
  "returns, and the caller's event loop is blocked": {
    ...returned,
    settles: always(completed, { queued: "a caller that is blocked hands nothing over" }),
    at: { actor: { queued: completed } },
  },

  "calls process.exit": dies,
  "throws from a timer": dies,
  "throws from a timer what cannot be looked at": dies,
  "leaves a rejection unhandled": dies,
  "runs out of memory": {
    ...dies,
    at: Object.fromEntries(
      entryNames
        .filter((name) => name !== "submit")
        .map((name) => [
          name,
          always("a third of a second each, and the same death as process.exit", { running: crashed }),
        ]),
    ),
    notOn: { node: 24, why: "Node 24 and 26 do not end such a thread, a bare Worker neither" },
  },
  "returns, and what it left behind throws": { ...dies, settles: always(completed), at: {} },
  "breaks what its thread does after it": {
    ...dies,
    settles: always(completed),
    at: { actor: always("it breaks what only a pool's thread does") },
  },
  "is on a thread that somebody else ends": {
    ...dies,
    settles: always(crashed, { queued: completed, dispatching: completed }),
  },
  "is on a thread that somebody else ends, with arguments that have moved along": {
    ...dies,
    settles: always("what has begun dies as in the row above, and what waits has moved nothing", {
      dispatching: crashed,
    }),
    at: {},
  },

  "loops, and never looks": stays,
  "loops, and is to be interrupted": {
    ...stays,
    settles: always(interrupted),
    at: { actor: always("actors are ended, not interrupted") },
  },
  "loops, and the order to end its thread is lost": stays,
  "blocks in Atomics.wait": stays,
  "blocks in native code": stays,
  "matches a runaway regular expression": stays,
  "never settles": stays,
  "returns a thenable that never settles": stays,

  "an argument cannot be cloned": given,
  "the getter of an argument throws": {
    ...given,
    at: { actor: { queued: failed, dispatching: failed, closing: failed } },
  },
  "an argument that moves along is detached already": given,
  "a shared value of its context cannot be cloned": given,
  "a context among the arguments": {
    ...given,
    settles: always(AT_SUBMISSION, {
      queued: refused("ERR_NOT_CLONEABLE"),
      dispatching: refused("ERR_NOT_CLONEABLE"),
    }),
    at: {
      map: { queued: uncloneable, dispatching: uncloneable },
      actor: always("methods of actors may return contexts, and take them anywhere"),
    },
  },
  "there is no such task": {
    ...given,
    settles: always(AT_SUBMISSION, {
      queued: refused("ERR_UNKNOWN_TASK"),
      dispatching: refused("ERR_UNKNOWN_TASK"),
    }),
    at: { actor: { queued: refused("ERR_UNKNOWN_METHOD"), dispatching: refused("ERR_UNKNOWN_METHOD") } },
  },
  "there is no such task, as is found out later": {
    ...given,
    settles: always(NO_HAND_OVER, {
      queued: { outcome: "failed", gets: "ERR_UNKNOWN_TASK" },
      closing: { outcome: "failed", gets: "ERR_UNKNOWN_TASK" },
    }),
    at: { actor: always("the other thread finds it out in any case: the row above") },
  },

  "the module does not exist": {
    ...module,
    at: { map: endsTheBatch, actor: { queued: refused("ERR_ACTOR_MODULE"), ...neverMade } },
  },
  "the module throws while it is loaded": {
    ...module,
    at: { map: endsTheBatch, actor: { queued: refused("ERR_ACTOR_MODULE"), ...neverMade } },
  },
  "the module ends its thread while it is loaded": {
    ...module,
    at: { map: endsTheBatch, actor: { queued: refused("ERR_WORKER_CRASHED"), ...neverMade } },
  },
  "the module is never loaded, and the context ends": {
    ...module,
    settles: always(NO_HAND_OVER, { queued: dropped, closing: dropped }),
    at: { actor: { queued: refused("err()"), ...neverMade } },
  },

  "is cancelled": end,
  "is cancelled with a cause that cannot be cloned": end,
  "is cancelled with a cause whose traps throw": end,
  "is cancelled, and a listener of the caller's throws": {
    ...end,
    settles: { ...ended, stopping: TOO_LATE_TO_LISTEN },
  },
  "is cancelled, and a listener of the task's throws": {
    ...end,
    settles: always(stopped, { stopping: TOO_LATE_TO_LISTEN }),
    at: { actor: { closing: TOO_LATE_TO_LISTEN } },
  },
  "its deadline passes": {
    ...end,
    at: { actor: { closing: "an actor that is disposed of ends its calls' contexts before that" } },
  },
  "its deadline passes while the caller's event loop is blocked": end,
  "its deadline has passed before": {
    ...end,
    settles: always("it is over before it is made", { queued: dropped, dispatching: dropped }),
    at: Object.fromEntries(
      // Nothing of a batch is read then.
      /** @type {const} */ (["map", "actor"]).map((name) => [
        name,
        { queued: refused("err()"), dispatching: refused("err()") },
      ]),
    ),
  },
  "a sibling fails": {
    ...end,
    at: {
      ...only("only a group has siblings; the items of a batch end as when its reader leaves", "group"),
    },
  },
  "its reader leaves": {
    ...end,
    settles: {
      queued: { ...dropped, gets: "nothing" },
      dispatching: { ...dropped, gets: "nothing" },
      running: { ...stopped, gets: "nothing" },
      stopping: { ...stopped, gets: "nothing" },
      closing: { ...stopped, gets: "nothing" },
    },
    at: only(NO_READER, "map"),
  },
  "its client leaves": { ...end, at: only(NO_CLIENT, "http") },
  "its client resets the connection": { ...end, at: only(NO_CLIENT, "http") },
  "its client closes its side": { ...end, at: only(NO_CLIENT, "http") },
  "its response is sent": { ...end, at: only(NO_CLIENT, "http") },

  "the pool is destroyed, or the actor disposed of": { ...around, settles: byAnother(ended) },
  "its proxy is released": {
    ...around,
    settles: byAnother(ended),
    at: only("only an actor has a proxy", "actor"),
  },
  "is made after close": {
    ...around,
    settles: always("this fault is that state", { closing: refused("ERR_POOL_CLOSED") }),
    at: { actor: { closing: refused("ERR_PEER_CLOSED") } },
  },
  "the queue is full": {
    ...around,
    settles: always("only what would wait meets it", { queued: refused("ERR_QUEUE_FULL") }),
    at: {
      map: { queued: "batches hold themselves back, and do not count for `maxQueue`" },
      actor: { queued: "an actor has no queue" },
    },
  },
  "the inputs of its batch throw": {
    ...around,
    settles: always(completed),
    at: only(NO_READER, "map"),
  },
};

/** @typedef {keyof typeof faults} FaultName */

export const faultNames = /** @type {FaultName[]} */ (Object.keys(faults));

/**
 * @param {FaultName} name
 * @param {EntryName} entry
 * @param {State} state
 * @returns {Cell}
 */
export function cellOf(name, entry, state) {
  /** @type {Fault} */
  const { settles, at = {} } = faults[name];
  return at[entry]?.[state] ?? settles[state];
}
