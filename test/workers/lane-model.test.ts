/**
 * The protocol of docs/protocol.md, tried in every order in which its steps can come. Why with an explorer of our own, and what the model leaves out:
 * docs/decisions/0016-lane-model.md.
 */
import { describe, expect, test } from "vitest";
import { explore } from "./model/explorer.js";
import { LaneModel } from "./model/lane-model.js";
import { type SetupName, setups } from "./model/setups.js";
import { type Mutant, PROMISES, type Promised, type Setup } from "./model/state.js";

// `npm run check:lane` asks for more than what is tried each time.
const more = {
  ...(process.env.LANE_PLACES !== undefined && { places: Number(process.env.LANE_PLACES) }),
  ...(process.env.LANE_JOBS !== undefined && { jobs: Number(process.env.LANE_JOBS) }),
};
const MOST = Number(process.env.LANE_STATES ?? 1_000_000);
const isTold = process.env.LANE_TELL !== undefined;

describe("in whatever order the steps come, every promise of the protocol is kept, and it comes to its end", () => {
  test.each(Object.entries<Setup>(setups))("%s", { timeout: 3_600_000 }, (name, setup) => {
    const since = performance.now();
    const { states, steps, depth, rests, fault } = explore(new LaneModel({ ...setup, ...more }), MOST);
    expect(fault).toBeUndefined();
    // It is not that nothing happens.
    expect(rests).toBeGreaterThan(0);
    expect(steps).toBeGreaterThan(states);
    if (isTold)
      console.log(
        `| ${name} | ${[states, steps, depth].map((n) => n.toLocaleString("en")).join(" | ")} | ${((performance.now() - since) / 1000).toFixed(1)} |`,
      );
  });
});

/** What is taken out of the protocol, where that shows, and which promise is not kept then. */
const mutants: readonly (readonly [Mutant, SetupName, Promised])[] = [
  ["the worker begins with a store", "one task", "dropped"],
  ["the worker is done with a store", "two in an envelope", "innocent"],
  ["the worker is done with a store", "one task, guarded", "spent"],
  ["main drops with a store", "one task", "dropped"],
  ["main takes back with a store", "two that wait for their end", "runsOnce"],
  ["main kills with a store", "one task", "done"],
  ["main ends the thread though the exchange has failed", "two in an envelope", "innocent"],
  ["main cuts without the exchange", "one task, guarded", "spent"],
  ["main cuts again when the second grace is over", "one task, guarded", "spent"],
  ["main stores the notice before it posts the cause", "one task", "cause"],
  ["main looks at `awaits` before it stores the notice", "two that wait for their end", "woken"],
  ["the worker looks at the notice before it stores `awaits`", "two that wait for their end", "woken"],
  ["the worker takes wakes of others for its own", "one envelope after the other", "own"],
  ["the worker goes on when its exchange has failed", "one task, guarded", "spent"],
  ["the worker goes on when it has lost to KILLING", "one task, guarded", "cut"],
  ["the worker goes on when it has lost to KILLING", "two in an envelope", "settles"],
  ["the worker reports anew what it has reported, once it is cut off", "one task, guarded", "done"],
  ["the worker reports after the exchange", "one task", "done"],
  ["the worker posts its value after the exchange", "one task", "value"],
  [
    "the worker goes on though its watchdog's cut and the pool's are both due",
    "one task with a watchdog",
    "spent",
  ],
  ["the worker never looks with Atomics.load", "two loops", "woken"],
  ["the epoch is not counted", "one envelope after the other", "own"],
  ["the epoch is not counted", "one envelope after the other, guarded", "value"],
  ["the claims are read before the thread has exited", "one task", "stopped"],
  ["the order to end is not repeated", "two that neither look nor return", "settles"],
  ["the parcel is taken without a look at whose it is", "one envelope after the other, guarded", "value"],
  ["main settles what is DONE as terminated", "one task", "done"],
  ["main gives up waiting for news before it has looked", "two in an envelope", "innocent"],
  [
    "main looks whether the thread has gone on before it takes back what waits",
    "two in an envelope",
    "innocent",
  ],
  ["the worker exits with its claim where it is", "one task that exits, guarded", "torn"],
  ["the worker goes on though process.exit has been called", "two in an envelope that exit, guarded", "torn"],
];

describe("it rests on each of these: without it a promise is not kept", () => {
  test.each(mutants)("%s (%s)", (mutant, name, promised) => {
    const { fault } = explore(new LaneModel({ ...setups[name], mutant }));
    if (isTold)
      console.log(
        [`${mutant} (${name}):`, ...(fault?.trace ?? []), `✗ ${String(fault?.promise)}`].join("\n  "),
      );
    expect(fault?.promise).toBe(PROMISES[promised]);
    expect(fault?.trace.length).toBeGreaterThan(0);
  });
});
