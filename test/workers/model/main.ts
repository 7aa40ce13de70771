/** The main thread's steps: src/pool, as far as a lane is concerned. Each access to a word is one, and each message. */
import type { Outcome } from "../../../src/pool/types.js";
import {
  CANCELED,
  CANCELED_WITH_CAUSE,
  DONE,
  DROPPED,
  type Ended,
  EXPIRED,
  EXPIRED_WITH_CAUSE,
  FAILED,
  GUARDED,
  INTERRUPTED,
  INTERRUPTING,
  KILLING,
  LIVE,
  type Notice,
  nextEpoch,
  OFFERED,
  POSTED,
  REPLIED,
  STARTED,
  STOPPED,
  STOPPED_EXPIRED,
} from "../../../src/workers/lane.js";
import { broke, FIELDS, type Job, jobAt, newJob, type State, type Steps } from "./state.js";
import * as words from "./words.js";

const WITH_CAUSE: readonly Notice[] = [CANCELED_WITH_CAUSE, EXPIRED_WITH_CAUSE];

export function stepsOfMain(steps: Steps): void {
  const { state } = steps;
  if (state.main.at === "free") begin(steps);
  else proceed(steps);
}

/** What the event loop brings, and what is called from outside. */
function begin(steps: Steps): void {
  const { state, setup } = steps;
  const { main, worker, jobs } = state;
  if (jobs.some(isQueued) && main.thread === "idle" && worker.at !== "dead") {
    steps.must("main", "hands over an envelope", (to) => {
      handOver(steps, to);
    });
  }
  for (const [n, job] of jobs.entries()) {
    if (isQueued(job) && (job.isBack === 1 || main.thread === "ending" || main.thread === "gone")) {
      steps.must("main", `hands job ${String(n)} to another thread, where it completes`, (to) => {
        const moved = to.jobs[n] as Job;
        if (++moved.begun > 1) broke(to, "runsOnce");
        Object.assign(moved, newJob(), { ctx: CANCELED, outcome: "over" });
      });
    }
    if (job.outcome !== "none") continue;
    if (job.alarm !== "none") {
      steps.must("main", `job ${String(n)} has overrun its ${job.alarm}`, (to) => {
        overran(steps, to, n);
      });
    }
  }
  cancels(steps);
  if (state.clock > 0 && live(state) > 0 && setup.deadline) {
    steps.must("main", "the timer of the deadline goes off", (to) => {
      endContexts(to, live(to), EXPIRED);
    });
  }
  if (state.reply > 0) {
    steps.must("main", "receives the reply", (to) => {
      const { reply } = to;
      to.reply = 0;
      if (to.main.thread !== "busy") return;
      to.main.thread = "idle";
      while (collectOne(steps, to, reply, false));
      forget(to);
    });
  }
  if (main.thread === "busy" && main.load.length > 1) {
    if (isCollectable(state)) {
      steps.must("main", "looks how far the thread has got", (to) => {
        to.main.at = "collecting";
        to.main.next = "nothing";
      });
    }
    if (main.load.some((_, place) => place > main.cursor && isOffered(state, place))) {
      steps.may("main", "takes back what waits", (to) => {
        startTakingBack(to, to.main.cursor + 1);
      });
    }
  }
  if (main.thread === "ending" && state.order === 0 && worker.at !== "dead") {
    if (!steps.is("the order to end is not repeated"))
      steps.must("main", "tells the thread once more to end", (to) => {
        to.order = 1;
      });
  }
  const isEarly = steps.is("the claims are read before the thread has exited") && main.thread === "ending";
  if ((worker.at === "dead" || isEarly) && main.thread !== "gone") {
    steps.must("main", "sees that the thread has exited", (to) => {
      lost(steps, to);
    });
  }
}

function cancels(steps: Steps): void {
  const { state, setup } = steps;
  const all = live(state);
  if (all === 0) return;
  const sets = state.jobs
    .map((_, n) => 1 << n)
    .filter((bit) => (all & bit) > 0 && setup.cancelled !== "together");
  if (setup.cancelled !== "alone" && (sets.length !== 1 || sets[0] !== all)) sets.push(all);
  for (const kind of setup.cancels) {
    for (const set of sets) {
      const which = state.jobs.map((_, n) => n).filter((n) => (set & (1 << n)) > 0);
      const cause = WITH_CAUSE.includes(kind) ? " with a cause" : "";
      steps.may("main", `cancels job ${which.join(" and ")}${cause}`, (to) => {
        endContexts(to, set, kind);
      });
    }
  }
}

/** The jobs whose contexts are live, as bits. */
function live({ jobs }: State): number {
  return jobs.reduce(
    (set, { ctx, outcome }, n) => (ctx === LIVE && outcome === "none" ? set | (1 << n) : set),
    0,
  );
}

function isQueued({ outcome, on }: Job): boolean {
  return outcome === "none" && on === 0;
}

function isOffered({ words: lane, main }: State, place: number): boolean {
  return words.claimIn(lane, main.epoch, place) === OFFERED;
}

/** There is something to be found at the cursor. */
function isCollectable({ words: lane, main }: State): boolean {
  if (main.cursor >= main.load.length) return false;
  const claim = words.claimIn(lane, main.epoch, main.cursor);
  return claim === DROPPED || (claim === DONE && lane.ended[main.cursor] !== REPLIED);
}

function handOver(steps: Steps, to: State): void {
  const { main, jobs } = to;
  const load = jobs.flatMap((job, n) => (isQueued(job) ? [n] : [])).slice(0, to.words.claims.length);
  main.thread = "busy";
  main.epoch = steps.is("the epoch is not counted") ? 1 : nextEpoch(main.epoch);
  main.load = load;
  main.cursor = 0;
  words.offer(to.words, main.epoch, load.length);
  for (const [place, n] of load.entries()) (jobs[n] as Job).on = place + 1;
  to.envelope = 1;
}

/** Marks them first, all of them; then each is told. */
function endContexts(to: State, set: number, how: Notice): void {
  for (const [n, job] of to.jobs.entries()) if ((set & (1 << n)) > 0) job.ctx = how;
  to.main.marks = set;
  to.main.tells = set;
  markNext(to);
}

/** Bits up to the next job that has something to be marked. */
function markNext(to: State): void {
  const { main, jobs } = to;
  for (const [n, job] of jobs.entries()) {
    if ((main.marks & (1 << n)) === 0) continue;
    main.marks &= ~(1 << n);
    if (job.on === 0) continue;
    main.job = n;
    if (!WITH_CAUSE.includes(job.ctx)) {
      main.at = "marking";
      return;
    }
    if (job.on > 1) {
      main.at = "dropping marked";
      return;
    }
  }
  tellNext(to);
}

function tellNext(to: State): void {
  const { main, jobs } = to;
  main.place = 0;
  main.from = 0;
  main.awaited = 0;
  for (const [n, job] of jobs.entries()) {
    if ((main.tells & (1 << n)) === 0) continue;
    main.tells &= ~(1 << n);
    if (job.outcome !== "none") continue;
    if (job.on > 0) {
      main.job = n;
      main.at = "looking whether dropped";
      return;
    }
    settle(to, job, "dropped");
  }
  main.job = 0;
  main.at = "free";
}

/** Inside of one call: nothing else of the main thread's comes in between. */
function proceed(steps: Steps): void {
  const { state } = steps;
  const { main } = state;
  const must = (label: string, change: (to: State, job: Job, place: number, epoch: number) => void): void => {
    steps.must("main", label, (to) => {
      const job = to.jobs[to.main.job] as Job;
      change(to, job, job.on - 1, to.main.epoch);
    });
  };
  switch (main.at) {
    case "free":
      return;
    case "marking":
      must("stores the notice, in the walk", (to, job, place, epoch) => {
        words.postPlainly(to.words, epoch, place, job.ctx);
        if (place > 0) to.main.at = "dropping marked";
        else markNext(to);
      });
      return;
    case "dropping marked":
      must("OFFERED → DROPPED, in the walk", (to, _, place, epoch) => {
        if (steps.is("main drops with a store")) words.store(to.words, epoch, place, DROPPED);
        else words.move(to.words, epoch, place, OFFERED, DROPPED);
        markNext(to);
      });
      return;
    case "looking whether dropped":
      must("looks whether it is DROPPED", (to, job, place, epoch) => {
        if (words.stands(to.words, epoch, place, DROPPED)) dropped(to, job);
        else to.main.at = "dropping";
      });
      return;
    case "dropping":
      must("OFFERED → DROPPED", (to, job, place, epoch) => {
        const isMoved = steps.is("main drops with a store")
          ? words.store(to.words, epoch, place, DROPPED)
          : words.move(to.words, epoch, place, OFFERED, DROPPED);
        if (isMoved) {
          dropped(to, job);
          return;
        }
        if (!WITH_CAUSE.includes(job.ctx))
          to.main.at = steps.is("main looks at `awaits` before it stores the notice")
            ? "looking at awaits"
            : "storing the notice";
        else
          to.main.at = steps.is("main stores the notice before it posts the cause")
            ? "storing the notice"
            : "posting the cause";
      });
      return;
    case "posting the cause":
      must("posts the cause", (to, job, place, epoch) => {
        to.wakes.push(epoch, place, job.ctx);
        if (steps.is("main stores the notice before it posts the cause")) startGrace(steps, to);
        else to.main.at = "storing the notice";
      });
      return;
    case "storing the notice":
      must("stores the notice", (to, job, place, epoch) => {
        words.post(to.words, epoch, place, job.ctx);
        if (WITH_CAUSE.includes(job.ctx)) {
          if (steps.is("main stores the notice before it posts the cause")) to.main.at = "posting the cause";
          else startGrace(steps, to);
        } else if (steps.is("main looks at `awaits` before it stores the notice")) {
          if (to.main.awaited === 1) to.main.at = "waking";
          else startGrace(steps, to);
        } else {
          to.main.at = "looking at awaits";
        }
      });
      return;
    case "looking at awaits":
      must("looks at `awaits`", (to, _, place, epoch) => {
        const isAwaiting = words.isAwaiting(to.words, epoch, place);
        if (steps.is("main looks at `awaits` before it stores the notice")) {
          to.main.awaited = isAwaiting ? 1 : 0;
          to.main.at = "storing the notice";
        } else if (isAwaiting) to.main.at = "waking";
        else startGrace(steps, to);
      });
      return;
    case "waking":
      must("posts a wake", (to, job, place, epoch) => {
        to.wakes.push(epoch, place, job.ctx);
        startGrace(steps, to);
      });
      return;
    case "looking whether guarded":
      must("looks whether it is GUARDED", (to, job, place, epoch) => {
        if (steps.is("main cuts without the exchange")) to.main.at = "cutting";
        else if (words.stands(to.words, epoch, place, GUARDED)) to.main.at = "interrupting";
        else secondGrace(to, job);
      });
      return;
    case "interrupting":
      must("GUARDED → INTERRUPTING", (to, job, place, epoch) => {
        if (words.move(to.words, epoch, place, GUARDED, INTERRUPTING)) to.main.at = "cutting";
        else secondGrace(to, job);
      });
      // The inspector does not know the thread, or not yet.
      must("cannot reach the thread", (to) => {
        to.main.at = "killing GUARDED";
      });
      return;
    case "cutting":
      must("sends the cut", (to, job) => {
        if (to.worker.at === "dead" && to.worker.isLeaving === 1) broke(to, "torn");
        to.cut = to.main.job + 1;
        secondGrace(to, job);
      });
      must("cannot reach the thread any more", (to) => {
        to.main.at = "killing GUARDED";
      });
      return;
    case "killing GUARDED":
    case "killing INTERRUPTING":
    case "killing STARTED":
      kill(steps);
      return;
    case "ending the thread":
      must("tells the thread to end", (to) => {
        to.order = 1;
        to.main.thread = "ending";
        to.main.hadLoad = 1;
        to.main.at = "collecting";
        to.main.next = "take back";
      });
      return;
    case "collecting":
      must(`looks at place ${String(main.cursor)}`, (to) => {
        if (collectOne(steps, to, 0, false)) return;
        if (to.main.next === "take back") startTakingBack(to, to.main.cursor);
        else tellNext(to);
      });
      return;
    case "taking back":
      must(`OFFERED → DROPPED at place ${String(main.place)}, to take it back`, (to) => {
        takeBack(steps, to, to.main.place);
        if (to.main.place === to.main.from) tookBack(to);
        else to.main.place--;
      });
      return;
    case "looking behind":
      lookBehind(steps);
      return;
    default:
      main.at satisfies never;
  }
}

function kill(steps: Steps): void {
  const { at } = steps.state.main;
  const from = at === "killing GUARDED" ? GUARDED : at === "killing INTERRUPTING" ? INTERRUPTING : STARTED;
  steps.must("main", `${at.slice(8)} → KILLING`, (to) => {
    const { main } = to;
    const job = to.jobs[main.job] as Job;
    const place = job.on - 1;
    const isMoved = steps.is("main kills with a store")
      ? words.store(to.words, main.epoch, place, KILLING)
      : words.move(to.words, main.epoch, place, from, KILLING);
    if (isMoved) {
      endThread(to);
    } else if (from === GUARDED) {
      main.at = "killing INTERRUPTING";
    } else if (from === INTERRUPTING) {
      main.at = "killing STARTED";
    } else if (steps.is("main ends the thread though the exchange has failed")) {
      endThread(to);
    } else if (job.isOverdue === 0) {
      // It has ended, and its thread does not say so: it is given a second.
      job.isOverdue = 1;
      job.alarm = "news";
      tellNext(to);
    } else if (main.thread !== "busy" || steps.is("main gives up waiting for news before it has looked")) {
      endThread(to);
    } else if (steps.is("main looks whether the thread has gone on before it takes back what waits")) {
      main.at = "looking behind";
      main.place = place + 1;
    } else {
      startTakingBack(to, place + 1, "look behind");
    }
  });
}

/** Whether the thread has gone on: then it is not to be ended for what lies before. */
function lookBehind(steps: Steps): void {
  const { place, load, epoch } = steps.state.main;
  if (place >= load.length) {
    steps.must("main", "has found nothing begun behind it", endThread);
    return;
  }
  steps.must("main", `looks whether place ${String(place)} has begun`, (to) => {
    const claim = words.claimIn(to.words, epoch, place);
    if (claim === OFFERED || claim === DROPPED) to.main.place++;
    else tellNext(to);
  });
}

function endThread(to: State): void {
  if (to.main.thread === "busy") to.main.at = "ending the thread";
  else tellNext(to);
}

function startGrace(steps: Steps, to: State): void {
  const n = to.main.job;
  switch (steps.setup.grace) {
    case "endless":
      tellNext(to);
      return;
    case "some":
      (to.jobs[n] as Job).alarm = "grace";
      tellNext(to);
      return;
    case "none":
      overran(steps, to, n);
  }
}

function secondGrace(to: State, job: Job): void {
  job.alarm = "second grace";
  tellNext(to);
}

function overran(steps: Steps, to: State, n: number): void {
  const { setup } = steps;
  const job = to.jobs[n] as Job;
  const { main } = to;
  const wasSecond = job.alarm === "second grace";
  main.job = n;
  job.alarm = "none";
  if (wasSecond && steps.is("main cuts again when the second grace is over")) {
    main.at = "cutting";
  } else if (job.isOverrun === 1 || !setup.guarded) {
    // Where nothing is guarded no claim ever stands at the other two.
    main.at = setup.guarded ? "killing GUARDED" : "killing STARTED";
  } else {
    job.isOverrun = 1;
    // Its own thread cuts it off.
    if (setup.watchdog && job.ctx === EXPIRED) secondGrace(to, job);
    else main.at = "looking whether guarded";
  }
}

function startTakingBack(to: State, from: number, next: "nothing" | "look behind" = "nothing"): void {
  const { main } = to;
  main.from = from;
  main.place = main.load.length - 1;
  main.next = next;
  if (main.place >= from) main.at = "taking back";
  else tookBack(to);
}

function tookBack(to: State): void {
  const { main } = to;
  if (main.next === "look behind") {
    main.at = "looking behind";
    main.place = main.from;
  } else {
    tellNext(to);
  }
}

function takeBack(steps: Steps, to: State, place: number): void {
  const { main } = to;
  const job = jobAt(to, place);
  const isMoved = steps.is("main takes back with a store")
    ? words.store(to.words, main.epoch, place, DROPPED)
    : words.move(to.words, main.epoch, place, OFFERED, DROPPED);
  if (!isMoved) return;
  job.on = 0;
  job.isBack = 1;
  if (job.ctx !== LIVE) settle(to, job, "dropped");
}

function dropped(to: State, job: Job): void {
  settle(to, job, "dropped");
  tellNext(to);
}

/** Nothing of the load is spoken of any more. */
function forget(to: State): void {
  const { main } = to;
  main.load = [];
  main.cursor = 0;
}

/** Looks at the place of the cursor. False where there is nothing to be had. */
function collectOne(steps: Steps, to: State, reply: number, isLast: boolean): boolean {
  const { main, words: lane } = to;
  const { cursor: place, epoch } = main;
  if (place >= main.load.length) return false;
  const job = jobAt(to, place);
  if (words.stands(lane, epoch, place, DONE)) {
    const how = words.ended(lane, place);
    if (how === REPLIED && reply === 0 && !isLast) return false;
    collected(steps, to, place, how, reply, isLast);
  } else if (!words.stands(lane, epoch, place, DROPPED)) {
    return false;
  } else if (job.outcome === "none" && job.on === place + 1) {
    // Its thread has dropped it, because the deadline has passed.
    expire(to, job);
    settle(to, job, "dropped");
  }
  main.cursor++;
  return true;
}

function collected(steps: Steps, to: State, place: number, how: Ended, reply: number, isLast: boolean): void {
  const n = to.main.load[place] as number;
  const job = to.jobs[n] as Job;
  if (how === POSTED || how === FAILED) {
    const whose = takeParcel(steps, to, place);
    if (whose !== n) broke(to, "value");
  }
  if (how === REPLIED && reply > 0 && reply !== n + 2) broke(to, "value");
  if (how === STOPPED_EXPIRED || how === INTERRUPTED) expire(to, job);
  if (steps.is("main settles what is DONE as terminated") && isLast) settle(to, job, "terminated");
  else settle(to, job, how === REPLIED && reply === 0 ? "crashed" : outcomeOf(how));
}

function outcomeOf(how: Ended): Outcome {
  switch (how) {
    case FAILED:
      return "failed";
    case STOPPED:
    case STOPPED_EXPIRED:
      return "stopped";
    case INTERRUPTED:
      return "interrupted";
    default:
      return "completed";
  }
}

/** Whose parcel it is; −1 for none. */
function takeParcel(steps: Steps, to: State, place: number): number {
  while (to.parcels.length > 0) {
    const [epoch, from, whose] = to.parcels.splice(0, FIELDS) as [number, number, number];
    if (steps.is("the parcel is taken without a look at whose it is")) return whose;
    if (epoch === to.main.epoch && from === place) return whose;
  }
  return -1;
}

/** The thread has seen the deadline pass, so it has. */
function expire(to: State, job: Job): void {
  if (job.ctx !== LIVE) return;
  if (to.clock === 0) broke(to, "own");
  job.ctx = EXPIRED;
}

/** Nobody moves the claims any more. */
function lost(steps: Steps, to: State): void {
  const { main } = to;
  const hadLoad = main.thread === "busy" || main.hadLoad === 1;
  main.thread = "gone";
  if (!hadLoad) return;
  while (collectOne(steps, to, 0, true));
  const { cursor: place, epoch } = main;
  if (place < main.load.length) {
    const job = jobAt(to, place);
    const isStopped = [KILLING, INTERRUPTING].some((at) =>
      words.stands(to.words, epoch, place, at as typeof KILLING),
    );
    const isUnderWay =
      isStopped ||
      [STARTED, GUARDED].some((at) => words.stands(to.words, epoch, place, at as typeof STARTED));
    for (let at = main.load.length - 1; at >= place; at--) takeBack(steps, to, at);
    if (isUnderWay) {
      if (isStopped) expire(to, job);
      settle(to, job, isStopped ? "terminated" : "crashed");
    }
  }
  if (to.worker.at === "dead") forget(to);
  to.reply = 0;
}

/** The one way out, and what has to be true of everybody who takes it. */
function settle(to: State, job: Job, outcome: Outcome): void {
  if (job.outcome !== "none") broke(to, "once");
  switch (outcome) {
    case "dropped":
      if (job.begun > 0 || job.ctx === LIVE) broke(to, "dropped");
      break;
    case "terminated":
      if (job.isDone === 1) broke(to, "done");
      if (job.begun !== 1 || job.ctx === LIVE) broke(to, "innocent");
      break;
    case "crashed":
      if (job.isDone === 1) {
        if (job.did - 1 !== REPLIED) broke(to, "done");
      } else if (job.begun !== 1 || to.worker.crashed === 0) broke(to, "innocent");
      break;
    default:
      if (job.isDone === 0 || outcomeOf((job.did - 1) as Ended) !== outcome) broke(to, "done");
      if (outcome === "interrupted" && job.isHit === 0) broke(to, "cut");
      if (outcome === "stopped" && job.ctx === LIVE) broke(to, "own");
  }
  const isAtIt = to.worker.hasTask === 1 && jobAt(to, to.worker.place) === job;
  if (isAtIt && job.isDone === 0) broke(to, "stopped");
  // How it ended has been looked at: what is still to be told apart is whether it may ever run.
  Object.assign(job, newJob(), { ctx: CANCELED, outcome: outcome === "dropped" ? "dropped" : "over" });
}
