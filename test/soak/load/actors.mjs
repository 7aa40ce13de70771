// @ts-check
/** Actors that come and go, and one that lasts: calls with contexts, callbacks, deaths. */
import { isContextError, withCancel } from "lifeguard";
import { contextOf, proxy, spawn } from "lifeguard/comlink";
import { shape } from "../contexts.mjs";

/** @typedef {import("../random.mjs").Random} Random */
/** @typedef {import("../soak.mjs").Soak} Soak */
/** @typedef {import("../phase.mjs").Phase} Phase */

export const lanes = 1;

const MODULE = new URL("../work/actor.mjs", import.meta.url);

const GRACE = 50;

/** @param {Soak} soak @param {Phase} phase @param {Random} random */
export async function run(soak, phase, random) {
  while (!phase.isOver) {
    await life(soak, phase, random);
    await phase.sleep(random.int(0, 300));
  }
}

/** @param {Soak} soak @param {Phase} phase @param {Random} random */
async function life(soak, phase, random) {
  const [ctx, cancel] = withCancel(soak.root);
  const from = random.int(0, 1000);
  soak.counts.actors++;
  const spawning = spawn(ctx, MODULE, { export: "Counter", args: [from], grace: GRACE });
  if (random.chance(0.05)) cancel("while it starts");
  /** @type {any} */
  let actor;
  try {
    actor = await soak.follow("spawn", spawning, ctx);
  } catch (error) {
    soak.check(error === ctx.err(), "outcome", () => `spawn: ${String(error)}`);
    return;
  }
  const own = contextOf(actor);
  let count = from;
  for (let round = random.int(1, 12); round > 0 && !phase.isOver && own.err() === undefined; round--) {
    const by = random.int(1, 9);
    count += by;
    const sum = count;
    const calls = [
      certain(soak, "add", actor.add(soak.root, by), (value) => value === sum),
      ...Array.from({ length: random.int(0, 6) }, () => call(soak, random, actor)),
    ];
    await Promise.all(calls);
  }
  const end = random.weighted([
    [5, "dispose"],
    [2, "cancel"],
    [1, "exit"],
    [1, "runaway"],
  ]);
  soak.tell(`actor ends: ${end}`);
  const pending = [call(soak, random, actor, own), call(soak, random, actor, own)];
  if (end === "exit") pending.push(swallow(soak, "exit", actor.exit(), own));
  if (end === "runaway") pending.push(swallow(soak, "runaway", actor.runaway(), own));
  if (end !== "dispose" && end !== "exit") cancel("the actor's end");
  if (end === "exit") await Promise.all(pending);
  await soak
    .follow(`dispose of an actor, ${end}`, actor[Symbol.asyncDispose](), own, GRACE)
    .catch((/** @type {unknown} */ error) => {
      soak.fail("outcome", `disposing of an actor (${end}): ${String(error)}`);
    });
  await Promise.all(pending);
  soak.check(own.err() !== undefined, "outcome", () => "an actor's context is live after its end");
  cancel();
  soak.count("actor", end);
}

/** @param {Soak} soak @param {string} what @param {Promise<unknown>} answer @param {(value: any) => boolean} isRight */
async function certain(soak, what, answer, isRight) {
  soak.counts.calls++;
  const value = await soak.follow(`call of ${what}`, answer);
  soak.check(isRight(value), "value", () => `actor: ${what} gave ${String(value)}`);
}

/**
 * One call, under a context that may end; the actor may have as well.
 *
 * @param {Soak} soak
 * @param {Random} random
 * @param {any} actor
 * @param {import("lifeguard").Context} [ending] where it may end at the same time, the actor's context
 */
async function call(soak, random, actor, ending) {
  soak.counts.calls++;
  const how = random.pick(/** @type {const} */ (["echo", "spin", "wait", "callBack", "fail", "uncloneable"]));
  const { ctx, release } = shape(soak, random, how === "spin" || how === "wait");
  const value = random.int(0, 1e6);
  /** @returns {Promise<unknown>} */
  const make = () => {
    switch (how) {
      case "echo":
        return actor.echo({ value });
      case "callBack":
        return actor.callBack(
          proxy(async (/** @type {number} */ n) => n * 2),
          value,
        );
      case "fail":
      case "uncloneable":
        return actor[how]();
      default:
        return actor[how](ctx);
    }
  };
  const says = (/** @type {unknown} */ got) =>
    `actor: ${how} gave ${String(got)}, its context ${ctx.err() === undefined ? "live" : "over"}`;
  const mayBeOver = () => ending !== undefined && ending.err() !== undefined;
  try {
    const got = /** @type {any} */ (await soak.follow(`call of ${how}`, make(), ctx, GRACE));
    const isRight =
      how === "echo"
        ? got.value === value
        : how === "callBack"
          ? got === value * 2 + 1
          : how === "wait"
            ? ctx.err() !== undefined || mayBeOver()
            : false;
    soak.check(isRight, "value", () => says(got));
    soak.count("call", "completed");
  } catch (error) {
    const isRight =
      mayBeOver() ||
      (how === "fail" && error instanceof RangeError) ||
      (how === "uncloneable" &&
        error instanceof Error &&
        error.name === "CallError" &&
        "code" in error &&
        error.code === "ERR_NOT_CLONEABLE") ||
      ((how === "spin" || how === "wait") && isContextError(error) && ctx.err() !== undefined);
    soak.check(isRight, "outcome", () => says(error));
    soak.count("call", isContextError(error) ? "ended" : "failed");
  }
  release();
}

/** @param {Soak} soak @param {string} what @param {Promise<unknown>} answer @param {import("lifeguard").Context} own */
async function swallow(soak, what, answer, own) {
  await soak.follow(`call of ${what}`, answer, own, GRACE).then(
    () => soak.fail("outcome", `actor: ${what} came back`),
    () => {},
  );
}
