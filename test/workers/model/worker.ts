/** The worker's steps: src/workers/{work,task-context,notice-watch,guard}.ts, as far as a lane is concerned. */
import {
  CANCELED_WITH_CAUSE,
  type Claim,
  DONE,
  DROPPED,
  EXPIRED,
  EXPIRED_WITH_CAUSE,
  FAILED,
  GUARDED,
  INTERRUPTED,
  INTERRUPTING,
  KILLING,
  LIVE,
  type Notice,
  noticeWord,
  OFFERED,
  POSTED,
  REPLIED,
  readNotice,
  STARTED,
  STOPPED,
  STOPPED_EXPIRED,
} from "../../../src/workers/lane.js";
import {
  broke,
  FIELDS,
  idleWorker,
  type Job,
  jobAt,
  type State,
  type Steps,
  type WorkerAt,
} from "./state.js";
import * as words from "./words.js";

/** Plain reads in a row that may see an old value; in the library 64, at the most. */
const STALE = 2;

/** Where the worker waits for events. */
const LISTENING: readonly WorkerAt[] = ["idle", "awaiting"];

export function stepsOfWorker(steps: Steps): void {
  const { state, setup } = steps;
  const { worker } = state;
  if (worker.at === "dead") return;
  ways(steps);
  if (LISTENING.includes(worker.at) && state.wakes.length > 0) {
    steps.must("worker", "is brought a wake", (to) => {
      const [epoch, place, how] = to.wakes.splice(0, FIELDS) as [number, number, Notice];
      if (to.worker.hasTask === 0) return;
      const isMine = epoch === to.main.epoch && place === to.worker.place;
      if (isMine || steps.is("the worker takes wakes of others for its own")) hear(to, how);
    });
  }
  if (state.cut > 0) {
    steps.must("world", "the cut is carried out", (to) => {
      carryOut(to);
    });
  }
  // V8 takes back what has come when the evaluation ends: its own timer's, and main's if that came as well.
  if (worker.guard === 2 && state.clock === 2) {
    steps.must("world", "the watchdog cuts", (to) => {
      watchdog(to);
    });
    if (state.cut > 0)
      steps.may("world", "the watchdog and the pool cut at once", (to) => {
        to.cut = 0;
        watchdog(to);
      });
  }
  if (state.order > 0) {
    steps.must("world", "the thread ends, as it was told", (to) => {
      die(to);
    });
    if (state.losses > 0)
      steps.may("world", "V8 loses the order to end", (to) => {
        to.order = 0;
        to.losses--;
      });
  }
  if (setup.exits && worker.at === "running")
    steps.may("worker", "calls process.exit", (to) => {
      to.worker.isLeaving = 1;
      if (steps.is("the worker exits with its claim where it is")) leaveThread(to);
      else to.worker.at = "exiting";
    });
  if (state.crashes > 0)
    steps.may("world", "the thread crashes", (to) => {
      to.crashes--;
      to.worker.crashed = 1;
      to.worker.isLeaving = 0;
      die(to);
    });
}

function die(to: State): void {
  const { crashed, isLeaving } = to.worker;
  Object.assign(to.worker, idleWorker(), { at: "dead", crashed, isLeaving });
  to.cut = 0;
  to.order = 0;
  to.envelope = 0;
}

/** It ends itself, since nobody knows what state it is in. */
function leaveThread(to: State): void {
  to.worker.crashed = 1;
  die(to);
}

function carryOut(to: State): void {
  const { worker } = to;
  const target = to.cut - 1;
  to.cut = 0;
  const job = to.jobs[target] as Job;
  const claim = words.claimIn(to.words, to.main.epoch, worker.place);
  const isMine = worker.hasTask === 1 && to.main.load[worker.place] === target;
  // What ends goes nowhere any more.
  if (claim === KILLING && isMine && worker.guard === 0) return;
  if (!isMine || worker.guard === 0 || (claim !== INTERRUPTING && claim !== KILLING)) {
    broke(to, "cut");
    return;
  }
  job.isHit = 1;
  worker.at = worker.guard === 2 ? "cut off inside" : "cut off";
  worker.guard--;
}

function watchdog(to: State): void {
  const { worker } = to;
  if (worker.hasTask === 1) jobAt(to, worker.place).isHit = 1;
  worker.guard = 1;
  worker.at = "cut off inside";
}

/** What it does of its own accord, wherever it is. */
function ways(steps: Steps): void {
  const { state, setup } = steps;
  const { worker, main } = state;
  const { place } = worker;
  const { epoch } = main;
  const into = setup.guarded ? GUARDED : STARTED;
  const must = (label: string, change: (to: State) => void): void => {
    steps.must("worker", label, change);
  };
  const go = (at: WorkerAt) => (to: State) => {
    to.worker.at = at;
  };
  switch (worker.at) {
    case "idle":
      if (state.envelope === 1)
        must("takes the envelope", (to) => {
          to.envelope = 0;
          const { isLeaving } = to.worker;
          Object.assign(to.worker, idleWorker(), { at: "next", reply: 1, isLeaving });
        });
      return;
    case "next":
      if (place < main.load.length) {
        if (setup.watchdog)
          must(`comes to place ${String(place)}`, (to) => {
            to.worker.guard = 2;
            to.worker.at = "beginning";
          });
        else
          must(`begins place ${String(place)}: OFFERED → ${nameOf(into)}`, (to) => {
            to.worker.guard = setup.guarded ? 1 : 0;
            begin(steps, to);
          });
        // By the clock as it read it last.
        if (setup.deadline && state.clock > 0)
          must(`comes to place ${String(place)} too late`, (to) => {
            to.worker.guard = setup.guarded ? 1 : 0;
            to.worker.at = "late";
          });
      } else {
        must("replies", (to) => {
          to.reply = to.worker.reply;
          const { isLeaving } = to.worker;
          Object.assign(to.worker, idleWorker(), { isLeaving });
        });
      }
      return;
    case "late":
      must("OFFERED → DROPPED, too late", (to) => {
        words.move(to.words, epoch, place, OFFERED, DROPPED);
        go("beginning")(to);
        if (setup.watchdog) to.worker.guard = 2;
      });
      return;
    case "beginning":
      must(`begins: OFFERED → ${nameOf(into)}`, (to) => {
        begin(steps, to);
      });
      return;
    case "running":
      run(steps);
      return;
    case "posting":
      must("posts what it has", (to) => {
        to.parcels.push(epoch, place, main.load[place] as number);
        if (steps.is("the worker posts its value after the exchange")) {
          over(steps, to);
        } else go("reporting")(to);
      });
      return;
    case "reporting":
      must("reports", (to) => {
        if (!steps.is("the worker reports after the exchange")) words.report(to.words, place, to.worker.ends);
        if (to.worker.isReported === 0) jobAt(to, place).did = to.worker.ends + 1;
        to.worker.isReported = 1;
        go("finishing")(to);
      });
      return;
    case "finishing":
      must(`${nameOf(worker.from)} → DONE`, (to) => {
        finish(steps, to);
      });
      return;
    case "late report":
      must("reports", (to) => {
        words.report(to.words, place, to.worker.ends);
        over(steps, to);
      });
      return;
    case "awaiting begins":
      must("stores `awaits`", (to) => {
        words.awaits(to.words, epoch, place);
        if (steps.is("the worker looks at the notice before it stores `awaits`")) {
          wait(to);
        } else if (setup.guarded) go("leaving GUARDED")(to);
        else go("looking")(to);
        to.worker.hasPromise = 1;
      });
      return;
    case "leaving GUARDED":
      must("GUARDED → STARTED", (to) => {
        const isMoved = words.move(to.words, epoch, place, GUARDED, STARTED);
        if (isMoved) go(to.worker.guard === 2 ? "leaving inner" : "looking")(to);
        else lose(steps, to);
      });
      return;
    case "leaving inner":
      must("leaves the inner guard", (to) => {
        to.worker.guard = 1;
        go("looking")(to);
      });
      return;
    case "looking":
      must("looks at the notice, since it has returned a promise", (to) => {
        look(to, setup.deadline);
        if (
          steps.is("the worker looks at the notice before it stores `awaits`") &&
          to.worker.hasPromise === 0
        )
          go("awaiting begins")(to);
        else wait(to);
      });
      return;
    case "awaiting":
      awaitEnd(steps);
      return;
    case "resuming":
      must(`${nameOf(worker.from)} → STARTED`, (to) => {
        if (words.move(to.words, epoch, place, to.worker.from, STARTED)) go("looking")(to);
        else lose(steps, to);
      });
      return;
    case "asleep":
      if (words.claimIn(state.words, epoch, place) !== INTERRUPTING)
        must("finds that its thread is being ended", (to) => {
          words.stands(to.words, epoch, place, INTERRUPTING);
          park(steps, to);
        });
      return;
    case "exiting":
      must("stores `awaits`, as it exits", (to) => {
        words.awaits(to.words, epoch, place);
        go("exiting, claim")(to);
      });
      return;
    case "exiting, claim":
      must("exits: GUARDED → STARTED", (to) => {
        const isCut =
          !words.move(to.words, epoch, place, GUARDED, STARTED) &&
          words.stands(to.words, epoch, place, INTERRUPTING);
        if (isCut) go("exiting, asleep")(to);
        else leaveThread(to);
      });
      return;
    case "exiting, asleep":
      if (words.claimIn(state.words, epoch, place) !== INTERRUPTING)
        must("finds that its thread is being ended, and exits", (to) => {
          words.stands(to.words, epoch, place, INTERRUPTING);
          leaveThread(to);
        });
      return;
    case "leaving":
      must("lets go of its place", (to) => {
        leave(to);
      });
      return;
    case "cut off":
      must("looks at the claim, behind the guard", (to) => {
        if (worker.isLeaving === 1 && !steps.is("the worker goes on though process.exit has been called"))
          leaveAfterCut(to);
        else cutOff(steps, to);
      });
      // It was inside of an AsyncResource: Node's stack of scopes is in disorder.
      if (worker.hasTask === 1) must("abandons the thread: GUARDED → INTERRUPTING", abandon);
      return;
    case "cut off inside":
      must("looks at the clock, behind the inner guard", (to) => {
        if (worker.isLeaving === 1) {
          leaveAfterCut(to);
          return;
        }
        to.worker.isDue = to.clock === 2 ? 1 : 0;
        go("cut off inside, claim")(to);
      });
      if (worker.hasTask === 1) must("abandons the thread: GUARDED → INTERRUPTING", abandon);
      return;
    case "cut off inside, claim":
      must("looks at the claim, behind the inner guard", (to) => {
        cutOffInside(steps, to);
      });
      return;
    case "parked":
    case "dead":
      return;
    default:
      worker.at satisfies never;
  }
}

const names: Partial<Record<Claim, string>> = {
  [STARTED]: "STARTED",
  [GUARDED]: "GUARDED",
  [INTERRUPTING]: "INTERRUPTING",
};

function nameOf(claim: Claim): string {
  return names[claim] ?? String(claim);
}

function abandon(to: State): void {
  // A cut of the pool's that is sent in this very moment is left out: it takes a watchdog's cut, inside of an AsyncResource, as well.
  to.worker.isLeaving = 0;
  words.move(to.words, to.main.epoch, to.worker.place, GUARDED, INTERRUPTING);
  leaveThread(to);
}

function begin(steps: Steps, to: State): void {
  const { worker, main } = to;
  const { place } = worker;
  const { guarded } = steps.setup;
  const into = guarded ? GUARDED : STARTED;
  const isBegun = steps.is("the worker begins with a store")
    ? words.store(to.words, main.epoch, place, into)
    : words.move(to.words, main.epoch, place, OFFERED, into);
  if (!isBegun) {
    over(steps, to);
    return;
  }
  if (worker.isLeaving === 1) broke(to, "torn");
  worker.at = "running";
  worker.hasTask = 1;
  worker.from = into;
  const job = jobAt(to, place);
  if (job.outcome === "dropped") broke(to, "dropped");
  else if (++job.begun > 1 || job.on !== place + 1) broke(to, "runsOnce");
}

/** What a task does, in its function. */
function run(steps: Steps): void {
  const { state, setup } = steps;
  const { worker } = state;
  switch (setup.tasks) {
    case "deaf":
      return;
    case "polling":
      if (worker.seen !== LIVE) steps.must("worker", "gives up", giveUp);
      else poll(steps);
      return;
    case "waiting":
      steps.must("worker", "returns a promise", (to) => {
        returnPromise(steps, to);
      });
      return;
    case "free":
      if (worker.seen === LIVE && isToBeSeen(state, setup.deadline))
        steps.may("worker", "polls, and sees that its context has ended", (to) => {
          words.notice(to.words, worker.place);
          look(to, setup.deadline);
        });
      endings(steps);
      if (setup.promises)
        steps.may("worker", "returns a promise", (to) => {
          returnPromise(steps, to);
        });
      return;
  }
}

/** Whether a poll that sees what is there finds the end. */
function isToBeSeen({ words: lane, main, worker, clock }: State, deadline: boolean): boolean {
  return lane.notices[worker.place] !== noticeWord(main.epoch, LIVE) || (deadline && clock > 0);
}

function poll(steps: Steps): void {
  const { state, setup } = steps;
  const { stale, place } = state.worker;
  if (!isToBeSeen(state, setup.deadline)) return;
  const isAtomic = stale === STALE;
  if (stale < STALE)
    steps.must("worker", "polls, and reads an old value", (to) => {
      to.worker.stale++;
    });
  if (isAtomic && steps.is("the worker never looks with Atomics.load")) return;
  const see = (to: State): void => {
    words.notice(to.words, place);
    look(to, setup.deadline);
  };
  if (isAtomic) steps.must("worker", "polls with Atomics.load, and sees that its context has ended", see);
  else steps.may("worker", "polls, and sees that its context has ended", see);
}

/** The ways out of a task that is free, in its function or in what its promise waits for. */
function endings(steps: Steps): void {
  const { state, setup } = steps;
  const { worker, main } = state;
  for (const how of setup.ends) {
    const isReply = how === REPLIED;
    if (isReply && worker.place !== main.load.length - 1) continue;
    steps.may(
      "worker",
      `ends: ${how === FAILED ? "throws" : "returns"}${isReply ? " a string" : ""} (${String(how)})`,
      (to) => {
        to.worker.ends = how;
        if (isReply) {
          look(to, setup.deadline);
          if (to.worker.seen === LIVE) to.worker.reply = (main.load[worker.place] as number) + 2;
          else to.worker.ends = POSTED;
        }
        const isToPost = to.worker.ends === POSTED || how === FAILED;
        to.worker.at =
          isToPost && !steps.is("the worker posts its value after the exchange") ? "posting" : "reporting";
      },
    );
  }
  if (worker.seen !== LIVE) steps.may("worker", "gives up", giveUp);
}

function giveUp({ worker }: State): void {
  worker.ends = worker.seen === EXPIRED || worker.seen === EXPIRED_WITH_CAUSE ? STOPPED_EXPIRED : STOPPED;
  worker.at = "reporting";
}

function returnPromise(steps: Steps, to: State): void {
  to.worker.at = steps.is("the worker looks at the notice before it stores `awaits`")
    ? "looking"
    : "awaiting begins";
}

/** The function is left, and the guard with it; what the promise waits for may go on. */
function wait({ worker }: State): void {
  worker.at = "awaiting";
  worker.guard = 0;
  worker.from = STARTED;
}

function awaitEnd(steps: Steps): void {
  const { state, setup } = steps;
  const { worker } = state;
  if (setup.deadline && state.clock > 0 && worker.seen === LIVE)
    steps.must("worker", "its own timer of the deadline goes off", (to) => {
      look(to, true);
    });
  if (setup.tasks === "waiting") {
    if (worker.seen !== LIVE) steps.must("worker", "gives up", giveUp);
    return;
  }
  if (worker.seen === LIVE && isToBeSeen(state, false))
    steps.may("worker", "polls, and sees that its context has ended", (to) => {
      look(to, setup.deadline);
    });
  endings(steps);
}

/** Atomics.load of the notice, then the clock. */
function look(to: State, deadline: boolean): void {
  const { worker, main } = to;
  const word = words.notice(to.words, worker.place);
  if (word !== noticeWord(main.epoch, LIVE)) {
    const how = readNotice(word, main.epoch);
    if ((how === CANCELED_WITH_CAUSE || how === EXPIRED_WITH_CAUSE) && worker.seen === LIVE) fetchCause(to);
    hear(to, how);
  } else if (deadline && to.clock > 0) {
    hear(to, EXPIRED);
  }
}

/** Takes out of the port what is there, up to its own. */
function fetchCause(to: State): void {
  while (to.wakes.length > 0) {
    const [epoch, place] = to.wakes.splice(0, FIELDS);
    if (epoch === to.main.epoch && place === to.worker.place) return;
  }
  broke(to, "cause");
}

/** The task's context ends, if it has not. */
function hear(to: State, how: Notice): void {
  const { worker } = to;
  if (worker.seen !== LIVE) return;
  worker.seen = how;
  const { ctx, outcome } = jobAt(to, worker.place);
  if (outcome === "none" && how !== ctx && !(how === EXPIRED && to.clock > 0)) broke(to, "own");
}

/** Nothing that another side could see. */
function leave({ worker }: State): void {
  const { place, reply, crashed, isLeaving } = worker;
  Object.assign(worker, idleWorker(), { at: "next", place: place + 1, reply, crashed, isLeaving });
}

/** Still inside of the inner guard, where there is one. */
function over(steps: Steps, to: State): void {
  if (steps.setup.watchdog) to.worker.at = "leaving";
  else leave(to);
}

function finish(steps: Steps, to: State): void {
  const { worker, main } = to;
  const isMoved = steps.is("the worker is done with a store")
    ? words.store(to.words, main.epoch, worker.place, DONE)
    : words.move(to.words, main.epoch, worker.place, worker.from, DONE);
  if (!isMoved) {
    lose(steps, to);
    return;
  }
  jobAt(to, worker.place).isDone = 1;
  const isToPost = worker.ends === POSTED || worker.ends === FAILED;
  if (steps.is("the worker reports after the exchange")) worker.at = "late report";
  else if (isToPost && steps.is("the worker posts its value after the exchange")) worker.at = "posting";
  else over(steps, to);
}

/** The pool was quicker. */
function lose(steps: Steps, to: State): void {
  if (steps.is("the worker goes on when its exchange has failed")) over(steps, to);
  else to.worker.at = "asleep";
}

/** It takes nothing more. */
function park(steps: Steps, to: State): void {
  to.worker.guard = 0;
  if (steps.is("the worker goes on when it has lost to KILLING")) over(steps, to);
  else to.worker.at = "parked";
}

function cutOff(steps: Steps, to: State): void {
  const { worker, main } = to;
  if (worker.hasTask === 0) {
    leaveThread(to);
    return;
  }
  if (words.stands(to.words, main.epoch, worker.place, KILLING)) {
    park(steps, to);
    return;
  }
  if (!words.stands(to.words, main.epoch, worker.place, INTERRUPTING)) leaveThread(to);
  else wasCut(steps, to, INTERRUPTING);
}

function cutOffInside(steps: Steps, to: State): void {
  const { worker, main } = to;
  const { place } = worker;
  const stands = (claim: Claim): boolean => words.stands(to.words, main.epoch, place, claim);
  if (worker.hasTask === 0) {
    words.move(to.words, main.epoch, place, OFFERED, DROPPED);
    worker.at = "leaving";
  } else if (stands(DONE)) {
    worker.at = "leaving";
  } else if (stands(STARTED)) {
    worker.at = "looking";
  } else {
    const isPools = stands(INTERRUPTING);
    const isOnly = (worker.isDue === 1) !== isPools;
    const isTaken =
      steps.is("the worker goes on though its watchdog's cut and the pool's are both due") && isPools;
    if (isOnly || isTaken) wasCut(steps, to, isPools ? INTERRUPTING : GUARDED);
    else leaveAfterCut(to);
  }
}

/** It waits for the cut that may be under way. In the library for a time in which that has come for sure. */
function leaveAfterCut(to: State): void {
  to.worker.isLeaving = 1;
  to.worker.at = "exiting";
}

/** One that had ended by itself has done so all the same. */
function wasCut(steps: Steps, { worker }: State, from: Claim): void {
  worker.from = from;
  const isReported =
    worker.isReported === 1 && !steps.is("the worker reports anew what it has reported, once it is cut off");
  if (isReported) {
    worker.at = "finishing";
  } else if (worker.hasPromise === 1) {
    worker.at = "resuming";
  } else {
    worker.ends = INTERRUPTED;
    worker.at = "reporting";
  }
}
