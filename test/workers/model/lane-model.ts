/** A lane with both its sides and the world around them: what may happen in each state, and what must never be. */
import { INTERRUPTING, KILLING, LIVE } from "../../../src/workers/lane.js";
import type { Model } from "./explorer.js";
import { stepsOfMain } from "./main.js";
import {
  initialState,
  jobAt,
  type LaneStep,
  PROMISES,
  type Promised,
  type Setup,
  type State,
  Steps,
} from "./state.js";
import { claimIn, show } from "./words.js";
import { stepsOfWorker } from "./worker.js";

export class LaneModel implements Model<State> {
  readonly initial: State;
  readonly #setup: Setup;
  readonly #isNoting: boolean;

  /** @param isNoting whether each step shall say what accesses it is made of */
  constructor(setup: Setup, isNoting = false) {
    this.#setup = setup;
    this.#isNoting = isNoting;
    this.initial = initialState(setup);
  }

  stepsOf(state: State): readonly LaneStep[] {
    const steps = new Steps(this.#setup, state, this.#isNoting);
    // Nothing follows from what is broken.
    if (state.broken !== "none") return steps.all;
    stepsOfMain(steps);
    stepsOfWorker(steps);
    const { deadline, watchdog } = this.#setup;
    if (deadline && state.clock === 0 && state.jobs.some(({ outcome }) => outcome === "none"))
      steps.must("world", "the deadline passes", (to) => {
        to.clock = 1;
      });
    if (watchdog && state.clock === 1)
      steps.must("world", "the watchdog's time comes", (to) => {
        to.clock = 2;
      });
    for (const [place, unseen] of state.words.unseen.entries()) {
      if (unseen !== 0)
        steps.must("world", `the notice of place ${String(place)} comes to be seen`, (to) => {
          show(to.words, place);
        });
    }
    return steps.all;
  }

  faultOf(state: State): string | undefined {
    const promised = state.broken === "none" ? brokenBy(state) : state.broken;
    return promised === undefined ? undefined : PROMISES[promised];
  }

  faultAtRest(state: State): string | undefined {
    const { worker, jobs, main } = state;
    const { grace, tasks, isMainBlocked, deadline } = this.#setup;
    const current = worker.hasTask === 1 ? jobAt(state, worker.place) : undefined;
    if (worker.at === "running" || worker.at === "awaiting") {
      const hasEnded = current?.ctx !== LIVE || (deadline && state.clock > 0);
      const isAttentive =
        tasks === "polling" || tasks === "waiting" || (tasks === "free" && worker.at === "awaiting");
      if (hasEnded && worker.seen === LIVE && isAttentive) return PROMISES.woken;
      // It is the task's own business how long it takes, as long as its context is live, and where it has all the grace there is.
      if (!hasEnded || grace === "endless") return undefined;
    }
    if (isMainBlocked && main.thread === "busy") return undefined;
    if (isMainBlocked && main.thread === "idle") return undefined;
    return jobs.every(({ outcome }) => outcome !== "none") ? undefined : PROMISES.settles;
  }
}

/** While a cut is under way: what docs/protocol.md says of it, 1 and 2. */
function brokenBy({ cut, worker, words, main }: State): Promised | undefined {
  if (cut === 0 || worker.at === "dead") return undefined;
  const place = main.load.indexOf(cut - 1);
  const claim = claimIn(words, main.epoch, place);
  if (claim === KILLING) return undefined;
  const isInside = worker.guard > 0 && worker.hasTask === 1 && worker.place === place;
  return claim === INTERRUPTING && isInside ? undefined : "spent";
}
