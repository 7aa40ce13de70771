/** What there is in the model of one lane: both sides, the words and messages between them, and what nobody but the model knows. */
import type { Claim, Ended, Notice } from "../../../src/workers/lane.js";
import { LIVE } from "../../../src/workers/lane.js";
import type { Step } from "./explorer.js";
import { type Access, accessesOf, type Words, wordsOf } from "./words.js";

/** The sentences that are checked. Each is the shortest form of one in docs/protocol.md or docs/design. */
export const PROMISES = {
  once: "every task settles exactly once",
  settles: "a task whose context has ended settles, whatever it does",
  runsOnce: "what is taken back is run at most once, and not by the thread it was taken from",
  dropped: "a task that was dropped never runs, and only one whose context has ended is dropped",
  done: "a task that is DONE is not killed: its outcome is what `ended` says",
  value: "a task gets the value that it left, and no other one's",
  stopped: "what has settled has stopped: nothing of it runs any more",
  innocent: "one task's hard stop, or death, touches no other task",
  cut: "a cut hits nothing but its task, inside of the guard",
  spent: "the claim says INTERRUPTING until the cut is carried out, and the task is inside of the guard",
  cause: "a loop that sees CANCELED_WITH_CAUSE finds the cause in the port",
  own: "a task's context ends only as its own does: a word or message of an earlier epoch is never mistaken for this one's",
  torn: "no cut is sent to a thread that has exited by itself, or that has begun a task since",
  woken: "a task that awaits is woken, a loop that polls sees its end",
} as const;
export type Promised = keyof typeof PROMISES;

/** Ways to break the protocol: each takes out one thing that it rests on. */
export type Mutant =
  | "the worker begins with a store"
  | "the worker is done with a store"
  | "main drops with a store"
  | "main takes back with a store"
  | "main kills with a store"
  | "main ends the thread though the exchange has failed"
  | "main cuts without the exchange"
  | "main cuts again when the second grace is over"
  | "main stores the notice before it posts the cause"
  | "main looks at `awaits` before it stores the notice"
  | "the worker looks at the notice before it stores `awaits`"
  | "the worker takes wakes of others for its own"
  | "the worker goes on when its exchange has failed"
  | "the worker goes on when it has lost to KILLING"
  | "the worker reports anew what it has reported, once it is cut off"
  | "the worker reports after the exchange"
  | "the worker posts its value after the exchange"
  | "the worker goes on though its watchdog's cut and the pool's are both due"
  | "the worker never looks with Atomics.load"
  | "the epoch is not counted"
  | "the claims are read before the thread has exited"
  | "the order to end is not repeated"
  | "the parcel is taken without a look at whose it is"
  | "main settles what is DONE as terminated"
  | "main gives up waiting for news before it has looked"
  | "main looks whether the thread has gone on before it takes back what waits"
  | "the worker exits with its claim where it is"
  | "the worker goes on though process.exit has been called";

export interface Setup {
  readonly places: number;
  readonly jobs: number;
  /** `onOverrun: "interrupt"`. */
  readonly guarded: boolean;
  /** The thread cuts tasks off by itself, after the deadline. */
  readonly watchdog: boolean;
  /** The tasks have one, and all the same. */
  readonly deadline: boolean;
  /** With what the tasks may be cancelled. */
  readonly cancels: readonly Notice[];
  /** One at a time, all in one walk through the tree, or either. */
  readonly cancelled: "alone" | "together" | "either";
  /**
   * - `free`: each may do anything at any time.
   * - `deaf`: it neither looks nor returns.
   * - `polling`: a loop that gives up when it sees its end.
   * - `waiting`: returns a promise at once, which rejects when the task hears of its end.
   */
  readonly tasks: "free" | "deaf" | "polling" | "waiting";
  /** How free ones end, besides of giving up. */
  readonly ends: readonly Ended[];
  /** Free ones may return promises. */
  readonly promises: boolean;
  readonly grace: "endless" | "some" | "none";
  /** How many times the thread may crash: not at all, or once. */
  readonly crashes: number;
  /** Tasks may call process.exit. */
  readonly exits: boolean;
  /** Orders to end that V8 loses. */
  readonly losses: number;
  /** Main does nothing after the hand-over, or may not. */
  readonly isMainBlocked: boolean;
  /** What is wrong with the protocol. */
  readonly mutant?: Mutant;
}

type MainAt =
  | "free"
  | "marking"
  | "dropping marked"
  | "looking whether dropped"
  | "dropping"
  | "posting the cause"
  | "storing the notice"
  | "looking at awaits"
  | "waking"
  | "looking whether guarded"
  | "interrupting"
  | "cutting"
  | "killing GUARDED"
  | "killing INTERRUPTING"
  | "killing STARTED"
  | "ending the thread"
  | "collecting"
  | "taking back"
  | "looking behind";

export type WorkerAt =
  | "idle"
  | "next"
  | "late"
  | "beginning"
  | "running"
  | "posting"
  | "reporting"
  | "finishing"
  | "awaiting begins"
  | "leaving GUARDED"
  | "leaving inner"
  | "looking"
  | "awaiting"
  | "resuming"
  | "asleep"
  | "exiting"
  | "exiting, claim"
  | "exiting, asleep"
  | "leaving"
  | "cut off"
  | "cut off inside"
  | "cut off inside, claim"
  | "parked"
  | "late report"
  | "dead";

/** Lists of messages hold three numbers for each. */
export const FIELDS = 3;

interface Main {
  at: MainAt;
  /** The job it is about. */
  job: number;
  /** Bits: the jobs that are still to be marked, to be told. */
  marks: number;
  tells: number;
  /** A place. */
  place: number;
  /** Takes back down to this place. */
  from: number;
  /** What it does after collecting. */
  next: "nothing" | "take back" | "look behind";
  /** It has looked at `awaits` already. Only of the mutant. */
  awaited: number;
  thread: "idle" | "busy" | "ending" | "gone";
  epoch: number;
  /** Of the load: which job is at each place, and the first that has not been seen over. */
  load: readonly number[];
  cursor: number;
  /** The thread had something when it was told to end. */
  hadLoad: number;
}

export interface Worker {
  at: WorkerAt;
  /** The place it is at. */
  place: number;
  /** 1 inside of the guard, 2 inside of the watchdog's. */
  guard: number;
  /** 1 from a task's begin to its end. */
  hasTask: number;
  /** What the task knows of its context. */
  seen: Notice;
  /** How it ends, and where its claim is to be then. */
  ends: Ended;
  from: Claim;
  isReported: number;
  hasPromise: number;
  /** Plain reads that saw an old value. */
  stale: number;
  /** Whether the watchdog's time had come. */
  isDue: number;
  /** The reply: 1 for `true`, 2 and up for a value. */
  reply: number;
  /** It died by itself. */
  crashed: number;
  /** process.exit has been called. */
  isLeaving: number;
}

export interface Job {
  /** How its context has ended. */
  ctx: Notice;
  outcome: "none" | "dropped" | "over";
  /** On the thread, at this place plus one; 0: in the queue, or settled. */
  on: number;
  alarm: "none" | "grace" | "second grace" | "news";
  isOverrun: number;
  isOverdue: number;
  /** It has been on a thread and came back. */
  isBack: number;
  // What nobody but the model knows:
  /** How many times it has begun. */
  begun: number;
  /** What it has done, plus one, once that has been reported. */
  did: number;
  /** Its exchange to DONE has succeeded. */
  isDone: number;
  /** A cut has been carried out while it was under way. */
  isHit: number;
}

export interface State {
  readonly main: Main;
  readonly worker: Worker;
  readonly words: Words;
  readonly jobs: readonly Job[];
  /** 1: the deadline has passed; 2: the watchdog's time has come. */
  clock: number;
  /** The envelope is under way. */
  envelope: number;
  /** The answer is under way, as in Worker. */
  reply: number;
  /** Wakes: epoch, place, notice. */
  readonly wakes: number[];
  /** Results and errors: epoch, place, whose. */
  readonly parcels: number[];
  /** A cut is under way: the job it is meant for, plus one. */
  cut: number;
  /** The order to end is under way. */
  order: number;
  crashes: number;
  losses: number;
  broken: Promised | "none";
}

export function initialState({ places, jobs, crashes, losses }: Setup): State {
  return {
    main: {
      at: "free",
      job: 0,
      marks: 0,
      tells: 0,
      place: 0,
      from: 0,
      next: "nothing",
      awaited: 0,
      thread: "idle",
      epoch: 0,
      load: [],
      cursor: 0,
      hadLoad: 0,
    },
    worker: idleWorker(),
    words: wordsOf(places),
    jobs: Array.from({ length: jobs }, newJob),
    clock: 0,
    envelope: 0,
    reply: 0,
    wakes: [],
    parcels: [],
    cut: 0,
    order: 0,
    crashes,
    losses,
    broken: "none",
  };
}

export function newJob(): Job {
  return {
    ctx: LIVE,
    outcome: "none",
    on: 0,
    alarm: "none",
    isOverrun: 0,
    isOverdue: 0,
    isBack: 0,
    begun: 0,
    did: 0,
    isDone: 0,
    isHit: 0,
  };
}

export function idleWorker(): Worker {
  return {
    at: "idle",
    place: 0,
    guard: 0,
    hasTask: 0,
    seen: LIVE,
    ends: 0,
    from: 1,
    isReported: 0,
    hasPromise: 0,
    stale: 0,
    isDue: 0,
    reply: 0,
    crashed: 0,
    isLeaving: 0,
  };
}

function copyOf(state: State): State {
  const { main, worker, words, jobs, wakes, parcels } = state;
  return {
    ...state,
    main: { ...main },
    worker: { ...worker },
    words: {
      notices: words.notices.slice(),
      unseen: words.unseen.slice(),
      claims: words.claims.slice(),
      awaits: words.awaits.slice(),
      ended: words.ended.slice(),
    },
    jobs: jobs.map((job) => ({ ...job })),
    wakes: wakes.slice(),
    parcels: parcels.slice(),
  };
}

export interface LaneStep extends Step<State> {
  readonly side: "main" | "worker" | "world";
  /** Its accesses to the words, if they were asked for. */
  readonly accesses: readonly Access[];
}

const none: readonly Access[] = [];

/** Collects the steps that lead from one state to others. */
export class Steps {
  readonly all: LaneStep[] = [];
  readonly state: State;
  readonly setup: Setup;
  readonly #isNoting: boolean;

  constructor(setup: Setup, state: State, isNoting: boolean) {
    this.setup = setup;
    this.state = state;
    this.#isNoting = isNoting;
  }

  is(mutant: Mutant): boolean {
    return this.setup.mutant === mutant;
  }

  /** What happens sooner or later. */
  must(side: LaneStep["side"], label: string, change: (to: State) => void): void {
    this.#add(side, label, side === "main" && this.setup.isMainBlocked, change);
  }

  /** What may happen, or not. */
  may(side: LaneStep["side"], label: string, change: (to: State) => void): void {
    this.#add(side, label, true, change);
  }

  #add(side: LaneStep["side"], label: string, isVoluntary: boolean, change: (to: State) => void): void {
    const to = copyOf(this.state);
    let accesses = none;
    if (this.#isNoting) {
      accesses = accessesOf(() => {
        change(to);
      });
    } else {
      change(to);
    }
    this.all.push({ side, label: `${side}: ${label}`, isVoluntary, to, accesses });
  }
}

/** The first thing that breaks is what counts. */
export function broke(state: State, promise: Promised): void {
  if (state.broken === "none") state.broken = promise;
}

export function jobAt(state: State, place: number): Job {
  return state.jobs[state.main.load[place] as number] as Job;
}
